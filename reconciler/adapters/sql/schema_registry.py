"""Tables of the VM registry.

`registry_targets.version` counts the changes of content of one target's records, and every write of content takes its row
lock: the order of commits is the order of numbers, so whoever has read up to a number has missed nothing below it.

`epoch` is that number at the last write of a record's spec. It is unique in the target, grows with every write, and is not
used again when a record is deleted and another one gets its name: a reader that holds an old epoch can never match a new
record. Reports of the VM move `reported` and leave `epoch` alone. A report that only says "still alive" moves `last_seen` and
no number at all: ten thousand heartbeats are not ten thousand changes.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, String, Table, false

from reconciler.adapters.sql.schema import DOCUMENT, NAME, NAMESPACE, TARGET, Part, Utc
from reconciler.core.records import MAX_DRAIN, MAX_REASON

METADATA = MetaData()
PART = Part("registry", METADATA, revisions=("0001", "0002", "0003", "0004", "0005", "0006"))

#: `floor`: deletions up to this number are no longer listed; who has read less must read everything. `served`: a server
#: of ours keeps the records, `recovering`: it doubts them.
targets = Table(
    "registry_targets",
    METADATA,
    Column("target", TARGET, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),
    Column("recovering", Boolean, nullable=False, server_default=false()),
    Column("served", Boolean, nullable=False, server_default=false()),
)

#: `changed` is the version at the last change of any content. `target` is the mark: who wrote the record.
machines = Table(
    "registry_machines",
    METADATA,
    Column("target", TARGET, primary_key=True),
    Column("namespace", NAMESPACE, primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("uid", String(36), nullable=False, unique=True),
    Column("created", Utc, nullable=False),
    Column("labels", DOCUMENT, nullable=False),
    Column("spec", DOCUMENT, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("address", String(45), nullable=False),
    Column("health", String(16), nullable=False),
    Column("last_seen", Utc),
    Column("reported", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("reason", String(MAX_REASON), nullable=False, server_default=""),
    Column("draining", Boolean, nullable=False, server_default=false()),
    Column("drain", String(MAX_DRAIN), nullable=False, server_default=""),
    Column("held", Boolean, nullable=False, server_default=false()),
    Index("registry_machines_changed", "target", "changed"),
)

#: Records that are gone, so that a reader who has the rest need not read the rest again.
removed = Table(
    "registry_removed",
    METADATA,
    Column("target", TARGET, primary_key=True),
    Column("namespace", NAMESPACE, primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("changed", BigInteger, nullable=False),
    Index("registry_removed_changed", "target", "changed"),
)
