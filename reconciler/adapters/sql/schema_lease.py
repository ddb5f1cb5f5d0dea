"""Table of the lease: one row a target. It stays when the lease is given up, so that epochs never repeat."""

from sqlalchemy import BigInteger, Column, Float, MetaData, String, Table

from reconciler.adapters.sql.schema import TARGET, Part, Utc

METADATA = MetaData()
PART = Part("lease", METADATA, revisions=("0001",))

#: `holder` is empty while nobody holds it; `seconds` is how long the holder may stay silent. `renewed` is the holder's wall
#: time, for people; `beat` counts: seconds of a clock that all contenders share, named in `clock`.
leases = Table(
    "lease_targets",
    METADATA,
    Column("target", TARGET, primary_key=True),
    Column("holder", String(253), nullable=False),
    Column("store", String(64), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("renewed", Utc, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("clock", String(64), nullable=False),
    Column("beat", Float, nullable=False),
)
