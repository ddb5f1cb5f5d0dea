"""What the mirror makes of servers that fail, lie or attack, and of damage at home."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from reconciler.adapters.source_git import Credentials, GitSettings, GitSource, Limits, Timeouts
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.tree.codes import Code as TreeCode
from reconciler.core.resources import Relation
from reconciler.errors import InvalidInput, ReconcilerError, Unavailable
from tests.adapters.source_git.conftest import Make
from tests.contracts.source import ACCOUNT, ENTRY, FOLDER
from tests.real.git_https import Authority, GitHttps
from tests.real.git_repository import GitRepository
from tests.real.git_ssh import GitSsh
from tests.real.processes import Child, free_ports, running
from tests.waiting import becomes

FILES = {f"{FOLDER}/a.yaml": ENTRY}
SECRET = "t0p-s3cret-t0ken"


def seconds(exchange: float, fetch: float, stall: float) -> Timeouts:
    """Deadlines of so many seconds."""
    return Timeouts(*(timedelta(seconds=value) for value in (exchange, fetch, stall)))


def code_of(source: GitSource) -> str:
    """The code with which a poll is refused."""
    with pytest.raises(InvalidInput) as refused:
        source.poll()
    return refused.value.problems[0].code


def leftovers(source: GitSource) -> list[str]:
    """Half-written files in the mirror."""
    return [path.name for path in source.mirror_path.rglob("*") if path.name.startswith("tmp_") or path.name.endswith(".lock")]


# The server and the way to it


@pytest.mark.case("G-02")
def test_a_redirect_is_not_followed(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps, authority: Authority, tmp_path: Path
) -> None:
    """The other host never hears of us, nor of our token."""
    repository.commit(FILES)
    (tmp_path / "token").write_text(SECRET, encoding="utf-8")
    source = make(**over_https, credentials=Credentials(token_file=tmp_path / "token"))
    with GitHttps(https.root, authority) as other:
        https.faults.redirect = other.url
        assert code_of(source) == Code.REDIRECT
        assert other.seen == []


def test_a_token_is_sent_with_the_first_request_and_shown_nowhere(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps, tmp_path: Path
) -> None:
    """Not in argv while Git runs, not on disk, not in the error when the server refuses it; a rotated one is found at once."""
    commit = repository.commit(FILES)
    https.faults.login = f"bot:{SECRET}"
    token = tmp_path / "token"
    token.write_text(SECRET, encoding="utf-8")
    source = make(**over_https, credentials=Credentials(username="bot", token_file=token))
    https.faults.pause = 0.002
    poll = threading.Thread(target=source.poll)
    poll.start()
    while poll.is_alive():
        assert SECRET not in " ".join(command_lines())
    assert source.poll().id == commit
    assert not any(SECRET.encode() in path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert all("Authorization" in request.headers for request in https.seen)
    https.faults.pause, https.faults.login = 0.0, "bot:another"
    with pytest.raises(InvalidInput) as refused:
        source.poll()
    assert refused.value.problems[0].code == Code.REFUSED
    assert SECRET not in str(refused.value)
    token.write_text("another", encoding="utf-8")
    assert source.poll().id == commit


@pytest.mark.parametrize("login", ["", "bot:wrong"])
def test_missing_and_wrong_credentials_are_for_a_person(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps, tmp_path: Path, login: str
) -> None:
    """Nothing prompts, nothing hangs; the refusal is InvalidInput."""
    repository.commit(FILES)
    https.faults.login = "bot:right"
    (tmp_path / "login").write_text(login, encoding="utf-8")
    credentials = Credentials(login_file=tmp_path / "login") if login else Credentials()
    assert code_of(make(**over_https, credentials=credentials)) == Code.REFUSED


@pytest.mark.case("G-11")
@pytest.mark.parametrize("status", [403, 404, 429, 500, 502, 503])
def test_a_server_that_fails_is_unavailable(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps, status: int
) -> None:
    """It is tried again, and what was fetched before stays readable."""
    repository.commit(FILES)
    source = make(**over_https)
    revision = source.poll()
    https.faults.status = status
    with pytest.raises(Unavailable, match=str(status) if status != 404 else "not found"):
        source.poll()
    assert source.files(revision)
    https.heal()
    assert source.poll() == revision


@pytest.mark.case("G-11")
def test_a_remote_that_is_down_is_unavailable(make: Make, ssh: GitSsh) -> None:
    """Over https and over ssh."""
    credentials = Credentials(ssh_key_file=ssh.key, known_hosts_file=ssh.known_hosts)
    for scheme in ("https", "ssh"):
        source = make(url=f"{scheme}://127.0.0.1:{free_ports(1)[0]}/x.git", credentials=credentials)
        with pytest.raises(Unavailable):
            source.poll()


@pytest.mark.case("G-11")
def test_a_certificate_of_another_authority_is_unavailable(
    repository: GitRepository, make: Make, over_https: dict[str, Any]
) -> None:
    """Nothing switches the check off."""
    repository.commit(FILES)
    with pytest.raises(Unavailable, match="certificate"):
        make(**{**over_https, "ca_file": None}).poll()


@pytest.mark.case("G-11")
@pytest.mark.parametrize(
    ("timeouts", "why"), [(seconds(30, 30, 1), "too slow"), (seconds(1, 1, 30), "took too long")], ids=["stall", "whole"]
)
def test_a_slow_drip_is_cut_off(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps, timeouts: Timeouts, why: str
) -> None:
    """By the least speed, and by the deadline of the whole; asking and fetching alike."""
    repository.commit(FILES)
    source = make(**over_https, timeouts=timeouts)
    https.faults.pause = 1.0
    begin = time.monotonic()
    with pytest.raises(Unavailable, match=f"(?i){why}"):
        source.poll()
    assert time.monotonic() - begin < 20


@pytest.mark.case("G-11", "G-14")
def test_a_connection_that_ends_in_the_middle_of_a_pack_leaves_nothing(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps
) -> None:
    """The next poll gets it all."""
    repository.commit({f"{FOLDER}/{number}.yaml": Random(number).randbytes(2000) for number in range(50)})
    source = make(**over_https)
    for keep in (60, 5000, 60_000):
        https.faults.keep = keep
        with pytest.raises(Unavailable):
            source.poll()
        assert leftovers(source) == []
    https.heal()
    assert len(source.files(source.poll())) == 50


@pytest.mark.case("G-11")
def test_a_server_that_never_answers_is_given_up(make: Make, ssh: GitSsh) -> None:
    """Over ssh, where no speed is measured."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ssh://git@127.0.0.1:{silent.getsockname()[1]}/x.git"
        credentials = Credentials(ssh_key_file=ssh.key, known_hosts_file=ssh.known_hosts)
        with pytest.raises(Unavailable):
            make(url=url, credentials=credentials, timeouts=seconds(10, 10, 1)).poll()


