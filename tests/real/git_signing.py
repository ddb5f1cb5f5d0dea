"""Keys that sign commits, made for the tests: GPG's and ssh-keygen's, also expired and revoked ones."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from tests.real.git_repository import clean_environment
from tests.real.git_ssh import new_ssh_key
from tests.real.missing import PartMissing


@dataclass(frozen=True, slots=True)
class Signer:
    """A key: `environment` makes Git sign with it, `public` is its public key."""

    environment: dict[str, str]
    public: Path


class GpgHome:
    """A gpg home of the author's, until `close`; its path is short because gpg-agent's socket is in it."""

    def __init__(self) -> None:
        gpg, conf = shutil.which("gpg"), shutil.which("gpgconf")
        if gpg is None or conf is None:
            raise PartMissing("gpg: GnuPG with its agent is not installed")
        self.gpg, self._conf = gpg, conf
        self.path = Path(mkdtemp(prefix="gpg-"))

    def key(self, name: str, *, expires: str = "0", when: str = "") -> Signer:
        """Make a key without a passphrase, valid for a time such as 1d, as if at `when` (seconds since 1970)."""
        clock = ["--faked-system-time", f"{when}!"] if when else []
        self._run(*clock, "--quick-gen-key", f"{name} <{name}@example.com>", "ed25519", "sign", expires)
        public = self.path / f"{name}.asc"
        public.write_bytes(self._run("--armor", "--export", f"{name}@example.com"))
        program = self.path / f"sign-{name}"
        program.write_text(f'#!/bin/sh\nexec {self.gpg} {" ".join(clock)} "$@"\n', encoding="utf-8")
        program.chmod(0o700)
        pairs = {"user.signingKey": f"{name}@example.com", "gpg.program": str(program), "gpg.format": "openpgp"}
        return Signer({"GNUPGHOME": str(self.path), **_configured(pairs)}, public)

    def revoke(self, name: str) -> Path:
        """Revoke a key, with the certificate that gpg made beside it; its public key as it is now."""
        listed = self._run("--with-colons", "--fingerprint", f"{name}@example.com").decode()
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
        text = (self.path / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text(encoding="utf-8")
        certificate = self.path / "revocation"
        certificate.write_text(text.replace(":-----BEGIN", "-----BEGIN"), encoding="utf-8")
        self._run("--import", str(certificate))
        public = self.path / f"{name}-revoked.asc"
        public.write_bytes(self._run("--armor", "--export", f"{name}@example.com"))
        return public

    def close(self) -> None:
        """End the agent and remove the keys."""
        subprocess.run([self._conf, "--kill", "all"], env=self._environment(), capture_output=True, timeout=30, check=False)
        shutil.rmtree(self.path, ignore_errors=True)

    def _run(self, *arguments: str) -> bytes:
        command = [self.gpg, "--batch", "--yes", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", *arguments]
        done = subprocess.run(command, env=self._environment(), capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return {**clean_environment(self.path), "GNUPGHOME": str(self.path)}


def ssh_signer(folder: Path, name: str) -> Signer:
    """Make an SSH key that signs."""
    new_ssh_key(folder / name)
    pairs = {"gpg.format": "ssh", "user.signingKey": str(folder / name)}
    return Signer(_configured(pairs), folder / f"{name}.pub")


def _configured(pairs: dict[str, str]) -> dict[str, str]:
    numbered = enumerate(pairs.items())
    keys = {f"GIT_CONFIG_{what}_{at}": text for at, pair in numbered for what, text in zip(("KEY", "VALUE"), pair, strict=True)}
    return {"GIT_CONFIG_COUNT": str(len(pairs)), **keys}
