"""The server while its database is away: it says so, loses nobody, and goes on by itself."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.core.fleet.leases import Pace
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.values import Row, Sign
from reconciler.errors import Unavailable
from reconciler.ports import FleetChanges
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from tests.registry.served import OPERATOR, Agent, Served, served
from tests.waiting import becomes

SECOND = timedelta(seconds=1)
RULES = ServerRules(DoorRules(OPERATOR), Pace(heartbeat=0.2 * SECOND, lease=3 * SECOND, sweep=0.5 * SECOND))


class Outage(MemoryFleet):
    """A store that can be taken away."""

    is_away = False

    def changes(self, since: int = 0) -> FleetChanges:
        """Return rows, or nothing is known."""
        self._check()
        return super().changes(since)

    def save(self, decision: Decision) -> tuple[Row, ...]:
        """Store, or not."""
        self._check()
        return super().save(decision)

    def sign(self, signs: Mapping[str, Sign]) -> None:
        """Keep signs, or not."""
        self._check()
        super().sign(signs)

    def _check(self) -> None:
        if self.is_away:
            raise Unavailable("the database is away")


@pytest.fixture
def fleet() -> Outage:
    """The store of the server."""
    return Outage()


@pytest.fixture
def server(fleet: Outage) -> Iterator[Served]:
    """A server that looks often."""
    with served(RULES, fleet) as running:
        yield running


@pytest.mark.case("S-01", "S-02", "V-07")
def test_an_outage_of_the_database_loses_nobody(server: Served, fleet: Outage) -> None:
    """What must be stored is refused for now, signs of life too once they cannot be; nothing expires; then all goes on."""
    agent, silent = Agent(server), Agent(server, "127.0.0.2")
    agent.join(server.token())
    silent.join(server.token("vm-2"))
    agent.beat()
    token = server.token("vm-3")
    fleet.is_away = True
    refused = Agent(server, "127.0.0.3").join(token)
    assert (refused.status, refused.body["code"]) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert becomes(lambda: agent.beat().status == 503)
    assert becomes(lambda: server.ask("GET", "/readyz").status == 503)
    assert becomes(lambda: agent.beat("unhealthy").status == 503)
    assert {server.vm(name)["presence"] for name in ("vm-1", "vm-2")} == {"present"}
    fleet.is_away = False
    assert becomes(lambda: agent.beat().status == 200)
    assert becomes(lambda: server.ask("GET", "/readyz").status == 200)
    assert Agent(server, "127.0.0.3").join(token).status == 201
    assert becomes(lambda: server.vm("vm-2")["presence"] == "lost")
    assert "brake-holds" not in [link.entry.action for link in fleet.audit()]
