"""Bring the tables of a part to the version that this program knows.

Where there are none yet they are made as the schema says, which is what all migrations come to (a test compares both); only
older ones are migrated. All steps and the version number are one transaction, on both databases, so a killed upgrade did not
happen; the lock that goes with it makes a second process wait, look again and find nothing to do.
"""

import logging
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, select, text

from reconciler.adapters.sql.schema import Part
from reconciler.errors import InvalidInput, SetupCode

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"

#: Key of the advisory lock around upgrades: any number that nobody else uses in the same database.
LOCK = 6_371_284_915


def is_current(connection: Connection, part: Part, shown: str) -> bool:
    """Return whether the tables are at this program's version. Raises InvalidInput where they are newer."""
    found = _version(connection, part)
    if found is not None and found not in part.revisions:
        raise InvalidInput(
            f"{shown}: its {part.name} tables have version {found}, this program knows them up to {part.head}; "
            "a newer mesh-reconciler has used it: upgrade this one",
            code=SetupCode.DATABASE_NEWER,
        )
    return found == part.head


def ensure_schema(connection: Connection, part: Part, shown: str) -> None:
    """Upgrade the part where it is older or missing. Raises InvalidInput where it is newer than this program."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    if is_current(connection, part, shown):
        return
    log.info("%s: bringing the %s tables to version %s", shown, part.name, part.head)
    if _version(connection, part) is None:
        create(connection, part)
    else:
        upgrade(connection, part)


def create(connection: Connection, part: Part) -> None:
    """Make the tables of a part that has none."""
    versions = _versions(part)
    for tables in (part.tables, versions.metadata):
        tables.create_all(connection, checkfirst=False)
    connection.execute(versions.insert().values(version_num=part.head))


def _version(connection: Connection, part: Part) -> str | None:
    if not inspect(connection).has_table(part.version_table):
        return None
    return connection.scalar(select(_versions(part).c.version_num))


def _versions(part: Part) -> Table:
    """Return the table of the version, just as alembic makes it."""
    number = Column("version_num", String(32), nullable=False)
    key = PrimaryKeyConstraint("version_num", name=f"{part.version_table}_pkc")
    return Table(part.version_table, MetaData(), number, key)


def upgrade(connection: Connection, part: Part, to: str = "head") -> None:
    """Run the migrations that are missing up to a version, from the first one where there are no tables."""
    # alembic takes half a second to import, and nearly every start finds no tables or those of this version.
    from alembic import command
    from alembic.config import Config

    config = Config()
    for option, folder in (("script_location", MIGRATIONS), ("version_locations", MIGRATIONS / part.name)):
        config.set_main_option(option, str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, part=part)
    command.upgrade(config, to)