def test_ssh_refuses_unknown_keys_on_both_sides(
    repository: GitRepository, make: Make, ssh: GitSsh, over_ssh: dict[str, Any], tmp_path: Path
) -> None:
    """A key that may not log in, and a host that is not known, are for a person; neither is learnt by asking."""
    repository.commit(FILES)
    stranger = Credentials(ssh_key_file=ssh.stranger, known_hosts_file=ssh.known_hosts)
    assert code_of(make(**{**over_ssh, "credentials": stranger})) == Code.REFUSED
    unknown = tmp_path / "known_hosts"
    unknown.write_text("", encoding="utf-8")
    assert (
        code_of(make(**{**over_ssh, "credentials": replace(stranger, ssh_key_file=ssh.key, known_hosts_file=unknown)}))
        == Code.HOST_KEY
    )
    assert unknown.read_text(encoding="utf-8") == ""


def test_a_sha256_repository_is_refused(git_root: Path, make: Make) -> None:
    """Its ids would not fit anywhere else."""
    repository = GitRepository.create(git_root / "sha256.git", "--object-format=sha256")
    repository.commit(FILES)
    assert code_of(make(url=f"file://{repository.path}")) == Code.OBJECT_FORMAT


# Which commit


def test_tags_and_commits_can_be_followed(repository: GitRepository, make: Make, over_https: dict[str, Any]) -> None:
    """An annotated tag leads to its commit, a range to its highest tag; none of them pauses when it moves."""
    first = repository.commit(FILES)
    second = repository.commit({f"{FOLDER}/b.yaml": ENTRY})
    repository.commit({f"{FOLDER}/c.yaml": ENTRY})
    repository.tag("v1.2.0", first, message="release")
    repository.tag("v1.10.0", second, message="release")
    repository.tag("v2.0.0-rc.1", second)
    for ref, commit in (("tag:v1.2.0", first), ("semver:^1.0", second), ("semver:~1.2", first), (f"commit:{first}", first)):
        revision = make(**over_https, ref=ref).poll()
        assert (revision.id, revision.moving) == (commit, False)


