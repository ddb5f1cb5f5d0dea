"""A VirtualService between the services of several units: a unit of its own, which moves requests by the same steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.adapters.memory_metrics import Traffic
from reconciler.core.records import Health
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.rollout import Outcome, Phase
from tests.building import document, service_entry, workload_entry
from tests.cycle.test_rollouts import STEPS, Counted, policy, vm
from tests.worlds import World, mixed

OTHER = "other.internal"
OTHER_VM = Key("VirtualMachine", "shop", "other1")
COMPARE = {"name": "canary", "compare": {"metric": "errors"}, "interval": "30s"}


def default(**spec: Any) -> Document:
    """The RolloutPolicy of all services of the namespace."""
    found = policy(**spec)
    return {**found, "spec": {name: value for name, value in found["spec"].items() if name != "serviceEntry"}}


def mesh(weight: int, host: str = OTHER, first: str = "billing.internal") -> list[Document]:
    """Two services, and a route that sends so many percent of its requests to the first one, the others to the other one."""
    route = [
        {"destination": {"host": first}, "weight": weight},
        {"destination": {"host": host}, "weight": 100 - weight},
    ]
    return [
        *mixed(vm(1), vm(2)),
        service_entry("other", workloadSelector={"labels": {"app": "other"}}),
        workload_entry("other1", address="10.0.1.1", labels={"app": "other"}),
        document("VirtualService", "front", spec={"hosts": ["front.internal"], "http": [{"route": route}]}),
    ]


@dataclass
class Routed(Counted):
    """A route between two services, rolled out by the namespace's policy; requests are counted, those to `bad` fail."""

    policy: Document | None = field(default_factory=default)
    bad: str = ""

    def look(self) -> Report:
        for host, weight in self.weights().items():
            requests = 100 * weight
            self.metrics.serve(Traffic(host, "shop", host), requests, errors=requests if host == self.bad else 0)
        return super().look()

    def weights(self) -> dict[str, int]:
        """How many percent of the requests each host gets."""
        (route,) = self.world.spec("VirtualService", "front")["http"]
        total = sum(one["weight"] for one in route["route"])
        return {one["destination"]["host"]: 100 * one["weight"] // total for one in route["route"]}


def moving(**spec: Any) -> Routed:
    """Nine tenths go to billing, and Git wants that of the other service."""
    routed = Routed(World(), default(**spec))
    routed.begin_with(*mesh(90))
    routed.commit(*mesh(10))
    routed.look()
    return routed


def test_requests_move_between_services_by_the_steps_of_the_default() -> None:
    """No service's own policy is asked: the route belongs to none. Undone, everything stands as before."""
    routed, seen = moving(), list[int]()
    assert routed.newest.unit == "VirtualService shop/front"
    while routed.newest.phase is not Phase.WATCHING:
        seen += [] if routed.weights()[OTHER] in seen else [routed.weights()[OTHER]]
        routed.look()
    assert seen == [18, 50, 90]
    routed.until_settled()
    assert routed.look().verdict is Verdict.IN_SYNC


def test_harm_to_the_endpoints_that_get_more_undoes() -> None:
    """They are another unit's, and the step is about them."""
    routed = moving()
    routed.until(Phase.SOAKING, 1)
    routed.look()
    for _ in range(4):
        routed.world.registry.report(OTHER_VM, {"address": "10.0.1.1", "health": Health.UNHEALTHY})
        routed.look()
    assert routed.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert routed.weights()[OTHER] == 10


@pytest.mark.parametrize("bad", ["", OTHER])
def test_hosts_are_the_arms_that_are_compared(bad: str) -> None:
    """A request counts for the host that the route sent it to."""
    steps = [{**step, "gates": ["canary"]} for step in STEPS]
    routed = moving(steps=steps, gates=[COMPARE], holdback="1%")
    routed.bad = bad
    found = routed.until(Phase.IDLE if bad else Phase.WATCHING)
    assert (found.outcome is Outcome.UNDONE, routed.weights()[OTHER]) == (bool(bad), 10 if bad else 90)


def test_where_nothing_is_known_of_the_endpoints_time_and_gates_decide() -> None:
    """The host is no ServiceEntry: nobody here can tell how its endpoints are, and the step's evidence says so."""
    routed = Routed()
    hosts = ("one.example.org", "two.example.org")
    routed.begin_with(*mesh(90, *hosts))
    routed.begin(*mesh(10, *hosts))
    assert "no endpoint is known" in routed.until(Phase.WATCHING).reason
