"""What the registry's server keeps, on SQLite or PostgreSQL. What its numbers mean stands in `sql/schema_fleet.py`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, or_, select, update

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema import AnyRow
from reconciler.adapters.sql.schema_fleet import PART, audit, rows, signs, targets
from reconciler.adapters.sql.together import Together
from reconciler.core.fleet.audit import BEGINNING, Entry, Extent, Link, Mark, linked
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.rows import from_json, identity, to_json
from reconciler.core.fleet.values import Agent, Row, Sign
from reconciler.errors import Conflict
from reconciler.ports import FleetChanges

T = TypeVar("T")

_MINE = rows.c.target == bindparam("the_target")
_NEWER = select(rows).where(_MINE, rows.c.version > bindparam("since")).order_by(rows.c.version)
_TARGET = select(targets).where(targets.c.target == bindparam("the_target"))


class SqlFleet:
    """The rows of one target in a database that other targets and other parts may share.

    Raises InvalidInput for a URL or file that cannot be used. A commit survives a power cut: a used token stays used.
    """

    def __init__(self, url: str, target: str) -> None:
        self._database = Database(url, PART)
        self._together = Together(self._database, self._turn, _Turn.end)
        self._target = target

    def changes(self, since: int = 0) -> FleetChanges:
        """Return the rows that were written after a version, in the order of their writes."""

        def work(connection: Connection) -> FleetChanges:
            stands = connection.execute(_TARGET, {"the_target": self._target}).one_or_none()
            version = stands.version if stands else 0
            if version == since:
                return FleetChanges(version)
            found = connection.execute(_NEWER, {"the_target": self._target, "since": since})
            return FleetChanges(version, tuple(_row(one) for one in found))

        return self._database.read(work)

    def save(self, decision: Decision) -> tuple[Row, ...]:
        """Store all rows of a decision, or none. Raises Conflict."""
        return self._together.write(lambda turn: turn.save(decision))

    def sign(self, newest: Mapping[str, Sign]) -> None:
        """Keep the newest sign of each agent."""
        if not newest:
            return
        insertion = self._database.insert(signs)
        told = insertion.excluded
        upsert = insertion.on_conflict_do_update(
            index_elements=signs.primary_key, set_={"at": told.at, "seconds": told.seconds}, where=told.at > signs.c.at
        )
        values = [
            {"target": self._target, "agent": agent, "at": sign.at, "seconds": sign.lease.total_seconds()}
            for agent, sign in sorted(newest.items())
        ]
        self._database.write(lambda connection: connection.execute(upsert, values))

    def signs(self) -> Mapping[str, Sign]:
        """Return the newest sign of each agent."""
        query = select(signs).where(signs.c.target == self._target)
        found = self._database.read(lambda connection: connection.execute(query).all())
        return {one.agent: Sign(one.at, timedelta(seconds=one.seconds)) for one in found}

    def audit(self, after: int = 0, limit: int = 1000) -> tuple[Link, ...]:
        """Return links of the audit log by their numbers."""
        mine = and_(audit.c.target == self._target, audit.c.number > after)
        query = select(audit).where(mine).order_by(audit.c.number).limit(limit)
        found = self._database.read(lambda connection: connection.execute(query).all())
        return tuple(
            Link(one.number, Entry(one.at, one.actor, one.action, one.subject, one.detail), one.before, one.hash)
            for one in found
        )

    def extent(self) -> Extent:
        """Return where the audit log begins and ends."""
        stands = self._database.read(lambda connection: connection.execute(_TARGET, {"the_target": self._target}).one_or_none())
        return Extent(Mark(stands.cut, stands.anchor), Mark(stands.links, stands.newest)) if stands else Extent()

    def cut(self, before: datetime, most: int) -> int:
        """Cut off the oldest links."""
        return self._together.write(lambda turn: turn.cut(before, most))

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _turn(self, connection: Connection) -> "_Turn":
        new = {"target": self._target, "version": 0, "links": 0, "newest": BEGINNING}
        connection.execute(self._database.insert(targets).values(**new).on_conflict_do_nothing())
        locked = connection.execute(_TARGET.with_for_update(), {"the_target": self._target}).one()
        return _Turn(connection, locked)


class _Turn:
    """The savers of one transaction: they hold the lock of the target, and what counts is written once for all of them."""

    def __init__(self, connection: Connection, locked: AnyRow) -> None:
        self._connection, self._target = connection, locked.target
        self._version = locked.version
        self._newest, self._cut = Mark(locked.links, locked.newest), Mark(locked.cut, locked.anchor)

    def save(self, decision: Decision) -> tuple[Row, ...]:
        """Write a decision's rows, each over the version that it was decided on. Raises Conflict before anything is written."""
        known = self._known((*decision.rows, *decision.gone))
        gone = [row for row in decision.gone if identity(row) in known]
        for row in (*decision.rows, *gone):
            if row.version != known.get(identity(row), 0):
                raise Conflict(f"{' '.join(identity(row)).strip()} was written by somebody else meanwhile")
        self._forget(gone)
        stored = tuple(self._write(row) for row in decision.rows)
        self._chain(decision.audit)
        return stored

    def end(self) -> None:
        """Make the last write the newest one."""
        mine = update(targets).where(targets.c.target == self._target)
        newest, cut = self._newest, self._cut
        marks = {"links": newest.number, "newest": newest.hash, "cut": cut.number, "anchor": cut.hash}
        self._connection.execute(mine.values(version=self._version, **marks))

    def cut(self, before: datetime, most: int) -> int:
        """Cut off the oldest links up to the first that is not from before; return how many went."""
        mine = audit.c.target == self._target
        kept = select(audit.c.number).where(mine, audit.c.at >= before).order_by(audit.c.number).limit(1)
        first = self._connection.scalar(kept)
        last = min(self._newest.number if first is None else first - 1, self._cut.number + most)
        if last <= self._cut.number:
            return 0
        went = last - self._cut.number
        hashed = self._connection.scalar(select(audit.c.hash).where(mine, audit.c.number == last))
        self._connection.execute(delete(audit).where(mine, audit.c.number <= last))
        self._cut = Mark(last, str(hashed))
        return went

    def _forget(self, gone: Sequence[Row]) -> None:
        if not gone:
            return
        self._connection.execute(delete(rows).where(rows.c.target == self._target, _these(gone)))
        agents = [row.id for row in gone if isinstance(row, Agent)]
        self._connection.execute(delete(signs).where(signs.c.target == self._target, signs.c.agent.in_(agents)))

    def _known(self, asked: Sequence[Row]) -> dict[tuple[str, str], int]:
        if not asked:
            return {}
        query = select(rows.c.kind, rows.c.id, rows.c.version).where(rows.c.target == self._target, _these(asked))
        return {(one.kind, one.id): one.version for one in self._connection.execute(query)}

    def _write(self, row: Row) -> Row:
        self._version += 1
        kind, one = identity(row)
        said = {"version": self._version, "document": json.dumps(to_json(row))}
        if row.version:
            mine = and_(rows.c.target == self._target, rows.c.kind == kind, rows.c.id == one)
            self._connection.execute(update(rows).where(mine).values(**said))
        else:
            self._connection.execute(insert(rows).values(target=self._target, kind=kind, id=one, **said))
        return replace(row, version=self._version)

    def _chain(self, entries: Sequence[Entry]) -> None:
        links = linked(entries, self._newest)
        if not links:
            return
        self._connection.execute(insert(audit), [{"target": self._target, **link.flat} for link in links])
        self._newest = links[-1].mark


def _these(asked: Sequence[Row]) -> ColumnElement[bool]:
    by_kind: dict[str, list[str]] = {}
    for kind, one in map(identity, asked):
        by_kind.setdefault(kind, []).append(one)
    return or_(*(and_(rows.c.kind == kind, rows.c.id.in_(some)) for kind, some in by_kind.items()))


def _row(found: AnyRow) -> Row:
    return from_json(found.kind, json.loads(found.document), found.version)
