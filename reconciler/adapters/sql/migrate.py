"""Bring the tables of a part to the version that this program knows.

All steps of an upgrade and its version number are one transaction, on both databases, so a killed upgrade did not happen; the
lock that goes with it makes a second process wait, look again and find nothing to do.
"""

import logging
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text

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
    if not is_current(connection, part, shown):
        log.info("%s: bringing the %s tables to version %s", shown, part.name, part.head)
        _upgrade(connection, part)


def _version(connection: Connection, part: Part) -> str | None:
    if not inspect(connection).has_table(part.version_table):
        return None
    versions = Table(part.version_table, MetaData(), Column("version_num", String))
    return connection.scalar(select(versions.c.version_num))


def _upgrade(connection: Connection, part: Part) -> None:
    # alembic takes most of a second to import, and nearly every start finds the tables as they should be.
    from alembic import command
    from alembic.config import Config

    config = Config()
    for option, folder in (("script_location", MIGRATIONS), ("version_locations", MIGRATIONS / part.name)):
        config.set_main_option(option, str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, part=part)
    command.upgrade(config, "head")
