"""Two servers over one PostgreSQL: agents go to either, operators too."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.fleet_sql import SqlFleet
from reconciler.adapters.registry_sql import SqlRegistry
from reconciler.core.fleet.leases import Pace
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from tests.contracts.registry import key, record
from tests.registry.served import OPERATOR, Agent, Served, served
from tests.waiting import becomes

SECOND = timedelta(seconds=1)
#: Looks often, with leases that a busy machine keeps.
RULES = ServerRules(DoorRules(OPERATOR), Pace(heartbeat=SECOND, lease=6 * SECOND, sweep=SECOND))


@pytest.fixture
def replicas(postgresql: str) -> Iterator[tuple[Served, Served]]:
    """Run two servers of one target."""
    with ExitStack() as stack:
        both = []
        for _ in range(2):
            fleet, registry = SqlFleet(postgresql, "production"), SqlRegistry(postgresql, "production", SystemClock())
            stack.callback(fleet.close)
            stack.callback(registry.close)
            both.append(stack.enter_context(served(RULES, fleet, registry)))
        yield both[0], both[1]


def test_an_agent_may_go_to_either(replicas: tuple[Served, Served]) -> None:
    """A token from one joins at the other; a copy is found out wherever it comes; what one decides the other knows soon."""
    one, two = replicas
    one.registry.put(record())
    agent = Agent(two)
    token = one.token()
    assert becomes(lambda: agent.join(token).status == 201)
    agent.served = one
    assert becomes(lambda: agent.beat("unhealthy", "down").status == 200)
    assert becomes(lambda: two.operate("GET", "/v1/vms/shop/vm-1").body.get("health") == "unhealthy")
    two.operate("POST", "/v1/vms/shop/vm-1/drain")
    assert becomes(lambda: agent.beat("unhealthy", "down").status == 200 and agent.workloads[0]["draining"])
    assert Agent(one, "127.0.0.2").join(token).body["code"] == "token-used"


@pytest.mark.case("V-05")
def test_who_is_heard_by_one_is_not_lost_by_the_other(replicas: tuple[Served, Served]) -> None:
    """All beats go to one replica for longer than a lease, while both sweep; then nobody beats, and it is lost, once."""
    one, two = replicas
    one.registry.put(record())
    agent = Agent(one)
    agent.join(one.token())
    clock = SystemClock()
    ends = clock.monotonic() + 1.5 * RULES.pace.lease.total_seconds()
    while clock.monotonic() < ends:
        agent.beat()
        assert one.vm()["presence"] == "present"
        threading.Event().wait(RULES.pace.heartbeat.total_seconds() / 3)
    assert becomes(lambda: two.vm()["presence"] == "lost")
    lost = [link.entry.action for link in one.fleet.audit()].count("lost")
    assert lost == 1
    live = one.registry.get(key())
    assert live is not None
    assert becomes(lambda: (one.registry.get(key()) or live).document["status"]["health"] == "unhealthy")
