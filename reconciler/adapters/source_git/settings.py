"""What the operator says about a repository. Paths are the operator's; nothing here comes out of Git."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.errors import Problem


@dataclass(frozen=True, slots=True)
class Credentials:
    """How we show who we are. Secrets are named, never given; files are read anew for each exchange, so they may rotate.

    For https one of: `token_file` (a token or password, sent with `username`), `login_file` (``user:password``),
    `token_variable` (the name of an environment variable that holds a token). For ssh: a private key without a passphrase,
    and the host keys that are trusted; an unknown host is refused.
    """

    username: str = "git"
    token_file: Path | None = None
    login_file: Path | None = None
    token_variable: str = ""
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None

    def ssh_problems(self) -> Iterator[Problem]:
        """Say what ssh lacks, which would otherwise look for it in the home of the user."""
        for file, what in (
            (self.ssh_key_file, "a private key (git.ssh_key_file)"),
            (self.known_hosts_file, "the server's host keys (git.known_hosts_file)"),
        ):
            if file is None or not file.is_file():
                yield Problem(Code.CREDENTIALS, f"ssh needs {what}: name a file that exists")


@dataclass(frozen=True, slots=True)
class Limits(TreeLimits):
    """Caps that one commit, and the mirror, must keep. Sizes are in bytes."""

    store_bytes: int = 4 * 1024**3
    """The mirror on disk; a fetch that would exceed it is killed."""
    packs: int = 50
    """Packs of the mirror, one per fetch, before they are put together."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each kind of work may take as a whole."""

    exchange: timedelta = timedelta(seconds=60)
    """Asking the server what a ref names."""
    fetch: timedelta = timedelta(minutes=10)
    """Fetching; the first time that is the whole history of the ref."""
    stall: timedelta = timedelta(seconds=30)
    """How long the server may send next to nothing (below 1000 bytes a second)."""
    local: timedelta = timedelta(seconds=60)
    """A question to the mirror."""
    render: timedelta = timedelta(seconds=60)
    """kustomize, for one folder."""


class SignaturePolicy(StrEnum):
    """What a commit's signature decides: nothing, a remark in the revision, or whether the commit is taken at all."""

    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who may sign: files of GPG public keys (armoured or binary), and SSH keys in ssh-keygen's allowed signers format."""

    policy: SignaturePolicy = SignaturePolicy.OFF
    gpg_key_files: tuple[Path, ...] = ()
    allowed_signers_file: Path | None = None

    def fingerprint(self) -> tuple[tuple[int, int, int], ...]:
        """Return a value that changes when one of the files does."""
        files = (*self.gpg_key_files, *([self.allowed_signers_file] if self.allowed_signers_file else []))
        found = [file.stat() if file.exists() else None for file in files]
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) if one else (0, 0, 0) for one in found)


@dataclass(frozen=True, slots=True)
class GitSettings:
    """One repository at one ref and one folder.

    `url` is https, ssh (``ssh://user@host/path`` or ``user@host:path``) or, with `allow_local`, ``file://`` or a path.
    `ref` is ``main`` or ``branch:main``, ``tag:v1.2.3``, ``semver:>=1.2 <2``, ``commit:<40 hexadecimal digits>``.
    `folder` is relative to the repository, empty for all of it. `data_dir` is ours alone: made with mode 0700, refused if
    others may enter it. `kubectl` renders kustomize folders; without it they are refused.
    """

    url: str
    data_dir: Path
    ref: str = "main"
    folder: str = ""
    credentials: Credentials = Credentials()
    ca_file: Path | None = None
    allow_local: bool = False
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    signatures: Signatures = Signatures()
    kubectl: Path | None = None