def test_a_pinned_commit_is_not_asked_for_again(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps
) -> None:
    """It cannot change."""
    commit = repository.commit(FILES)
    repository.commit({f"{FOLDER}/b.yaml": ENTRY})
    make(**over_https, ref=f"commit:{commit}").poll()
    https.seen.clear()
    assert make(**over_https, ref=f"commit:{commit}").poll().id == commit
    assert https.seen == []


def test_a_tag_on_a_file_is_refused(repository: GitRepository, make: Make) -> None:
    """Only a commit has files."""
    repository.tag("v1", repository.blob(b"x"))
    repository.tag("v2", repository.tree(FILES))
    assert [code_of(make(ref=f"tag:{tag}")) for tag in ("v1", "v2")] == [Code.NO_COMMIT, Code.NO_COMMIT]


def test_a_commit_that_the_server_has_not_is_unavailable(repository: GitRepository, make: Make) -> None:
    """It may be pushed yet."""
    repository.commit(FILES)
    with pytest.raises(Unavailable):
        make(ref=f"commit:{'0123456789' * 4}").poll()


def test_an_unchanged_remote_costs_one_question(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps
) -> None:
    """Two small requests of protocol version 2, and no fetch; also after a restart."""
    repository.commit(FILES)
    make(**over_https).poll()
    for source in (make(**over_https), make(**over_https)):
        https.seen.clear()
        source.poll()
        source.poll()
        assert [request.method for request in https.seen] == ["GET", "POST", "GET", "POST"]


@pytest.mark.case("G-12")
def test_a_renamed_default_branch_is_unavailable(repository: GitRepository, make: Make) -> None:
    """No other branch is taken in its place."""
    repository.commit(FILES)
    source = make()
    source.poll()
    repository.commit(FILES, branch="trunk")
    repository.delete_branch()
    with pytest.raises(Unavailable, match="branch main"):
        source.poll()


@pytest.mark.case("G-13")
def test_a_base_commit_survives_a_force_push_and_is_unknown_after_a_rebuild(
    repository: GitRepository, make: Make, tmp_path: Path
) -> None:
    """Diverged while the mirror remembers it, unknown once the mirror was lost; an error never."""
    first = repository.commit(FILES)
    source = make()
    source.poll()
    second = repository.commit({f"{FOLDER}/b.yaml": ENTRY}, parents=[], message="rewritten")
    assert source.poll().id == second
    assert source.relation(first, second) is Relation.DIVERGED
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    fresh = make(data_dir=tmp_path / "other")
    fresh.poll()
    assert fresh.relation(first, second) is Relation.UNKNOWN
    with pytest.raises(Unavailable):
        fresh.relation(second, first)


@pytest.mark.case("G-17")
def test_order_is_the_graphs_whatever_the_dates(repository: GitRepository, make: Make) -> None:
    """A child of 1970 whose parent is of 2099 is a descendant."""
    parent = repository.commit(FILES, date="@4070908800 +0000")
    source = make()
    source.poll()
    child = repository.commit({f"{FOLDER}/b.yaml": ENTRY}, date="@1 +0000", author="<b>\x1b[31mEve\x07 <eve@example.com>")
    revision = source.poll()
    assert source.relation(parent, child) is Relation.DESCENDANT
    assert source.relation(child, parent) is Relation.DIVERGED
    assert revision.time is not None
    assert revision.time.year == 1970
    assert revision.author.isprintable()


@pytest.mark.case("G-18")
def test_many_commits_between_two_polls_are_one(repository: GitRepository, make: Make) -> None:
    """A poll always ends at the newest."""
    repository.commit(FILES)
    source = make()
    pushed = threading.Event()

    def push() -> None:
        for number in range(15):
            repository.commit({f"{FOLDER}/{number}.yaml": ENTRY})
        pushed.set()

    author = threading.Thread(target=push)
    author.start()
    while not pushed.is_set():
        source.poll()
    author.join()
    assert [file.path for file in source.files(source.poll())] == [f"{FOLDER}/14.yaml"]


def test_many_fetches_are_packed_and_forget_nothing(repository: GitRepository, make: Make) -> None:
    """Also what no branch reaches any more."""
    source = make(limits=Limits(packs=3))
    first = repository.commit(FILES)
    source.poll()
    for number in range(5):
        repository.commit({f"{FOLDER}/{number}.yaml": ENTRY}, parents=[], message=f"history {number}")
        newest = source.poll()
    assert len(list(source.mirror_path.glob("objects/pack/*.pack"))) < 5
    assert source.relation(first, newest.id) is Relation.DIVERGED
    assert source.files(replace(newest, id=first))


# Too much


