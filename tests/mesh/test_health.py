"""The health of VMs in a real mesh: an agent that falls ill or silent, and Envoy's endpoints, under unending requests."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.resources import Document
from tests.e2e.command import Running
from tests.mesh.manifests import VMS, WORKLOADS
from tests.mesh.stage import Stage
from tests.mesh.traffic import ENOUGH, Traffic
from tests.registry.served import LOOPBACK, OPERATOR, Agent, Served
from tests.waiting import becomes

#: Seconds for one test: a busy machine takes its time.
pytestmark = pytest.mark.timeout(200)
BOTH = dict.fromkeys(VMS, Fraction(1, 2))
FIRST_ALONE = {VMS[0]: Fraction(1)}
#: So long may an agent be silent.
QUICK = {
    "RECONCILER_REGISTRY_SERVER__HEARTBEAT": "1s",
    "RECONCILER_REGISTRY_SERVER__LEASE": "3s",
    "RECONCILER_REGISTRY_SERVER__SWEEP": "1s",
}


def _checked(stage: Stage) -> list[Document]:
    """The WorkloadEntries, whose health is to count."""
    asked = {"annotations": {HEALTH_CHECKED: "true"}}
    return [{**one, "metadata": {**one["metadata"], **asked}} for one in stage.billing.machines(VMS)]


def _agents(stage: Stage, registry: Running) -> list[Agent]:
    """An agent on each VM, which has joined."""
    number = registry.wait_for("listens at port")
    port = int(registry.lines[number - 1].rpartition(" ")[2])
    served = Served(port, MemoryFleet(), MemoryRegistry(SystemClock()))
    agents = [Agent(served, address) for address in VMS]
    for agent in agents:
        asked = {"namespace": stage.site.namespace, "name": WORKLOADS[agent.address], "addresses": LOOPBACK}
        assert agent.join(served.operate("POST", "/v1/tokens", asked).body["token"]).status == 201
    return agents


def _beating(traffic: Traffic, shares: Mapping[str, Fraction], *agents: Agent) -> None:
    """Let these agents say that they are well until requests are divided so."""
    wanted = traffic.requests(shares) + ENOUGH

    def divided() -> bool:
        for agent in agents:
            agent.beat()
        return traffic.requests(shares) >= wanted

    assert becomes(divided), f"Envoy has {traffic.sidecar.endpoints()}, wanted are {shares}"


def test_an_ill_and_a_silent_vm_leave_envoy_and_come_back(stage: Stage) -> None:
    """No request fails meanwhile, and none reaches a VM that is out; nothing is deleted."""
    stage.commit(stage.billing.round_robin(), stage.billing.behind(), *_checked(stage))
    stage.apply()
    token = stage.site.data / "operator.token"
    token.write_text(OPERATOR)
    token.chmod(0o600)
    site = stage.site.with_variables(**QUICK)
    with (
        stage.under_traffic() as traffic,
        site.reconciler.start("registry", "serve", "--listen", "127.0.0.1:0") as registry,
        site.reconciler.start("serve", "--allow-local"),
    ):
        one, two = _agents(stage, registry)
        _beating(traffic, BOTH, one, two)
        assert becomes(lambda: all(one["metadata"].get("annotations") for one in site.objects("WorkloadEntry").values()))

        two.beat("unhealthy", "the probe got 500")
        _beating(traffic, FIRST_ALONE, one)
        _beating(traffic, BOTH, one, two)

        _beating(traffic, FIRST_ALONE, one)  # the other one is silent, and lost after its lease
        _beating(traffic, BOTH, one, two)
    assert traffic.web.failed.total() == 0
    assert set(site.objects("WorkloadEntry")) == {WORKLOADS[address] for address in VMS}
