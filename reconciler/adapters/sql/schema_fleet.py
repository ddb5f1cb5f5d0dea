"""Tables of the registry's server: tokens, agents, workloads, signs of life, the audit log.

`fleet_targets.version` counts the writes of rows of one target, and every write takes its row lock: the order of commits is the
order of numbers, as in the registry. A row's own `version` is that number at its last write. Each document is one value of
core/fleet/values. Signs of life stand apart, so that ten thousand heartbeats are not ten thousand writes of rows.
"""

from sqlalchemy import BigInteger, Column, Float, Index, MetaData, String, Table, Text

from reconciler.adapters.sql.schema import DOCUMENT, TARGET, Part, Utc
from reconciler.core.fleet.audit import BEGINNING

METADATA = MetaData()
PART = Part("fleet", METADATA, revisions=("0001", "0002"))

#: A namespace, a slash, a name.
ID, HASH = String(320), String(64)

#: `links` and `newest` are number and hash of the last link of the audit log, `cut` and `anchor` those of the last cut off.
targets = Table(
    "fleet_targets",
    METADATA,
    Column("target", TARGET, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("links", BigInteger, nullable=False),
    Column("newest", HASH, nullable=False),
    Column("cut", BigInteger, nullable=False, server_default="0"),
    Column("anchor", HASH, nullable=False, server_default=BEGINNING),
)

rows = Table(
    "fleet_rows",
    METADATA,
    Column("target", TARGET, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("id", ID, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("document", DOCUMENT, nullable=False),
    Index("fleet_rows_version", "target", "version"),
)

#: `seconds` is how long the agent may be silent from `at` on.
signs = Table(
    "fleet_signs",
    METADATA,
    Column("target", TARGET, primary_key=True),
    Column("agent", String(64), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("seconds", Float, nullable=False),
)

audit = Table(
    "fleet_audit",
    METADATA,
    Column("target", TARGET, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("before", HASH, nullable=False),
    Column("hash", HASH, nullable=False),
)