@pytest.mark.case("G-10")
def test_a_repository_over_the_cap_is_refused_and_fetched_once(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps
) -> None:
    """Nothing stays of what came in; the same commit is not fetched again; one that fits is."""
    small = repository.commit(FILES)
    source = make(**over_https, limits=Limits(store_bytes=1_000_000))
    source.poll()
    repository.commit({**FILES, f"{FOLDER}/noise.bin": Random(1).randbytes(3_000_000)})
    assert code_of(source) == Code.STORE_CAP
    assert leftovers(source) == []
    assert sum(path.stat().st_size for path in source.mirror_path.rglob("*")) < 200_000
    https.seen.clear()
    assert code_of(source) == Code.STORE_CAP
    assert [request.method for request in https.seen] == ["GET", "POST"]
    following = repository.commit({f"{FOLDER}/b.yaml": ENTRY}, parents=[small])
    assert source.poll().id == following


@pytest.mark.case("G-10")
def test_a_store_that_its_past_has_filled_is_made_anew(repository: GitRepository, make: Make) -> None:
    """When what came in is small and the store is large, the store is what has to go."""
    source = make(limits=Limits(store_bytes=1_000_000))
    for number in range(5):
        repository.commit({**FILES, f"{FOLDER}/noise.bin": Random(number).randbytes(300_000)}, parents=[], message=f"{number}")
        try:
            newest = source.poll()
        except InvalidInput as refused:
            assert refused.problems[0].code == Code.STORE_CAP  # noqa: PT017 - not every round ends so
    repository.commit(FILES, parents=[], message="last")
    newest = source.poll()
    assert source.files(newest)


@pytest.mark.case("G-09", "G-10")
def test_a_pack_bomb_stays_small_in_memory_and_on_disk(repository: GitRepository, make: Make) -> None:
    """200 MB of zeros in 200 KB: fetched without holding them, refused by size without reading them."""
    repository.git("config", "core.bigFileThreshold", "1m")
    blob = repository.git("hash-object", "-w", "--stdin", stdin=bytes(200_000_000))
    tree = repository.raw_tree([("40000", FOLDER, repository.raw_tree([("100644", "bomb.yaml", blob)]))])
    repository.reset(repository.commit_tree(tree, []))
    source = make(limits=Limits(memory_bytes=150_000_000, store_bytes=5_000_000))
    revision = source.poll()
    with pytest.raises(InvalidInput) as refused:
        source.files(revision)
    assert [(problem.code, str(problem.place)) for problem in refused.value.problems[:1]] == [
        (TreeCode.CAP, f"{FOLDER}/bomb.yaml")
    ]
    assert sum(path.stat().st_size for path in source.mirror_path.rglob("*")) < 5_000_000


# Damage at home


@pytest.mark.case("G-14")
def test_what_a_killed_git_left_is_no_obstacle(repository: GitRepository, make: Make) -> None:
    """Locks of every kind and half packs, with new commits to fetch."""
    repository.commit(FILES)
    source = make()
    source.poll()
    for name in ("HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock", "refs/mesh-reconciler/tip.lock"):
        (source.mirror_path / name).write_bytes(b"")
    (source.mirror_path / "objects" / "pack" / "tmp_pack_x").write_bytes(b"x" * 1000)
    newest = repository.commit({f"{FOLDER}/b.yaml": ENTRY})
    assert source.poll().id == newest
    assert leftovers(source) == []


@pytest.mark.case("G-14")
@pytest.mark.parametrize("name", ["HEAD", "config", "objects", "refs", "objects/pack", "refs/mesh-reconciler"])
def test_a_mirror_with_a_part_missing_is_made_anew(repository: GitRepository, make: Make, name: str) -> None:
    """Whatever somebody removed."""
    commit = repository.commit(FILES)
    source = make()
    source.poll()
    (source.mirror_path / name).rename(source.mirror_path.parent / "taken-away")
    restarted = make()
    assert restarted.poll().id == commit
    assert len(list(restarted.contents(restarted.files(restarted.poll())))) == 1


@pytest.mark.case("G-14")
def test_a_git_that_is_killed_in_the_middle_of_a_fetch_is_survived(
    repository: GitRepository, make: Make, over_https: dict[str, Any], https: GitHttps
) -> None:
    """The poll says Unavailable, the next one succeeds."""
    repository.commit({f"{FOLDER}/{number}.yaml": Random(number).randbytes(500) for number in range(20)})
    source = make(**over_https)
    failures: list[Exception] = []
    https.faults.pause_pack = 0.01
    poll = threading.Thread(target=lambda: failures.extend(caught(source)))
    poll.start()
    os.kill(wait_for_fetch(repository), signal.SIGKILL)
    poll.join()
    assert [type(failure) for failure in failures] == [Unavailable]
    https.heal()
    assert len(source.files(source.poll())) == 20


