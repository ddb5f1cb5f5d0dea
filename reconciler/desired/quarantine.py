"""A commit that ends the process again and again is not looked at for ever.

The attempt is counted in the store before a new commit is read and planned, and forgotten once that has come to an end of
whatever kind, so it survives a process that is killed for its memory, or that trips over a bug. After `ATTEMPTS` deaths a
serving process refuses the commit as if it were invalid; a person may still run it by hand.
"""

from dataclasses import dataclass, field

from reconciler.core.resources import Revision
from reconciler.errors import InvalidInput, SetupCode
from reconciler.ports import Store

ATTEMPTS = 3
_NAME = "attempt"


@dataclass(slots=True)
class Quarantine:
    """Counts the attempts at the newest commit."""

    store: Store
    _entered: str = field(default="", init=False)
    _survived: str = field(default="", init=False)

    def enter(self, revision: Revision) -> None:
        """Count an attempt at a commit that has not gone well yet. Raises InvalidInput after too many."""
        self._entered = ""
        if revision.id == self._survived:
            return
        known = self.store.recall(_NAME) or {}
        count = known.get("count", 0) if known.get("commit") == revision.id else 0
        if count >= ATTEMPTS:
            raise InvalidInput(
                f"commit {revision.short} ended the process {count} times while it was looked at; it is left alone until Git "
                "names another one. Commit a change, or run `reconciler apply` by hand",
                code=SetupCode.QUARANTINED,
            )
        self.store.remember(_NAME, {"commit": revision.id, "count": count + 1})
        self._entered = revision.id

    def leave(self) -> None:
        """Note that the commit entered last, if any, was looked at and the process lives."""
        if self._entered:
            self.store.remember(_NAME, {"commit": self._entered, "count": 0})
            self._entered, self._survived = "", self._entered
