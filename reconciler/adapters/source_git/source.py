"""`GitSource`: a repository behind the port."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from reconciler.adapters.source_git.answers import DamagedStore, LostCommit
from reconciler.adapters.source_git.blobs import read_blobs
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.commits import Commit
from reconciler.adapters.source_git.listing import CommitLister
from reconciler.adapters.source_git.mirror import Mirror
from reconciler.adapters.source_git.refs import OBJECT_ID, Advertised, Pinned
from reconciler.adapters.source_git.settings import GitSettings, SignaturePolicy
from reconciler.adapters.source_git.signatures import Verdict, verify
from reconciler.adapters.source_git.target import parse_target
from reconciler.adapters.source_git.writer import Writer, writing
from reconciler.adapters.tree.entries import Entry, Read
from reconciler.adapters.tree.listing import Lister, Listing
from reconciler.adapters.tree.overlays import Rendering
from reconciler.adapters.tree.rendering import Kustomize
from reconciler.core.resources import Relation, Revision, Signature
from reconciler.errors import InvalidInput, Unavailable
from reconciler.ports import TreeFile

T = TypeVar("T")

#: Refusals that the same content would meet again, so that it is not fetched a second time.
_LASTING = frozenset({Code.MALFORMED, Code.STORE_CAP})
_SIGNATURES = {
    Signature.MISSING: "is not signed",
    Signature.BAD: "has a signature that does not fit it, or more than one",
    Signature.UNKNOWN_KEY: "is signed by a key that is not accepted",
    Signature.EXPIRED: "is signed by a key that has expired",
    Signature.REVOKED: "is signed by a key that was revoked",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What was fetched last: the id that the server advertises for it, the commit behind that, and what the commit says."""

    object: str
    id: str
    commit: Commit


