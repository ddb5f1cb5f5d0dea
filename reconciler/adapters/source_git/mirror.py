"""The bare mirror: a cache of the remote that is never checked out and can be thrown away at any moment.

One writer at a time, also among processes: the commands that write inherit the lock, so that one which outlived us still holds
it. Whoever has it therefore knows that every other trace of a writer (``*.lock``, half a pack) was left by a crash, and removes
it. Damage is not repaired: the store is discarded and fetched anew.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.adapters.source_git.answers import DamagedStore, failure, may_be_damage, said
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.commits import MAX_BYTES, Commit, parse_commit
from reconciler.adapters.source_git.credentials import Redactor, https_header
from reconciler.adapters.source_git.environment import Environment, Pairs
from reconciler.adapters.source_git.process import Bounds, Finished, Stop, run
from reconciler.adapters.source_git.refs import OBJECT_ID
from reconciler.adapters.source_git.settings import GitSettings
from reconciler.adapters.source_git.store import SCRATCH, StoreFolder, private_folder
from reconciler.adapters.source_git.url import Remote, Transport
from reconciler.errors import InvalidInput, Unavailable

log = logging.getLogger(__name__)

#: The one ref of a mirror. What it named before stays in the store, so that the way from there is known after a force push.
TIP = "refs/mesh-reconciler/tip"

#: Bytes of `ls-remote`: a hundred thousand tags fit.
_MAX_REFS = 16 * 1024 * 1024
_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-auto-gc",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--force",
    "--end-of-options",
)


class Mirror:
    """The store of one remote below the data folder, and the commands that may run on it."""

    def __init__(self, settings: GitSettings, remote: Remote) -> None:
        self._settings, self._remote = settings, remote
        self.folder = private_folder(settings.data_dir)
        self.scratch = private_folder(self.folder / SCRATCH)
        self._environment = Environment(private_folder(self.folder / "home"), self.scratch)
        self._store = StoreFolder(self.folder, self.folder / f"{hashlib.sha256(remote.url.encode()).hexdigest()[:16]}.git")
        self._redact = Redactor()

    @property
    def path(self) -> Path:
        """The bare store."""
        return self._store.path

    @property
    def git(self) -> Path:
        """The program, by its absolute path."""
        return self._environment.git

    def environment(self, more: Pairs = ()) -> dict[str, str]:
        """Return the environment for a question to the mirror, with more configuration."""
        return self._environment.local(self.path, more)

    def plain_environment(self) -> dict[str, str]:
        """Return the environment for a program other than Git."""
        return self._environment.plain()

    def bounds(self, output: int = 1024 * 1024) -> Bounds:
        """Return what a question to the mirror may take."""
        limits = self._settings.limits
        return Bounds(self._settings.timeouts.local.total_seconds(), output, limits.memory_bytes, limits.store_bytes)

    def ask(self, *arguments: str, output: int = 1024 * 1024) -> Finished:
        """Run a Git command that only reads the mirror."""
        return run((self.git, *arguments), self.environment(), self.folder, self.bounds(output))

    def has(self, commit: str) -> bool:
        """Say whether the mirror holds a commit (a full id)."""
        return self.ask("cat-file", "-e", f"{commit}^{{commit}}").ok

    def tip(self) -> str:
        """Return the id that was fetched last, empty where there is none."""
        if not self._store.complete:
            return ""
        found = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", TIP).output.decode(errors="replace").strip()
        return found if OBJECT_ID.fullmatch(found) else ""

    def commit(self) -> tuple[str, Commit]:
        """Return id and content of the commit that the tip leads to. Raises InvalidInput (it is none), DamagedStore."""
        kind = self.ask("cat-file", "-t", TIP)
        if not kind.ok:
            raise DamagedStore(f"what was fetched cannot be read: {said(kind.errors)}")
        peeled = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{TIP}^{{commit}}")
        commit = peeled.output.decode(errors="replace").strip()
        if kind.output.strip() not in (b"commit", b"tag") or not peeled.ok or not OBJECT_ID.fullmatch(commit):
            raise InvalidInput("the ref names a file or a folder, not a commit: follow another one", code=Code.NO_COMMIT)
        content = self.ask("cat-file", "commit", commit, output=MAX_BYTES)
        if not content.ok and content.stopped is not Stop.OUTPUT:
            raise DamagedStore(f"commit {commit[:10]} cannot be read: {said(content.errors)}")
        return commit, parse_commit(content.output)

    def advertised(self, patterns: Sequence[str]) -> dict[str, str]:
        """Ask the server which refs it has: full name -> object id. Raises InvalidInput, Unavailable."""
        options = [pattern for pattern in patterns if pattern.startswith("--")]
        names = [pattern for pattern in patterns if not pattern.startswith("--")]
        command: list[str | Path] = [self.git, "ls-remote", "--quiet", *options, "--end-of-options", self._remote.url, *names]
        bounds = Bounds(self._settings.timeouts.exchange.total_seconds(), output=_MAX_REFS)
        finished = run(command, self._network(), self.folder, bounds)
        if not finished.ok:
            raise failure("asking the repository", finished, self._redact(finished.errors))
        lines = (line.split("\t", 1) for line in finished.output.decode(errors="replace").splitlines())
        return {line[1]: line[0] for line in lines if len(line) == 2 and OBJECT_ID.fullmatch(line[0])}

    @contextmanager
    def writing(self) -> Iterator["Writer"]:
        """Be the one writer. Raises Unavailable when another process stays it for longer than an exchange may take."""
        with self._store.exclusive(self._settings.timeouts.exchange.total_seconds()) as lock:
            yield Writer(self, self._store, self._settings, lock)

    def fetch_command(self, source: str) -> tuple[tuple[str | Path, ...], dict[str, str]]:
        """Return command and environment that fetch a full ref name or a commit id into the tip."""
        return (self.git, *_FETCH, self._remote.url, f"+{source}:{TIP}"), self._network()

    def refusal(self, finished: Finished) -> InvalidInput | Unavailable:
        """Return what a fetch that failed means."""
        return failure("fetching from the repository", finished, self._redact(finished.errors))

    def _network(self) -> dict[str, str]:
        header = https_header(self._settings.credentials, self._redact) if self._remote.transport is Transport.HTTPS else ""
        return self._environment.network(self.path, self._remote, self._settings, header)


class Writer:
    """What only the one writer may do to the store."""

    def __init__(self, mirror: Mirror, store: StoreFolder, settings: GitSettings, lock: int) -> None:
        self._mirror, self._store, self._settings, self._lock = mirror, store, settings, lock
        limits = settings.limits
        self._bounds = Bounds(settings.timeouts.fetch.total_seconds(), memory=limits.memory_bytes, file=limits.store_bytes)

    def fetch(self, source: str) -> None:
        """Fetch a full ref name or a commit id into the tip. Raises InvalidInput, DamagedStore, Unavailable."""
        self._store.sweep()
        if not self._store.complete:
            self._make()
        before = self._store.bytes()
        command, environment = self._mirror.fetch_command(source)
        finished = run(command, environment, self._mirror.folder, self._bounds, keep=(self._lock,), watch=self._fits)
        if not finished.ok:
            self._store.sweep()
            raise self._refusal(finished, before)

    def _refusal(self, finished: Finished, before: int) -> InvalidInput | Unavailable:
        """Say what a failed fetch means. Over the cap, the store is thrown away too where it is its past that weighs."""
        error = self._mirror.refusal(finished)
        if finished.stopped is Stop.WATCH or (isinstance(error, InvalidInput) and error.problems[0].code == Code.STORE_CAP):
            if before > self._settings.limits.store_bytes // 2:
                self.discard("it has grown to its cap")
            return InvalidInput(
                f"the repository is larger than the mirror may be ({self._settings.limits.store_bytes} bytes): "
                "raise git.max_store_bytes, or take large files out of its history",
                code=Code.STORE_CAP,
            )
        if before and isinstance(error, Unavailable) and may_be_damage(finished) and not self._sound():
            return DamagedStore(str(error))
        return error

    def _sound(self) -> bool:
        """Read every object of the store once. Takes its time, but only after a failure that nothing else explains."""
        command = (self._mirror.git, "fsck", "--full", "--no-dangling", "--no-progress")
        return run(command, self._mirror.environment(), self._mirror.folder, self._bounds).ok

    def pack(self) -> None:
        """Put many packs together, with what no ref reaches any more. Failing costs nothing but time."""
        if self._store.packs <= self._settings.limits.packs:
            return
        command = (self._mirror.git, "repack", "-a", "-d", "--keep-unreachable", "--quiet")
        finished = run(command, self._mirror.environment(), self._mirror.folder, self._bounds, keep=(self._lock,))
        if not finished.ok:
            self._store.sweep()
            log.warning("packing the mirror: %s", finished.stopped or said(finished.errors))

    def discard(self, why: str) -> None:
        """Throw the store away; the next fetch makes a new one."""
        log.warning("the mirror is discarded and will be fetched anew: %s", why)
        self._store.remove()

    def _make(self) -> None:
        self._store.remove()
        finished = self._mirror.ask("init", "--bare", "--quiet", "--template=")
        if not finished.ok:
            raise Unavailable(f"the mirror cannot be made: {said(finished.errors)}")

    def _fits(self) -> bool:
        return self._store.bytes() <= self._settings.limits.store_bytes
