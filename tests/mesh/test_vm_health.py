"""Two network namespaces as VMs beside a Pod, in the real mesh: one is killed, and how soon Envoy and `status` know."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.cli.show import table
from reconciler.core.health.conditions import Reason
from reconciler.core.health.sources import Source
from tests.agent.agents import AgentProcess
from tests.mesh.manifests import NAME
from tests.mesh.scene import POD, Parts, Scene, joined, played
from tests.mesh.traffic import ENOUGH
from tests.waiting import becomes

#: Seconds for one test: a busy machine takes its time.
pytestmark = pytest.mark.timeout(200)
#: So often agents come, so long may one be silent, and so soon after that it is lost.
PACE = {"HEARTBEAT": "1s", "LEASE": "3s", "SWEEP": "1s"}
DYING, OTHER = f"{NAME}-vm-2", f"{NAME}-vm-1"
POD_ALONE = {POD: Fraction(1)}


@dataclass(slots=True)
class Diary:
    """What happened when, with the requests sent and failed until then."""

    scene: Scene
    rows: list[tuple[str, datetime, str, str]] = field(default_factory=list)

    def note(self, event: str) -> datetime:
        """Write a line; returns its time."""
        self.rows.append((event, SystemClock().now(), f"{self.scene.web.sent:,}", f"{self.scene.failed:,}"))
        return self.rows[-1][1]

    def learn(self, event: str, at: datetime) -> None:
        """Write a line about what was so at another time."""
        self.rows.append((event, at, "", ""))

    def cells(self) -> list[tuple[str, ...]]:
        """The rows for people, in the order of time, which counts from the first one."""
        began = self.rows[0][1]
        return [
            (event, f"{at:%H:%M:%S.%f}"[:-3], f"{(at - began).total_seconds():.2f} s", sent, failed)
            for event, at, sent, failed in sorted(self.rows, key=lambda row: row[1])
        ]


def _kill(scene: Scene, agents: Mapping[str, AgentProcess], name: str) -> None:
    """Let a VM die: neither its workload nor its agent says goodbye."""
    scene.vms[name].kill()
    agents[name].end(signal.SIGKILL)


def test_a_vm_that_is_killed_leaves_envoy_when_its_lease_is_over(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    """A drain and its undo cost no request; a death costs those until the lease is over, and none from then on.

    The other VM dies, too: the registry's brake holds it, its probe from here fails, and it leaves all the same.
    """
    with (
        played(parts, Source.AGENT, RECONCILER_HEALTH__PROBE_NETWORKS=f"{parts.network.prefix}.0/24") as scene,
        joined(scene, **PACE) as (desk, agents),
        scene.under_traffic() as traffic,
    ):
        everybody, survivors = scene.everybody, scene.without(DYING)
        for draining, shares in ((True, survivors), (False, everybody)):
            desk.drain(scene.key(DYING), draining=draining)
            traffic.wait_for(shares, traffic.requests(shares) + ENOUGH)
        assert scene.failed == 0
        before, counted, diary = scene.split(), traffic.requests(survivors), Diary(scene)

        diary.note("killed")
        _kill(scene, agents, DYING)
        assert becomes(lambda: scene.condition(DYING).reason == Reason.REPORTED_UNHEALTHY)
        flipped = diary.note("condition on the API server")
        assert becomes(lambda: set(traffic.sidecar.endpoints()) == set(survivors)), traffic.sidecar.endpoints()
        diary.note("out of Envoy's endpoints")
        traffic.wait_for(survivors, counted + 1)
        lost = scene.failed
        traffic.wait_for(survivors, counted + ENOUGH)
        diary.note("end")
        lease = next(datetime.fromisoformat(one["leaseEnds"]) for one in desk.vms() if one["name"] == DYING)
        diary.learn("lease is over", lease)
        after, survived = scene.split(), traffic.eras[-1]
        assert (survived.shares, survived.failed.total(), scene.failed) == (survivors, 0, lost)

        _kill(scene, agents, OTHER)
        traffic.wait_for(POD_ALONE)
        assert scene.condition(OTHER).reason == Reason.UNREACHABLE
        assert {one["name"]: bool(one["heldBy"]) for one in desk.vms()} == {DYING: False, OTHER: True}
        both_lost = scene.failed
        traffic.wait_for(POD_ALONE, traffic.requests(POD_ALONE) + ENOUGH)
    with capsys.disabled():
        table(("a VM is killed", "at", "since then", "requests", "failed"), diary.cells())
        table(("`reconciler status`", "traffic"), (("before", before), ("after", after)))
    assert lease <= flipped
    assert 0 < lost <= both_lost == scene.failed
    assert before.startswith("vm 66.7 % (2), pod 33.3 % (1)")
    assert after.startswith("vm 50.0 % (1), pod 50.0 % (1)")


def test_a_vm_without_an_agent_is_probed_from_here(parts: Parts) -> None:
    """Whoever stops answering leaves Envoy by its condition, and comes back by itself; nothing is deleted."""
    networks = f"{parts.network.prefix}.0/24"
    with played(parts, Source.PROBE, RECONCILER_HEALTH__PROBE_NETWORKS=networks) as scene, scene.under_traffic() as traffic:
        scene.vms[DYING].kill()
        traffic.wait_for(scene.without(DYING))
        assert scene.condition(DYING).message == "its probe from here fails: Connection refused"
        lost, counted = scene.failed, traffic.requests(scene.everybody)
        scene.vms[DYING].start()
        traffic.wait_for(scene.everybody, counted + ENOUGH)
        assert scene.failed == lost


def test_a_vm_whose_health_does_not_count_is_drained_by_its_labels(parts: Parts) -> None:
    """Without them Envoy has it no more, with them it has it again, and no request fails for that."""
    with (
        played(parts, Source.AGENT, counts=False) as scene,
        joined(scene, **PACE) as (desk, _),
        scene.under_traffic() as traffic,
    ):
        assert becomes(lambda: {one["name"] for one in desk.vms()} == set(scene.vms))
        for draining, shares in ((True, scene.without(DYING)), (False, scene.everybody)):
            desk.drain(scene.key(DYING), draining=draining)
            traffic.wait_for(shares, traffic.requests(shares) + ENOUGH)
            labels = scene.site.objects("WorkloadEntry")[DYING]["spec"].get("labels", {})
            assert ("app" in labels) is not draining
        assert scene.failed == 0
