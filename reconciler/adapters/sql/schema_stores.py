"""The stores of all targets in one database: every other row of the part belongs to one of them."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table

from reconciler.adapters.sql.schema import DOCUMENT, NUMBER, TARGET

METADATA = MetaData()

#: `generation` counts what was accepted and settled; `entries` and `turns` hand out numbers for journal and memory.
stores = Table(
    "state_stores",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    Column("target", TARGET, nullable=False, unique=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("generation", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("turns", BigInteger, nullable=False),
    Column("accepted", DOCUMENT),
)


def store_column(*, primary: bool = True) -> Column[Any]:
    """Return the column that says whose a row is."""
    return Column("store", NUMBER, ForeignKey("state_stores.number"), primary_key=primary, nullable=False)
