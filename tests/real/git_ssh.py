"""A real Git server over ssh: OpenSSH's sshd on a high loopback port, with keys of its own, for the user who runs the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.real.missing import PartMissing
from tests.real.processes import Child, free_ports, wait_until


@dataclass(frozen=True, slots=True)
class GitSsh:
    """A running sshd: `prefix` + absolute path is the URL of a repository; `key` may log in, `stranger` may not."""

    child: Child
    prefix: str
    key: Path
    stranger: Path
    known_hosts: Path

    @classmethod
    def start(cls, folder: Path) -> GitSsh:
        """Start one. Raises PartMissing where sshd or ssh-keygen is not installed."""
        sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if sshd is None or shutil.which("ssh-keygen") is None or shutil.which("ssh") is None:
            raise PartMissing("sshd: OpenSSH's server and client are not both installed")
        folder.mkdir(parents=True)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists on it as root
        for name in ("host", "key", "stranger"):
            new_ssh_key(folder / name)
        shutil.copy(folder / "key.pub", folder / "authorized")
        port, user = free_ports(1)[0], pwd.getpwuid(os.geteuid()).pw_name
        (folder / "sshd_config").write_text(_config(folder, user), encoding="utf-8")
        command: list[str | Path] = [
            sshd,
            "-D",
            "-e",
            "-f",
            folder / "sshd_config",
            "-p",
            str(port),
            "-o",
            "ListenAddress=127.0.0.1",
        ]
        child = Child(command, folder / "log")
        wait_until("sshd", lambda: _listens(port), child)
        host_key = (folder / "host.pub").read_text(encoding="utf-8")
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}", encoding="utf-8")
        prefix = f"ssh://{user}@127.0.0.1:{port}"
        return cls(child, prefix, folder / "key", folder / "stranger", folder / "known_hosts")

    def stop(self) -> None:
        """End it."""
        self.child.stop()


def new_ssh_key(path: Path) -> None:
    """Make a key pair `path`, `path`.pub."""
    subprocess.run(
        [shutil.which("ssh-keygen") or "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", path],
        check=True,
        timeout=30,
    )


def _config(folder: Path, user: str) -> str:
    return f"""
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
AllowUsers {user}
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AcceptEnv GIT_PROTOCOL
LogLevel ERROR
"""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
