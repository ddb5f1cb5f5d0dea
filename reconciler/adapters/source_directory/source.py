"""`DirectorySource`: a folder behind the port, with kustomize folders rendered as from Git."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reconciler.adapters.source_directory.scan import Scan, blob_id, find, read
from reconciler.adapters.tree.entries import Entry
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.core.resources import Relation, Revision
from reconciler.core.trees import is_kustomization
from reconciler.errors import InvalidInput, SetupCode, Unavailable
from reconciler.ports import Clock, TreeFile

if TYPE_CHECKING:
    from reconciler.adapters.tree.listing import Listing
    from reconciler.adapters.tree.rendering import Kustomize

#: Longer than the tick of any file system's clock (2 s on FAT).
_REST_NS = 2_500_000_000


class Memory(Protocol):
    """Keeps small named values between runs, and may forget them at any time."""

    def recall(self, name: str) -> bytes | None: ...

    def remember(self, name: str, value: bytes) -> None: ...


@dataclass(slots=True)
class DirectorySource:
    """The manifest files below a folder of a working copy `root` (which may be any folder). Paths are relative to `root`.

    Kustomizations may refer to all of `root`; without `kubectl` they are refused. The revision's id is a digest of all that is
    read: equal ids mean equal manifests.
    """

    root: Path
    clock: Clock
    memory: Memory | None = None
    folder: str = ""
    limits: TreeLimits = field(default_factory=TreeLimits)
    kubectl: Path | None = None
    _scan: Scan | None = field(default=None, init=False)
    _listing: "Listing | None" = field(default=None, init=False)
    _kustomize: "Kustomize | None" = field(default=None, init=False)
    _scratch: ExitStack = field(default_factory=ExitStack, init=False)

    def poll(self) -> Revision:
        """Look at the folder. Raises InvalidInput for one that is none, and for kustomizations as `files` does; Unavailable."""
        at = int(self.clock.now().timestamp() * 1e9)
        scan, place = Scan(self.limits, self._index()), self.root / self.folder
        try:
            scan.folder(str(place), f"{self.folder}/" if self.folder else "")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InvalidInput(f"{error.filename} is not a folder: name one with manifests", code=SetupCode.FOLDER) from error
        except OSError as error:
            raise Unavailable(f"{error.filename or place} cannot be read: {error.strerror}") from error
        if scan.problems:
            raise InvalidInput(scan.problems)
        self._scan, self._listing = scan, None
        if self.memory and scan.hashed:
            self.memory.remember(self._index_name, json.dumps({"at": at, "files": scan.seen}).encode())
        # What is rendered is made of files elsewhere too; otherwise judging can wait until somebody asks for the files.
        more = [file.id for file in self._listed(scan).files if file.rendered] if any(map(is_kustomization, scan.seen)) else []
        return Revision(scan.digest(more), subject=f"files of {place}", moving=False)

    def files(self, revision: Revision) -> tuple[TreeFile, ...]:  # noqa: ARG002 - the port asks for it
        """Return what the last look saw; a folder has no other revision."""
        return self._listed(self._scan).files if self._scan else ()

    def contents(self, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """Yield the bytes of files. Raises InvalidInput where kustomize refuses a folder, Unavailable for what has changed."""
        wanted = tuple(files)
        rendered = self._render([file.id for file in wanted if file.rendered])
        for file in wanted:
            yield file, rendered[file.id] if file.rendered else self._content(file.path, file.id)

    def relation(self, earlier: str, later: str) -> Relation:
        return Relation.SAME if earlier == later else Relation.UNKNOWN

    def close(self) -> None:
        self._scan = self._listing = None
        self._scratch.close()

    def _listed(self, scan: Scan) -> "Listing":
        """Judge what a look has found. Imported here: an unchanged folder needs none of it."""
        from reconciler.adapters.tree.listing import Lister

        if self._listing is None:
            kustomize = self._renderer() if any(map(is_kustomization, scan.seen)) else None
            lister = Lister(self.folder, self.limits, self._read, kustomize)
            self._listing = lister.listing(scan.entries(), lambda: partial(find, self.root, limits=self.limits))
        if not self._listing.files:
            folder = self.root / self.folder
            raise InvalidInput(f"{folder} holds no manifests: name the folder that does", code=SetupCode.FOLDER)
        return self._listing

    def _renderer(self) -> "Kustomize | None":
        from reconciler.adapters.tree.rendering import Kustomize

        if self._kustomize is None and self.kubectl is not None:
            scratch = self._scratch.enter_context(tempfile.TemporaryDirectory(prefix="mesh-reconciler-"))
            self._kustomize = Kustomize(self.kubectl, self._read, Path(scratch), self.limits)
        return self._kustomize

    def _render(self, ids: Sequence[str]) -> dict[str, bytes]:
        if not ids:
            return {}
        if self._kustomize is None or self._listing is None or not self._listing.renderings.keys() >= set(ids):
            raise Unavailable("a kustomize folder is asked for that was not listed: look at the folder again")
        return dict(zip(ids, self._kustomize.render([self._listing.renderings[one] for one in ids]), strict=True))

    def _read(self, entries: Sequence[Entry]) -> list[bytes]:
        return [self._content(entry.path, entry.id) for entry in entries]

    def _content(self, path: str, identity: str) -> bytes:
        data = self._scan.kept.pop(path, None) if self._scan else None
        if data is None:
            try:
                data = read(str(self.root / path), self.limits.file_bytes)
            except OSError as error:
                raise Unavailable(f"{path} cannot be read: {error.strerror or error}") from error
            if blob_id(data) != identity:
                raise Unavailable(f"{path} was changed while it was read")
        return data

    @property
    def _index_name(self) -> str:
        return f"directory {self.root.resolve() / self.folder}"

    def _index(self) -> dict[str, list[Any]]:
        """Return the entries of the last index that may be trusted."""
        data = self.memory.recall(self._index_name) if self.memory else None
        if data is None:
            return {}
        try:
            index = json.loads(data)
            rested = index["at"] - _REST_NS
            return {path: seen for path, seen in index["files"].items() if seen[1] < rested and seen[2] < rested}
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            return {}
