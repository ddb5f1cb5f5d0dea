"""What Git's processes are given: everything that hardens them, and nothing of ours."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.source_git import Credentials, GitSettings
from reconciler.adapters.source_git.environment import Environment, ssh_options
from reconciler.adapters.source_git.url import Remote, Transport, parse_url
from tests.adapters.source_git.conftest import Make
from tests.contracts.source import ENTRY, FOLDER
from tests.real.git_repository import GitRepository


def configuration(environment: dict[str, str]) -> dict[str, str]:
    """What Git itself makes of it: all configuration it sees."""
    command = ["git", "config", "--list", "-z"]
    listed = subprocess.run(command, env=environment, capture_output=True, check=True, text=True, timeout=20).stdout
    return dict(item.split("\n", 1) for item in listed.split("\0") if item)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment over empty folders."""
    return Environment(tmp_path / "home", tmp_path / "scratch")


def test_git_is_hardened_by_configuration_above_all_files(environment: Environment, tmp_path: Path) -> None:
    """No hooks, helpers, monitors, redirects, bundles or protocols; fsck on; packs stay packs."""
    found = configuration(environment.local(tmp_path / "m.git"))
    expected = {
        "core.hookspath": "/dev/null",
        "core.fsmonitor": "false",
        "credential.helper": "",
        "fetch.fsckobjects": "true",
        "fetch.unpacklimit": "1",
        "gc.auto": "0",
        "http.followredirects": "false",
        "http.sslverify": "true",
        "protocol.allow": "never",
        "safe.barerepository": "explicit",
        "safe.directory": str(tmp_path / "m.git"),
        "transfer.bundleuri": "false",
        "transfer.credentialsinurl": "die",
        "transfer.fsckobjects": "true",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert not any(name.endswith(".allow") and value != "never" for name, value in found.items())


def test_a_question_to_the_mirror_allows_no_protocol(environment: Environment, tmp_path: Path) -> None:
    """And neither prompts nor replaces objects nor finds another repository."""
    given = environment.local(tmp_path / "m.git")
    assert given["GIT_ALLOW_PROTOCOL"] == ""
    assert given["GIT_TERMINAL_PROMPT"] == "0"
    assert given["GIT_NO_REPLACE_OBJECTS"] == "1"
    assert given["GIT_DIR"] == str(tmp_path / "m.git")
    assert {"SSH_AUTH_SOCK", "GIT_SSH", "GIT_SSH_COMMAND", "https_proxy"}.isdisjoint(given)


def test_an_exchange_allows_its_own_protocol_and_binds_the_header(environment: Environment, tmp_path: Path) -> None:
    """Credentials belong to one origin, whichever path is asked for there."""
    settings = GitSettings(url="https://git.example.com:8443/mesh", data_dir=tmp_path, ca_file=Path("/ca.pem"))
    remote = parse_url(settings.url)
    found = configuration(environment.network(tmp_path, remote, settings, "Authorization: Basic eA=="))
    assert found["http.https://git.example.com:8443/.extraheader"] == "Authorization: Basic eA=="
    assert [name for name, value in found.items() if value == "always"] == ["protocol.https.allow"]
    assert (found["http.sslcainfo"], found["http.lowspeedtime"]) == ("/ca.pem", "30")


def test_ssh_is_given_everything_and_asks_nothing(tmp_path: Path) -> None:
    """OpenSSH itself reads the options: only our key, only our host keys, no agent, no prompt, no forwarding."""
    credentials = Credentials(ssh_key_file=tmp_path / "a key %d", known_hosts_file=tmp_path / "known hosts")
    settings = GitSettings(url="", data_dir=tmp_path, credentials=credentials)
    command = ["ssh", *ssh_options(settings), "-G", "git@example.com"]
    listed = subprocess.run(command, capture_output=True, check=True, text=True, timeout=20).stdout
    found = dict(line.split(" ", 1) for line in listed.splitlines() if " " in line)
    expected = {
        "batchmode": "yes",
        "stricthostkeychecking": "true",
        "userknownhostsfile": str(tmp_path / "known hosts"),
        "globalknownhostsfile": "/dev/null",
        "identityfile": f"{tmp_path}/a key %%d",
        "identityagent": "none",
        "identitiesonly": "yes",
        "forwardagent": "no",
        "permitlocalcommand": "no",
        "connecttimeout": "30",
    }
    assert {name: found.get(name) for name in expected} == expected


def test_the_ssh_program_is_written_once_and_for_us_alone(environment: Environment, tmp_path: Path) -> None:
    """Git starts it by path, so that no shell is needed; it passes its arguments on."""
    settings = GitSettings(url="", data_dir=tmp_path)
    given = environment.network(tmp_path, Remote(Transport.SSH, "ssh://h/p"), settings, "")
    path = Path(given["GIT_SSH"])
    before = path.stat()
    environment.network(tmp_path, Remote(Transport.SSH, "ssh://h/p"), settings, "")
    assert path.stat() == before
    assert before.st_mode & 0o777 == 0o700
    done = subprocess.run([path, "-G", "example.com"], capture_output=True, text=True, check=True, timeout=20)
    assert "batchmode yes" in done.stdout


@pytest.mark.parametrize("transport", ["file", "over_https", "over_ssh"])
def test_a_hostile_environment_changes_nothing(
    transport: str,
    repository: GitRepository,
    make: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Variables, a user's configuration and a template folder that would redirect Git or run programs are never seen."""
    changes: dict[str, Any] = {} if transport == "file" else request.getfixturevalue(transport)
    pwned = tmp_path / "pwned"
    home = tmp_path / "hostile"
    (home / "template" / "hooks").mkdir(parents=True)
    (home / ".gitconfig").write_text(
        f'[core]\n\tfsmonitor = "touch {pwned}"\n\tsshCommand = "touch {pwned}"\n[init]\n\ttemplateDir = {home}/template\n'
        '[url "https://evil.example/"]\n\tinsteadOf = https://\n\tinsteadOf = file://\n\tinsteadOf = ssh://\n',
        encoding="utf-8",
    )
    hostile = {
        "HOME": str(home),
        "GIT_DIR": "/nowhere",
        "GIT_CONFIG_PARAMETERS": "'protocol.allow'='never'",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.sshCommand",
        "GIT_CONFIG_VALUE_0": f"touch {pwned}",
        "GIT_SSH_COMMAND": f"touch {pwned}",
        "GIT_PROXY_COMMAND": f"touch {pwned}",
        "GIT_TRACE": str(pwned),
        "GIT_EXEC_PATH": str(home),
        "GIT_TEMPLATE_DIR": str(home / "template"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere",
        "https_proxy": "http://127.0.0.1:1",
        "GIT_SSL_NO_VERIFY": "1",
    }
    commit = repository.commit({f"{FOLDER}/a.yaml": ENTRY})
    make(**changes, data_dir=tmp_path / "before").poll()  # GitPython asks `git version` once, in the environment as it is
    source = make(**changes)
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    revision = source.poll()
    assert revision.id == commit
    assert len(list(source.contents(source.files(revision)))) == 1
    assert not pwned.exists()
    assert not list((tmp_path / "data").rglob("hooks"))
