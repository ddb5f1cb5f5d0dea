"""The store of a fleet on SQLite and on PostgreSQL keeps the promises of the port, between replicas too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from reconciler.adapters.fleet_sql import SqlFleet
from reconciler.core.fleet.audit import Entry, broken_at
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.values import Sign
from reconciler.ports import FleetStore
from tests.contracts.fleet import AGENT, MINUTE, NOON, WORKLOAD, FleetContract


class Promises(FleetContract):
    """The contract, and what only a database can promise. Derive from it with a fixture `url`."""

    @pytest.fixture
    def fleet(self, url: str) -> Iterator[FleetStore]:
        fleet = SqlFleet(url, "production")
        yield fleet
        fleet.close()

    @pytest.fixture
    def second(self, url: str) -> Iterator[FleetStore]:
        """Another replica's view, as far as the database can tell."""
        fleet = SqlFleet(url, "production")
        yield fleet
        fleet.close()

    def test_replicas_share_everything(self, fleet: FleetStore, second: FleetStore) -> None:
        """What one wrote the other reads, goes on from, and chains to."""
        fleet.save(Decision((AGENT,), (Entry(NOON, "ann", "made", "a1"),)))
        second.save(Decision((WORKLOAD,), (Entry(NOON, "bob", "made", "vm-1"),)))
        second.sign({"a1": Sign(NOON, MINUTE)})
        assert fleet.changes() == second.changes()
        assert len(fleet.changes().rows) == 2
        assert fleet.signs() == {"a1": Sign(NOON, MINUTE)}
        assert broken_at(fleet.audit()) is None

    def test_targets_do_not_see_each_other(self, url: str, fleet: FleetStore) -> None:
        """A name may exist in each, with versions and a chain of its own."""
        fleet.save(Decision((AGENT, WORKLOAD), (Entry(NOON, "ann", "made", "a1"),)))
        staging = SqlFleet(url, "staging")
        assert staging.changes().rows == ()
        staging.save(Decision((WORKLOAD,), (Entry(NOON, "ann", "made", "vm-1"),)))
        assert (staging.changes().version, fleet.changes().version) == (1, 2)
        assert broken_at(staging.audit()) is None
        staging.close()

    @pytest.mark.case("S-06")
    def test_an_entry_that_was_edited_in_the_database_shows(self, url: str, fleet: FleetStore) -> None:
        """Whoever has the database can change an entry, and cannot hide it."""
        for name in ("ann", "bob", "eve"):
            fleet.save(Decision((), (Entry(NOON, name, "drain", "vm-1"),)))
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            connection.execute(text("UPDATE fleet_audit SET actor = 'ann' WHERE number = 2"))
        engine.dispose()
        assert broken_at(fleet.audit()) == 2


class TestSqlite(Promises):
    """The contract over a file."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/fleet.db"


class TestPostgresql(Promises):
    """The contract over a server."""

    @pytest.fixture
    def url(self, postgresql: str) -> str:
        return postgresql
