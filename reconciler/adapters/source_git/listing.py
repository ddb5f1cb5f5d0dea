"""A commit -> the entries of its tree, and what to read of them."""

from dataclasses import dataclass

from reconciler.adapters.source_git.answers import DamagedStore, LostCommit
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.mirror import Mirror
from reconciler.adapters.tree.entries import Entry, Find
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.adapters.tree.listing import Lister, Listing, too_many
from reconciler.adapters.tree.process import Stop
from reconciler.errors import InvalidInput, Unavailable

#: Bytes of a listing per entry that is allowed: mode, id, size and a path of some length.
_LINE = 320


@dataclass(slots=True)
class CommitLister:
    """Lists commits of one mirror, below the lister's folder."""

    mirror: Mirror
    limits: TreeLimits
    lister: Lister

    def listing(self, commit: str) -> Listing:
        """Return what to read. Raises InvalidInput with every problem, DamagedStore, Unavailable."""
        folder = self.lister.folder
        entries = self._entries(commit, folder)

        def repository() -> Find:
            return {entry.path: entry for entry in (self._entries(commit, "") if folder else entries)}.get

        listing = self.lister.listing(entries, repository)
        if not listing.files:
            raise self._nothing("holds no manifest (*.yaml, *.yml, *.json)")
        return listing

    def _entries(self, commit: str, folder: str) -> list[Entry]:
        """List a folder of a commit, whole depth."""
        what = f"{commit}:{folder}" if folder else commit
        cap = self.limits.entries * _LINE
        finished = self.mirror.ask("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", what, output=cap)
        if finished.stopped is Stop.OUTPUT:
            raise too_many(self.limits)
        if finished.stopped:
            raise Unavailable(f"listing commit {commit[:10]}: {finished.stopped}, so it was ended")
        if finished.ok:
            try:
                return parse_listing(finished.output, folder)
            except ValueError as error:
                raise DamagedStore(
                    f"commit {commit[:10]} holds objects that cannot be found: the mirror is fetched anew"
                ) from error
        if not self.mirror.has(commit):
            raise LostCommit(f"commit {commit[:10]} is not in the mirror any more")
        there = self.mirror.ask("ls-tree", "-z", "--full-tree", "--end-of-options", commit, folder)
        if folder and there.ok and b" tree " not in there.output:
            raise self._nothing("does not exist in it")
        raise DamagedStore(f"commit {commit[:10]} cannot be listed: the mirror is damaged and is fetched anew")

    def _nothing(self, why: str) -> InvalidInput:
        """Nothing to read is never the wish to have nothing: a wrong path or a moved folder looks just like it."""
        folder = self.lister.folder or "the repository"
        return InvalidInput(
            f"{folder} {why}: nothing is deleted because of that; correct the path, or the commit", code=Code.NO_FOLDER
        )


def parse_listing(listing: bytes, folder: str = "") -> list[Entry]:
    """Read the output of ``ls-tree -r -z -l`` for a folder. Bytes that are no UTF-8 become surrogates, to be found later.

    Raises ValueError where Git writes that a size cannot be had.
    """
    prefix = f"{folder}/" if folder else ""
    entries = []
    for line in listing.split(b"\0"):
        if line:
            facts, _, name = line.partition(b"\t")
            mode, _, object_id, size = facts.decode().split()
            entries.append(
                Entry(prefix + name.decode(errors="surrogateescape"), mode, object_id, 0 if size == "-" else int(size))
            )
    return entries
