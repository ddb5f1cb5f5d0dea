"""The rollouts of a store on a database: one transaction a method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from reconciler.adapters.sql.state_rollouts import RolloutRows
from reconciler.core.rollouts.records import Change, Evidence, Refusal
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.seen import Command, Hold

T = TypeVar("T")


class Transactions(Protocol):
    """Runs work in a transaction of the store: `read` sees one moment, `write` has the store for itself."""

    def read(self, work: Callable[[Connection], T]) -> T: ...

    def write(self, work: Callable[[Connection], T]) -> T: ...


@dataclass(frozen=True, slots=True)
class SqlRollouts:
    """Keeps the promises of `RolloutStore`; `rows` is asked anew each time, since a store is first looked up when needed."""

    store: Transactions
    rows: Callable[[], RolloutRows]

    def standing(self) -> tuple[Rollout, ...]:
        return self.store.read(self.rows().standing)

    def get(self, rollout: str) -> Rollout | None:
        rows = self.rows()
        return self.store.read(lambda connection: rows.get(connection, rollout))

    def history(self, limit: int = 20, *, before: str = "", unit: str = "") -> list[Rollout]:
        rows = self.rows()
        return self.store.read(lambda connection: rows.history(connection, limit, before, unit))

    def save(self, changes: Sequence[Change]) -> tuple[Rollout, ...]:
        rows = self.rows()
        return self.store.write(lambda connection: rows.save(connection, changes)) if changes else ()

    def say(self, command: Command) -> bool:
        rows = self.rows()
        return self.store.write(lambda connection: rows.say(connection, command))

    def commands(self) -> tuple[Command, ...]:
        return self.store.read(self.rows().commands)

    def evidence(self, rollout: str, *, after: int = 0, limit: int = 1_000) -> list[Evidence]:
        rows = self.rows()
        return self.store.read(lambda connection: rows.evidence(connection, rollout, after, limit))

    def refusals(self) -> tuple[Refusal, ...]:
        return self.store.read(self.rows().refusals)

    def hold(self, hold: Hold) -> None:
        rows = self.rows()
        self.store.write(lambda connection: rows.hold(connection, hold))

    def unhold(self, unit: str) -> bool:
        rows = self.rows()
        return self.store.write(lambda connection: rows.unhold(connection, unit))

    def holds(self) -> tuple[Hold, ...]:
        return self.store.read(self.rows().holds)
