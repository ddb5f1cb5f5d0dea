"""What Git says: asked once until somebody says that it is time again, and a failure is an answer that stays, too."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from reconciler.core.resources import DesiredState, Revision
from reconciler.desired.crds import Crds
from reconciler.desired.reader import DesiredReader
from reconciler.errors import InvalidInput, Unavailable
from reconciler.ports import Schemas, Source


@dataclass(slots=True)
class Follower:
    """Follows the ref of one source."""

    source: Source
    reader: DesiredReader
    crds: Crds
    _said: Revision | InvalidInput | Unavailable | None = field(default=None, init=False)
    _turn: int = field(default=0, init=False)
    _asked: int = field(default=-1, init=False)
    _bad: tuple[Revision, Schemas, InvalidInput] | None = field(default=None, init=False)

    def ask_again(self) -> None:
        """Let the next look ask Git, instead of going on from what it said last. From any thread, also while Git is asked."""
        self._turn += 1

    def newest(self) -> Revision:
        """Return the commit that Git names. Raises InvalidInput and Unavailable, the same one until it is time to ask again."""
        turn, said = self._turn, self._said
        if said is None or self._asked != turn:
            try:
                said = self.source.poll()
            except (InvalidInput, Unavailable) as error:
                said = error
            self._said, self._asked = said, turn
        if isinstance(said, Revision):
            return said
        raise said.with_traceback(None)

    def said(self) -> Hashable:
        """Return what Git says as a value that is equal as long as Git says the same. Raises Unavailable."""
        try:
            return self.newest()
        except InvalidInput as error:
            return error.problems

    def desired(self, revision: Revision) -> DesiredState:
        """Return what a commit says, held against the CRDs as they are at the newest one. Raises InvalidInput, Unavailable."""
        newest = self._said if isinstance(self._said, Revision) else revision
        schemas = self.crds.for_commit(newest.id)
        if self._bad is not None and self._bad[0] == revision and self._bad[1] is schemas:
            raise self._bad[2].with_traceback(None)
        try:
            return self.reader.read(revision, schemas)
        except InvalidInput as error:
            self._bad = (revision, schemas, error)
            raise
