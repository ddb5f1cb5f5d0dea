"""The parts of the schema. Each has its own tables and its own version, so that a database may hold one of them or all.

A shared registry thus never depends on the version of somebody's state store, nor the other way round.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, Row, String, Text, TypeDecorator

#: A row of any columns.
AnyRow = Row[*tuple[Any, ...]]

#: Longest names that Kubernetes allows, and the longest name of a target.
NAMESPACE, NAME, KIND, TARGET = String(63), String(253), String(63), String(63)
DOCUMENT = Text()
#: Row numbers: SQLite numbers rows itself only where the type is called INTEGER.
NUMBER = BigInteger().with_variant(Integer(), "sqlite")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its name, its tables, and the revisions of its schema that this program knows, oldest first."""

    name: str
    tables: MetaData
    revisions: tuple[str, ...]

    @property
    def head(self) -> str:
        return self.revisions[-1]

    @property
    def version_table(self) -> str:
        """The table that holds the revision a database is at."""
        return f"{self.name}_schema"


class Utc(TypeDecorator[datetime]):
    """A moment: aware, UTC. SQLite keeps it without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to UTC. A naive time is a bug of the caller (ValueError)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