@pytest.mark.case("G-14")
def test_a_fetch_that_outlives_its_process_keeps_the_lock(
    repository: GitRepository,
    settings: GitSettings,
    make: Make,
    over_https: dict[str, Any],
    https: GitHttps,
    authority: Authority,
    tmp_path: Path,
) -> None:
    """Another process never removes the traces of a writer that still runs; it waits, then carries on."""
    commit = repository.commit({f"{FOLDER}/{number}.yaml": Random(number).randbytes(500) for number in range(20)})
    https.faults.pause_pack = 0.05
    code = f"""
from pathlib import Path
from reconciler.adapters.source_git import GitSettings, GitSource
data, ca = Path({str(settings.data_dir)!r}), Path({str(authority.certificate)!r})
GitSource(GitSettings({over_https["url"]!r}, data, ca_file=ca)).poll()
"""
    process = Child([sys.executable, "-c", code], tmp_path / "log")
    try:
        fetch = wait_for_fetch(repository)
    finally:
        process.kill()
    assert running(fetch)
    patient, hasty = make(**over_https, timeouts=seconds(30, 30, 10)), make(**over_https, timeouts=seconds(5, 5, 10))
    with pytest.raises(Unavailable, match="another process"):
        hasty.poll()
    https.heal()
    assert patient.poll().id == commit
    assert not running(fetch)


@pytest.mark.case("G-15")
def test_a_byte_that_flips_on_disk_is_found_and_mended(repository: GitRepository, make: Make) -> None:
    """In packs, indexes, refs or configuration: what is read is right or not read at all, and soon all is there again."""
    files = {f"{FOLDER}/{number}.yaml": Random(number).randbytes(200) + ENTRY for number in range(40)}
    commit = repository.commit(files)
    source = make()
    random = Random(15)
    for _ in range(20):
        source.poll()
        victims = sorted(path for path in source.mirror_path.rglob("*") if path.is_file() and path.stat().st_size)
        victim = random.choice(victims)
        data = bytearray(victim.read_bytes())
        data[random.randrange(len(data))] ^= 0x55
        victim.chmod(0o600)
        victim.write_bytes(data)
        source.close()
        assert next(read for read in attempts(source, commit) if read is not None) == files, victim.name


def test_two_sources_may_share_a_mirror(repository: GitRepository, make: Make) -> None:
    """A second process that asks at the same time waits for its turn."""
    commit = repository.commit(FILES)
    sources = [make() for _ in range(4)]
    threads = [threading.Thread(target=source.poll) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {source.poll().id for source in sources} == {commit}


def test_another_url_has_another_mirror(git_root: Path, repository: GitRepository, make: Make) -> None:
    """What was fetched from one repository is never read as another's, and the old one goes."""
    repository.commit(FILES)
    make().poll()
    other = GitRepository.create(git_root / f"other-{repository.path.name}")
    commit = other.commit({f"{FOLDER}/b.yaml": ACCOUNT})
    source = make(url=f"file://{other.path}")
    assert source.poll().id == commit
    assert [path.name for path in source.mirror_path.parent.glob("*.git")] == [source.mirror_path.name]


def attempts(source: GitSource, commit: str) -> Iterator[dict[str, bytes] | None]:
    """Read everything, up to five times; None where that was not possible."""
    for _ in range(5):
        try:
            revision = source.poll()
            assert revision.id == commit
            yield {file.path: data for file, data in source.contents(source.files(revision))}
        except Unavailable:
            yield None


def caught(source: GitSource) -> list[Exception]:
    """What a poll raises."""
    try:
        source.poll()
    except ReconcilerError as error:
        return [error]
    return []


def command_lines() -> list[str]:
    """The arguments of every process that can be seen."""
    return [" ".join(command) for _, command in processes()]


def processes() -> Iterator[tuple[int, list[str]]]:
    """Process ids with their arguments."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield int(path.parent.name), path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue


def wait_for_fetch(repository: GitRepository) -> int:
    """The id of the process that fetches from a repository, once it runs."""
    found: list[int] = []

    def look() -> bool:
        found.extend(pid for pid, command in processes() if is_fetch(command) and repository.path.name in " ".join(command))
        return bool(found)

    assert becomes(look), "no fetch was started"
    return found[0]


def is_fetch(command: list[str]) -> bool:
    """Whether these arguments are those of a `git fetch`."""
    return command[0].endswith("git") and "fetch" in command[1:2]
