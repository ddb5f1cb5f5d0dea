"""The whole environment of Git's processes. Nothing is inherited, and no configuration file is read.

Git takes configuration from the environment too (GIT_CONFIG_COUNT), above what any file says; so there is no file to quote
values into, and what a repository's own `config` might hold is overruled.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.adapters.source_git.settings import GitSettings
from reconciler.adapters.source_git.url import Remote, Transport
from reconciler.adapters.tree.process import program

Pairs = Iterable[tuple[str, str]]

#: Bytes a second below which a transfer counts as stalled.
SLOWEST = 1000

#: Why each is here: a hook, a helper, a pager or a monitor is a program that somebody else names; fsck refuses trees that
#: would climb out of a checkout; a fetched pack stays a pack, so that a store is a few files; objects beyond the threshold
#: are streamed, not held in memory; upkeep happens when we say.
_HARDENED: tuple[tuple[str, str], ...] = (
    ("core.askPass", "/bin/false"),
    ("core.attributesFile", "/dev/null"),
    ("core.bigFileThreshold", "16m"),
    ("core.deltaBaseCacheLimit", "32m"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.logAllRefUpdates", "false"),
    ("core.pager", "cat"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("core.symlinks", "false"),
    ("credential.helper", ""),
    ("fetch.fsckObjects", "true"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.unpackLimit", "1"),
    ("gc.auto", "0"),
    # Trees as old tools wrote them, harmless and in the history of many an old repository.
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    ("http.delegation", "none"),
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", str(SLOWEST)),
    ("http.saveCookies", "false"),
    ("http.sslVerify", "true"),
    ("http.sslVersion", "tlsv1.2"),
    ("init.defaultBranch", "main"),
    ("log.mailmap", "false"),
    ("maintenance.auto", "false"),
    ("protocol.allow", "never"),
    ("protocol.version", "2"),
    ("safe.bareRepository", "explicit"),
    ("submodule.recurse", "false"),
    ("transfer.bundleURI", "false"),
    ("transfer.credentialsInUrl", "die"),
    ("transfer.fsckObjects", "true"),
    ("transfer.unpackLimit", "1"),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Builds environments for one mirror. `home` stays empty: no .netrc, no .gitconfig, no keys are found in it."""

    home: Path
    scratch: Path
    git: Path = field(default_factory=lambda: program("git"))

    def plain(self) -> dict[str, str]:
        """Return what every process gets: no secret, no proxy, nothing of the user's."""
        return {
            "PATH": os.pathsep.join(dict.fromkeys((str(self.git.parent), "/usr/bin", "/bin"))),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "TZ": "UTC",
            "LANGUAGE": "C",
            "LC_ALL": "C",
        }

    def local(self, mirror: Path, more: Pairs = ()) -> dict[str, str]:
        """Return what a question to the mirror gets: no protocol is allowed."""
        pairs = (*_HARDENED, ("safe.directory", str(mirror)), *more)
        configured = {"GIT_CONFIG_COUNT": str(len(pairs))}
        for number, (name, value) in enumerate(pairs):
            configured |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return {
            **self.plain(),
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_ASKPASS": "/bin/false",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_DIR": str(mirror),
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "SSH_ASKPASS_REQUIRE": "never",
            **configured,
        }

    def network(self, mirror: Path, remote: Remote, settings: GitSettings, header: str) -> dict[str, str]:
        """Return what an exchange with the server gets: its one protocol, and the credentials for its one origin."""
        protocol = remote.transport.value
        pairs = [
            (f"protocol.{protocol}.allow", "always"),
            ("http.lowSpeedTime", str(max(1, round(settings.timeouts.stall.total_seconds())))),
        ]
        if settings.ca_file:
            # The empty folder takes the place of the system's authorities, which would count beside ours otherwise.
            pairs += [("http.sslCAInfo", str(settings.ca_file.absolute())), ("http.sslCAPath", str(self.home))]
        if header:
            pairs.append((f"http.{remote.origin}/.extraHeader", header))
        environment = {**self.local(mirror, pairs), "GIT_ALLOW_PROTOCOL": protocol}
        if remote.transport is Transport.SSH:
            environment |= {"GIT_SSH": str(self._ssh(settings)), "GIT_SSH_VARIANT": "ssh"}
        return environment

    def _ssh(self, settings: GitSettings) -> Path:
        """Write the program that Git starts for ssh. GIT_SSH takes no arguments, and GIT_SSH_COMMAND would need a shell."""
        path = self.home.with_name("ssh")
        command = [str(program("ssh")), *ssh_options(settings)]
        text = f"#!{sys.executable} -IS\nimport os, sys\nos.execv({command[0]!a}, {command!a} + sys.argv[1:])\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            partial = path.with_name(f"ssh.{os.getpid()}")
            partial.write_text(text, encoding="utf-8")
            partial.chmod(0o700)
            partial.replace(path)
        return path


def ssh_options(settings: GitSettings) -> tuple[str, ...]:
    """Return ssh's options: no configuration file, no agent, no forwarding, no prompt, and only the host keys we were given."""
    credentials = settings.credentials
    stall = max(1, round(settings.timeouts.stall.total_seconds()))
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": _quoted(credentials.known_hosts_file),
        "GlobalKnownHostsFile": "/dev/null",
        "VerifyHostKeyDNS": "no",
        "UpdateHostKeys": "no",
        "IdentityFile": _quoted(credentials.ssh_key_file),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "PermitLocalCommand": "no",
        "ProxyCommand": "none",
        "ControlMaster": "no",
        "ControlPath": "none",
        "ConnectTimeout": str(stall),
        "ServerAliveInterval": str(max(1, stall // 3)),
        "ServerAliveCountMax": "3",
        "LogLevel": "ERROR",
    }
    return ("-F", "/dev/null", "-T", *(part for name, value in options.items() for part in ("-o", f"{name}={value}")))


def _quoted(path: Path | None) -> str:
    """Return a path as ssh reads it: in quotes, and `%` is the start of a token there."""
    return "none" if path is None else '"' + str(path.absolute()).replace("%", "%%") + '"'
