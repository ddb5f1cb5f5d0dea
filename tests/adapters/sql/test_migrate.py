"""Schemas: made once, brought up to date, refused where they are newer."""

import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, text

from reconciler.adapters.sql import schema_fleet, schema_lease, schema_registry, schema_state
from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.migrate import MIGRATIONS, create, upgrade
from reconciler.adapters.sql.schema import Part
from reconciler.adapters.sql.state_journal import JournalRows
from reconciler.adapters.sql.state_memory import MemoryRows
from reconciler.adapters.store_sql import SqlStore
from reconciler.core.rollouts.records import Change
from reconciler.errors import InvalidInput
from reconciler.ports import CycleRecord, JournalEntry, Override
from tests.contracts.store import ENTRY, NOON, SERVICE, document, done, intent
from tests.core.rollouts.play import rollout

PARTS = [schema_registry.PART, schema_state.PART, schema_lease.PART, schema_fleet.PART]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database."""
    return f"sqlite:///{tmp_path}/x.db" if request.param == "sqlite" else str(request.getfixturevalue("postgresql"))


def nothing(_connection: Connection) -> None:
    """Open the database, and that is all."""


def described(connection: Connection, part: Part) -> object:
    """Return all that the database says of the tables of a part and of that of its version."""
    looked_at = inspect(connection)
    names = [*sorted(part.tables.tables), part.version_table]
    versions = connection.execute(text(f"SELECT version_num FROM {part.version_table}")).all()  # noqa: S608 - a name of ours
    return versions, [
        (
            name,
            str(looked_at.get_columns(name)),
            looked_at.get_pk_constraint(name),
            sorted(shown(index) for index in looked_at.get_indexes(name)),
            sorted(map(str, looked_at.get_unique_constraints(name))),
            sorted(map(str, looked_at.get_foreign_keys(name))),
        )
        for name in names
    ]


def shown(index: Mapping[str, Any]) -> str:
    """Return an index as text, its condition too."""
    options = {name: str(option) for name, option in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['column_names']} {index['unique']} {options}"


def test_the_migrations_make_what_the_tables_say(url: str) -> None:
    """Column by column and index by index, for all parts: a database made at once equals one that was migrated from nothing."""
    database = Database(url, schema_lease.PART)

    def is_told(name: str, kind: str, part: Part) -> bool:
        """An index that is made by a statement of its own is not among what the tables say."""
        return name in part.tables.tables if kind == "table" else name != "state_journal_open"

    def of_migrations(connection: Connection) -> list[object]:
        drop_all(connection)
        for part in PARTS:
            upgrade(connection, part)
        differences: list[object] = []
        for part in PARTS:
            options = {"include_name": lambda name, kind, _, part=part: is_told(name, kind, part)}
            differences += compare_metadata(MigrationContext.configure(connection, opts=options), part.tables)
        assert differences == []
        return [described(connection, part) for part in PARTS]

    def made_at_once(connection: Connection) -> list[object]:
        drop_all(connection)
        for part in PARTS:
            create(connection, part)
        return [described(connection, part) for part in PARTS]

    assert database.write(of_migrations) == database.write(made_at_once)
    database.close()


def drop_all(connection: Connection) -> None:
    """Take every table away."""
    found = MetaData()
    found.reflect(connection)
    found.drop_all(connection)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_each_part_knows_its_revisions_without_alembic(part: Part) -> None:
    """The list in the code is the chain of files, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / part.name))
    config.set_main_option("path_separator", "newline")
    chain = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(chain)) == part.revisions


