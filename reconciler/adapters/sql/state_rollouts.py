"""Rollouts of one store: queries, each inside somebody's transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Executable, Table, and_, delete, insert, select, update

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema_rollouts import commands, evidence, holds, refusals, rollouts
from reconciler.adapters.sql.state_journal import CHUNK, chunks
from reconciler.core.rollouts.codec import from_json, plain, read, to_json
from reconciler.core.rollouts.records import Change, Evidence, Refusal
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.seen import Command, Hold
from reconciler.errors import Conflict


@dataclass(frozen=True, slots=True)
class RolloutRows:
    """Queries over the rows of one store."""

    database: Database
    store: int

    def standing(self, connection: Connection) -> tuple[Rollout, ...]:
        """Return the rollouts that stand, oldest first."""
        query = select(rollouts.c.document).where(self._mine(rollouts), rollouts.c.stands).order_by(rollouts.c.number)
        return tuple(_rollout(row.document) for row in connection.execute(query))

    def get(self, connection: Connection, rollout: str) -> Rollout | None:
        """Return one rollout."""
        query = select(rollouts.c.document).where(self._mine(rollouts), rollouts.c.id == rollout)
        text = connection.scalar(query)
        return _rollout(text) if text else None

    def history(self, connection: Connection, limit: int, before: str, unit: str) -> list[Rollout]:
        """Return the newest rollouts before one, of one unit or of all."""
        query = select(rollouts.c.document).where(self._mine(rollouts)).order_by(rollouts.c.number.desc()).limit(limit)
        if unit:
            query = query.where(rollouts.c.unit == unit)
        if before:
            last = select(rollouts.c.number).where(self._mine(rollouts), rollouts.c.id == before).scalar_subquery()
            query = query.where(rollouts.c.number < last)
        return [_rollout(row.document) for row in connection.execute(query)]

    def save(self, connection: Connection, changes: Sequence[Change]) -> tuple[Rollout, ...]:
        """Store all of it. Raises Conflict before the transaction is committed."""
        saved = tuple(self._save(connection, change.rollout) for change in changes)
        pieces = [
            {"store": self.store, "rollout": change.rollout.id, "document": _text(piece)}
            for change in changes
            for piece in change.evidence
        ]
        if pieces:
            connection.execute(insert(evidence), pieces)
        self._handle(connection, [command for change in changes for command in change.handled])
        for change in changes:
            self._judge(connection, change)
        return saved

    def say(self, connection: Connection, command: Command) -> bool:
        """Insert a command whose id is new."""
        values = {"id": command.id, "rollout": command.rollout, "handled": False, "document": _text(command)}
        insertion = self.database.insert(commands).values(store=self.store, **values).on_conflict_do_nothing()
        return connection.execute(insertion.returning(commands.c.number)).first() is not None

    def commands(self, connection: Connection) -> tuple[Command, ...]:
        """Return what was not handled, oldest first."""
        query = select(commands.c.document).where(self._mine(commands), ~commands.c.handled).order_by(commands.c.number)
        return tuple(read(Command, json.loads(row.document)) for row in connection.execute(query))

    def evidence(self, connection: Connection, rollout: str, after: int, limit: int) -> list[Evidence]:
        """Return evidence of a rollout by its numbers."""
        mine = and_(self._mine(evidence), evidence.c.rollout == rollout, evidence.c.number > after)
        rows = connection.execute(select(evidence).where(mine).order_by(evidence.c.number).limit(limit))
        return [replace(read(Evidence, json.loads(row.document)), id=row.number) for row in rows]

    def refusals(self, connection: Connection) -> tuple[Refusal, ...]:
        """Return all refusals by unit."""
        query = select(refusals).where(self._mine(refusals)).order_by(refusals.c.unit, refusals.c.content)
        return tuple(read(Refusal, json.loads(row.document)) for row in connection.execute(query))

    def hold(self, connection: Connection, hold: Hold) -> None:
        """Insert or replace a hold."""
        said = {"until": hold.until, "document": _text(hold)}
        insertion = self.database.insert(holds).values(store=self.store, unit=hold.unit, **said)
        connection.execute(insertion.on_conflict_do_update(index_elements=holds.primary_key, set_=said))

    def unhold(self, connection: Connection, unit: str) -> bool:
        """Drop a hold."""
        return connection.execute(delete(holds).where(self._mine(holds), holds.c.unit == unit)).rowcount == 1

    def holds(self, connection: Connection) -> tuple[Hold, ...]:
        """Return all holds by unit."""
        query = select(holds).where(self._mine(holds)).order_by(holds.c.unit)
        return tuple(read(Hold, json.loads(row.document)) for row in connection.execute(query))

    def forget(self, connection: Connection, before: datetime) -> None:
        """Drop rollouts that ended before then with what belongs to them, and holds that were over.

        Those to which a person may say `retry` stay.
        """
        old = and_(self._mine(rollouts), ~rollouts.c.stands, rollouts.c.ended < before)
        refused = {one.rollout for one in self.refusals(connection)}
        gone = [row.id for row in connection.execute(select(rollouts.c.id).where(old)) if row.id not in refused]
        for chunk in chunks(gone, CHUNK):
            for table, column in ((evidence, evidence.c.rollout), (commands, commands.c.rollout), (rollouts, rollouts.c.id)):
                connection.execute(delete(table).where(self._mine(table), column.in_(chunk)))
        connection.execute(delete(holds).where(self._mine(holds), holds.c.until < before))

    def _save(self, connection: Connection, rollout: Rollout) -> Rollout:
        saved = replace(rollout, turn=rollout.turn + 1)
        values = {"stands": saved.stands, "turn": saved.turn, "ended": saved.ended, "document": json.dumps(to_json(saved))}
        storing: Executable
        if rollout.turn:
            seen = and_(self._mine(rollouts), rollouts.c.id == saved.id, rollouts.c.turn == rollout.turn)
            storing = update(rollouts).where(seen).values(**values).returning(rollouts.c.number)
        else:
            row = {"store": self.store, "id": saved.id, "unit": saved.unit, **values}
            storing = self.database.insert(rollouts).values(row).on_conflict_do_nothing().returning(rollouts.c.number)
        if connection.execute(storing).first() is None:
            raise Conflict(f"rollout {saved.id} was stored by somebody else meanwhile")
        return saved

    def _handle(self, connection: Connection, ids: Sequence[str]) -> None:
        for one in ids:
            still_open = and_(self._mine(commands), commands.c.id == one, ~commands.c.handled)
            if connection.execute(update(commands).where(still_open).values(handled=True)).rowcount != 1:
                raise Conflict(f"command {one} was handled by somebody else meanwhile")

    def _judge(self, connection: Connection, change: Change) -> None:
        if change.refusal:
            key = {"store": self.store, "unit": change.refusal.unit, "content": change.refusal.content}
            said = {"document": _text(change.refusal)}
            insertion = self.database.insert(refusals).values(**key, **said)
            connection.execute(insertion.on_conflict_do_update(index_elements=refusals.primary_key, set_=said))
        if change.forgiven:
            content = and_(refusals.c.unit == change.rollout.unit, refusals.c.content == change.rollout.content)
            connection.execute(delete(refusals).where(self._mine(refusals), content))

    def _mine(self, table: Table) -> ColumnElement[bool]:
        return table.c.store == self.store


def _rollout(text: str) -> Rollout:
    return from_json(json.loads(text))


def _text(value: object) -> str:
    return json.dumps(plain(value))
