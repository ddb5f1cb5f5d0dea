"""Tables of the state store that rollouts have. Each document is one value in the form of core/rollouts/codec."""

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, UniqueConstraint

from reconciler.adapters.sql.schema import DOCUMENT, NUMBER, Utc
from reconciler.adapters.sql.schema_stores import METADATA, store_column

#: Names of units: that of a service, or of an object with its kind.
UNIT, ID = String(400), String(64)

#: `turn` counts how often a rollout was stored; `stands` and `ended` are as in its document.
rollouts = Table(
    "state_rollouts",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    store_column(primary=False),
    Column("id", ID, nullable=False),
    Column("unit", UNIT, nullable=False),
    Column("stands", Boolean, nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("ended", Utc),
    Column("document", DOCUMENT, nullable=False),
    UniqueConstraint("store", "id", name="state_rollouts_id"),
)
Index("state_rollouts_standing", rollouts.c.store, rollouts.c.stands, rollouts.c.number)
Index("state_rollouts_unit", rollouts.c.store, rollouts.c.unit, rollouts.c.number)

evidence = Table(
    "state_evidence",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    store_column(primary=False),
    Column("rollout", ID, nullable=False),
    Column("document", DOCUMENT, nullable=False),
)
Index("state_evidence_rollout", evidence.c.store, evidence.c.rollout, evidence.c.number)

#: What people said. A command that was handled stays, so that its id is known when it comes again.
commands = Table(
    "state_commands",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    store_column(primary=False),
    Column("id", ID, nullable=False),
    Column("rollout", ID, nullable=False),
    Column("handled", Boolean, nullable=False),
    Column("document", DOCUMENT, nullable=False),
    UniqueConstraint("store", "id", name="state_commands_id"),
)
Index("state_commands_open", commands.c.store, commands.c.handled, commands.c.number)

refusals = Table(
    "state_refusals",
    METADATA,
    store_column(),
    Column("unit", UNIT, primary_key=True),
    Column("content", ID, primary_key=True),
    Column("document", DOCUMENT, nullable=False),
)

holds = Table(
    "state_holds",
    METADATA,
    store_column(),
    Column("unit", UNIT, primary_key=True),
    Column("until", Utc, nullable=False),
    Column("document", DOCUMENT, nullable=False),
)