def test_a_new_and_a_current_database_are_opened_without_alembic(tmp_path: Path) -> None:
    """Its import takes half a second, and a start finds nearly always that there is nothing to migrate."""
    program = (
        "import sys; from reconciler.adapters.store_sql import SqlStore;"
        f"store = SqlStore('sqlite:///{tmp_path}/x.db', 't'); store.id; store.close(); print('alembic' in sys.modules)"
    )
    project = Path(__file__).parents[3]
    answers = [
        subprocess.run([sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert answers == ["False", "False"]


@pytest.mark.case("S-05")
def test_a_newer_schema_is_refused_and_left_alone(url: str) -> None:
    """A program that does not know it must not write into it; the other parts go on."""
    first = Database(url, schema_state.PART)
    first.write(lambda connection: connection.execute(text("UPDATE state_schema SET version_num = '0099'")))
    first.close()
    second = Database(url, schema_state.PART)
    with pytest.raises(InvalidInput, match="have version 0099, this program knows them up to 0002"):
        second.read(nothing)
    with pytest.raises(InvalidInput, match="upgrade this one"):
        second.write(nothing)
    second.close()
    other = Database(url, schema_lease.PART)
    other.read(nothing)
    other.close()


@pytest.mark.case("S-05")
def test_an_upgrade_that_breaks_off_did_not_happen(url: str) -> None:
    """A table is in the way, so the upgrade fails in its middle; with it gone the next start makes all of them."""
    lease = Database(url, schema_lease.PART)
    lease.write(lambda connection: connection.execute(text("CREATE TABLE state_cycles (x INTEGER)")))
    broken = Database(url, schema_state.PART)
    with pytest.raises(Exception, match="state_cycles"):
        broken.read(nothing)
    names = lease.read(lambda connection: set(inspect(connection).get_table_names()))
    assert names == {"lease_schema", "lease_targets", "state_cycles"}
    lease.write(lambda connection: connection.execute(text("DROP TABLE state_cycles")))
    broken.read(nothing)
    names = lease.read(lambda connection: set(inspect(connection).get_table_names()))
    assert set(schema_state.METADATA.tables) <= names
    broken.close()
    lease.close()


@pytest.mark.case("S-05")
def test_many_may_upgrade_at_once(url: str) -> None:
    """One does it, the others wait and find it done."""

    def open_it(number: int) -> int:
        database = Database(url, PARTS[number % 4])
        tables = database.read(lambda connection: len(inspect(connection).get_table_names()))
        database.close()
        return tables

    with ThreadPoolExecutor(6) as threads:
        assert all(threads.map(open_it, range(6)))


@pytest.mark.case("S-05")
def test_a_store_of_the_first_version_keeps_everything_when_it_is_upgraded(url: str) -> None:
    """Accepted commit, inventory, open intents, decisions and history are all there, and rollouts can be stored beside them."""
    first_version = replace(schema_state.PART, revisions=("0001",))
    database = Database(url, schema_lease.PART)
    database.write(lambda connection: upgrade(connection, first_version, "0001"))
    database.close()
    old = Database(url, first_version)
    entries = old.write(lambda connection: filled(connection, old))
    assert "state_rollouts" not in old.read(lambda connection: inspect(connection).get_table_names())
    old.close()
    store = SqlStore(url, "production")
    assert (store.id, store.generation) == ("store-1", 7)
    assert store.unsettled() == entries[1:]
    assert store.written() == {ENTRY: document(weight=1)}
    assert store.overrides("digest-1") == (Override("digest-1", "wholesale:shop/billing", "ann", "agreed", NOON),)
    assert [cycle.report for cycle in store.history()] == [{"objects": 3}]
    store.rollouts.save([Change(rollout())])
    assert len(store.rollouts.standing()) == 1
    store.close()


def filled(connection: Connection, database: Database) -> list[JournalEntry]:
    """Fill a store as the first version did; returns what was intended, of which the first one is settled."""
    row = {"number": 1, "target": "production", "id": "store-1", "generation": 7, "entries": 0, "turns": 0}
    connection.execute(schema_state.stores.insert().values(row))
    journal, memory = JournalRows(database, 1), MemoryRows(database, 1, 10)
    entries = journal.intend(connection, [intent(after=document(weight=1)), intent(SERVICE)])
    journal.settle(connection, done(entries[:1]))
    memory.override(connection, Override("digest-1", "wholesale:shop/billing", "ann", "agreed", NOON))
    memory.record(connection, CycleRecord(0, NOON, "a" * 40, "d", "applied", 3, {"objects": 3}))
    return entries