class GitSource:
    """A Git repository at one ref and one folder, read through a bare mirror in the data folder. Safe in any thread.

    An unchanged remote costs one `ls-remote` per poll (a pinned commit: nothing). Retries are the caller's: every error says by
    its class whether trying again makes sense.
    """

    def __init__(self, settings: GitSettings) -> None:
        """Check everything that can be checked without asking anybody. Raises InvalidInput with all that is wrong."""
        self._settings = settings
        target = parse_target(settings)
        self._ref = target.ref
        self._mirror = Mirror(settings, target.remote)
        self._kustomize = _kustomize(settings, self._mirror, self._read)
        lister = Lister(target.folder, settings.limits, self._read, self._kustomize)
        self._lister = CommitLister(self._mirror, settings.limits, lister)
        self._lock = threading.RLock()
        self._known: _Known | None = None
        self._verdict: tuple[object, Verdict] | None = None
        self._refused: tuple[str, InvalidInput] | None = None
        self._listing: tuple[str, Listing] = ("", Listing(()))
        self._renderings: dict[str, Rendering] = {}
        self._damaged = False

    @property
    def mirror_path(self) -> Path:
        """Where the mirror is; a cache that may be removed while nobody reads it."""
        return self._mirror.path

    def poll(self) -> Revision:
        with self._lock:
            wanted = self._wanted()
            if self._known is None or self._known.object != wanted.object or self._damaged:
                self._known = self._fetched(wanted)
            return self._revision(self._known)

    def files(self, revision: Revision) -> tuple[TreeFile, ...]:
        if not OBJECT_ID.fullmatch(revision.id):
            raise Unavailable(f"{revision.id[:50]!a} is no commit of this repository")
        with self._lock:
            if self._listing[0] != revision.id:
                listing = self._watched(lambda: self._lister.listing(revision.id))
                self._renderings = {**self._listing[1].renderings, **listing.renderings}
                self._listing = (revision.id, listing)
            return self._listing[1].files

    def contents(self, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """Yield the bytes of files. Raises InvalidInput where kustomize refuses a folder, DamagedStore, Unavailable."""
        wanted = tuple(files)
        rendered = self._watched(lambda: self._render([file for file in wanted if file.rendered]))
        with closing(read_blobs(self._mirror, [(file.id, file.size) for file in wanted if not file.rendered])) as blobs:
            for file in wanted:
                yield file, rendered[file.id] if file.rendered else self._watched(lambda: next(blobs))

    def relation(self, earlier: str, later: str) -> Relation:
        if earlier == later:
            return Relation.SAME
        if not OBJECT_ID.fullmatch(earlier) or not OBJECT_ID.fullmatch(later):
            return Relation.UNKNOWN
        return self._watched(lambda: self._mirror.relation(earlier, later))

    def close(self) -> None:
        """Forget what was read; no process outlives the call that started it, and the mirror stays for the next time."""
        with self._lock:
            self._known, self._listing = None, ("", Listing(()))
            self._renderings.clear()

    def _wanted(self) -> Advertised:
        """Ask the server. Raises Unavailable where it has no such ref: an empty repository or a lost branch decides nothing."""
        if isinstance(self._ref, Pinned):
            return Advertised(self._ref.commit, self._ref.commit, self._ref.commit)
        found = self._ref.choose(self._mirror.advertised(self._ref.patterns))
        if found is None:
            raise Unavailable(f"the repository has no {self._ref}")
        return found

    def _fetched(self, wanted: Advertised) -> _Known:
        """Fetch what is wanted, unless it is there. A store that turns out to be damaged is made anew, once."""
        if self._refused and self._refused[0] == wanted.object:
            raise InvalidInput(self._refused[1].problems)
        with writing(self._mirror, self._settings) as writer:
            if self._damaged:
                writer.discard("it is damaged")
                self._damaged = False
            try:
                known = self._current(writer, wanted)
            except DamagedStore as error:
                writer.discard(str(error))
                known = self._current(writer, wanted)
            writer.pack()
            return known

    def _current(self, writer: Writer, wanted: Advertised) -> _Known:
        if self._mirror.tip() != wanted.object:
            try:
                writer.fetch(wanted.name)
            except InvalidInput as error:
                if error.problems[0].code in _LASTING:
                    self._refused = (wanted.object, error)
                raise
        # The ref may have moved on since it was asked for: what was fetched counts.
        return _Known(self._mirror.tip(), *self._mirror.commit())

    def _revision(self, known: _Known) -> Revision:
        """Return what is known of the commit, with the verdict on its signature. Raises InvalidInput where that is enforced."""
        verdict = self._judged(known)
        commit = known.commit
        if self._settings.signatures.policy is SignaturePolicy.ENFORCE and verdict.signature is not Signature.GOOD:
            message = (
                f"commit {known.id[:10]} {_SIGNATURES[verdict.signature]}: it is not taken, what was accepted before stays"
            )
            raise InvalidInput(message, code=Code.SIGNATURE)
        moving = self._ref.moving
        return Revision(known.id, commit.author, commit.time, commit.subject, verdict.signature, verdict.signer, moving)

    def _judged(self, known: _Known) -> Verdict:
        """Judge a signature once; again after the keys were changed, and while it is not good."""
        rules = self._settings.signatures
        if rules.policy is SignaturePolicy.OFF:
            return Verdict(Signature.UNCHECKED)
        case = (known.id, rules.fingerprint())
        if self._verdict is None or self._verdict[0] != case or self._verdict[1].signature is not Signature.GOOD:
            self._verdict = (case, verify(self._mirror, known.id, known.commit.signatures, rules))
        return self._verdict[1]

    def _render(self, files: list[TreeFile]) -> dict[str, bytes]:
        renderings = [self._renderings.get(file.id) for file in files]
        known = [rendering for rendering in renderings if rendering is not None]
        if not files:
            return {}
        if self._kustomize is None or len(known) < len(files):
            raise Unavailable("a kustomize folder is asked for that was not listed: list the commit again")
        return dict(zip((file.id for file in files), self._kustomize.render(known), strict=True))

    def _read(self, entries: Sequence[Entry]) -> list[bytes]:
        return list(read_blobs(self._mirror, [(entry.id, entry.size) for entry in entries]))

    def _watched(self, read: Callable[[], T]) -> T:
        """Read, and remember damage for the next poll, which makes the store anew."""
        try:
            return read()
        except DamagedStore:
            self._damaged = True
            raise
        except LostCommit:
            self._damaged |= self._known is not None and not self._mirror_holds(self._known.id)
            raise

    def _mirror_holds(self, commit: str) -> bool:
        with suppress(DamagedStore):
            return self._mirror.has(commit)
        return False


def _kustomize(settings: GitSettings, mirror: Mirror, read: Read) -> Kustomize | None:
    """Return what renders folders, None where there is no kubectl."""
    if settings.kubectl is None:
        return None
    return Kustomize(settings.kubectl, read, mirror.scratch, settings.limits, settings.timeouts.render.total_seconds())
