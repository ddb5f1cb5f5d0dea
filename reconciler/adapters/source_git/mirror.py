"""The bare mirror: a cache of the remote that is never checked out and can be thrown away at any moment.

Everything here only asks, the server or the store, and may run at any time; `writer` holds what changes the store.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from reconciler.adapters.source_git.answers import DamagedStore, LostCommit, failure, said
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.commits import MAX_BYTES, Commit, parse_commit
from reconciler.adapters.source_git.credentials import Redactor, https_header
from reconciler.adapters.source_git.environment import Environment, Pairs
from reconciler.adapters.source_git.refs import OBJECT_ID
from reconciler.adapters.source_git.settings import GitSettings
from reconciler.adapters.source_git.store import SCRATCH, StoreFolder, private_folder
from reconciler.adapters.source_git.url import Remote, Transport
from reconciler.adapters.tree.process import Bounds, Finished, Stop, run
from reconciler.core.resources import Relation
from reconciler.errors import InvalidInput, Unavailable

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
        self.store = StoreFolder(self.folder, self.folder / f"{hashlib.sha256(remote.url.encode()).hexdigest()[:16]}.git")
        self._redact = Redactor()

    @property
    def path(self) -> Path:
        """The bare store."""
        return self.store.path

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
        """Say whether the mirror holds an object (a full id). Raises DamagedStore where that cannot be told."""
        found = self.ask("cat-file", "-e", commit)
        if found.status not in (0, 1):
            raise DamagedStore(f"whether {commit[:10]} is there cannot be told: the mirror is damaged and is fetched anew")
        return found.ok

    def relation(self, earlier: str, later: str) -> Relation:
        """Return how two different commits (full ids) relate by the graph. Raises LostCommit, DamagedStore."""
        if not self.has(earlier):
            return Relation.UNKNOWN
        if not self.has(later):
            raise LostCommit(f"commit {later[:10]} is not in the mirror any more")
        answer = self.ask("merge-base", "--is-ancestor", earlier, later)
        match answer.status:
            case 0:
                return Relation.DESCENDANT
            case 1:
                return Relation.DIVERGED
            case _:
                raise DamagedStore(f"how {later[:10]} relates to {earlier[:10]} cannot be told: {said(answer.errors)}")

    def tip(self) -> str:
        """Return the id that was fetched last, empty where there is none."""
        if not self.store.complete:
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
        # Without the mirror: this question needs no repository, and a damaged one must not stand in its way.
        environment = self._network() | {"GIT_DIR": str(self.folder / "none")}
        finished = run(command, environment, self.folder, bounds)
        if not finished.ok:
            raise failure("asking the repository", finished, self._redact(finished.errors))
        lines = [line.split("\t", 1) for line in finished.output.decode(errors="replace").splitlines()]
        if any(len(line[0]) == 64 for line in lines):
            raise InvalidInput("the repository uses SHA-256 object ids, which are not supported", code=Code.OBJECT_FORMAT)
        return {line[1]: line[0] for line in lines if len(line) == 2 and OBJECT_ID.fullmatch(line[0])}

    def fetch_command(self, source: str) -> tuple[tuple[str | Path, ...], dict[str, str]]:
        """Return command and environment that fetch a full ref name or a commit id into the tip."""
        return (self.git, *_FETCH, self._remote.url, f"+{source}:{TIP}"), self._network()

    def refusal(self, finished: Finished) -> InvalidInput | Unavailable:
        """Return what a fetch that failed means."""
        return failure("fetching from the repository", finished, self._redact(finished.errors))

    def _network(self) -> dict[str, str]:
        header = https_header(self._settings.credentials, self._redact) if self._remote.transport is Transport.HTTPS else ""
        return self._environment.network(self.path, self._remote, self._settings, header)
