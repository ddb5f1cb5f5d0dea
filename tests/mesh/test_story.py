"""The job that all of this is for, in a real mesh: a service moves from VMs to Pods by Git commits, under requests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import pytest

from reconciler.cli.show import table
from reconciler.demo.measured import HEADS, Row
from tests.mesh.manifests import BAD, PODS, VMS
from tests.mesh.stage import PATIENCE, Stage
from tests.mesh.traffic import ENOUGH, Traffic

#: Seconds for one test: a rollout takes its time, and a busy machine takes more.
pytestmark = pytest.mark.timeout(400)
#: By so much Pods may raise their share until weights have followed, where 6 become 8 behind weights of 42.
MOMENT = Fraction(8, 50) - Fraction(6, 48) + Fraction(1, 1000)
#: Everybody's share while two VMs serve alone.
VMS_ALONE = dict.fromkeys(VMS, Fraction(1, 2))


def told(rows: Sequence[Row], traffic: Traffic, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the table of steps, whatever comes of it, and hold every share ever measured against its prediction."""
    with capsys.disabled():
        table(HEADS, [row.cells() for row in rows])
    assert [fault for era in traffic.eras for fault in era.faults()] == []
    assert [row.step for row in rows if not row.holds] == []


def test_a_service_moves_from_a_list_of_vms_to_pods(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """No request fails, each step's share is as predicted, also where the HPA starts more Pods in the middle of a step."""
    billing, pods = stage.billing, stage.deployment("7d9c5b6f4", PODS)
    rule, gated, machines = billing.round_robin(), billing.policy("success"), billing.machines(VMS)
    stage.commit(rule, gated, billing.inline(VMS))
    stage.apply()
    with stage.under_traffic() as traffic:
        traffic.wait_for(VMS_ALONE)

        stage.commit(rule, gated, billing.behind(), *machines)
        planned = stage.plan("a selector for the list")
        stage.apply()
        assert [step.shares for step in planned] == [VMS_ALONE]
        traffic.wait_for(VMS_ALONE, traffic.requests(VMS_ALONE) + ENOUGH)

        half = billing.policy("success", approvals=2, split={"vm": 50, "pod": 50}, expectPods=6)
        stage.commit(rule, half, billing.behind(), *machines)
        with stage.applying() as run:
            run.wait_for("step 1 of 4")
            pods.scale(6)
            joining = stage.plan("6 Pods join")
            traffic.wait_for(joining[0].shares)
            stage.approve()
            traffic.wait_for(joining[1].shares)
            pods.scale(8)
            joining[2:] = stage.plan("8 Pods")
            traffic.wait_for(joining[2].shares)
            stage.approve()
            assert run.ended(PATIENCE) == 0
        planned += joining
        traffic.wait_for(planned[-1].shares)

        stage.commit(rule, gated, billing.behind())
        planned += stage.plan("the VMs leave")
        stage.apply()
        traffic.wait_for(dict.fromkeys(PODS, Fraction(1, 8)))
    told([step.row(traffic) for step in planned], traffic, capsys)
    assert traffic.web.failed.total() == 0
    path = [float(era.split.share("pod")) for era in traffic.eras]
    assert [(earlier, later) for earlier, later in pairwise(path) if later < earlier - MOMENT] == [], path
    assert stage.site.objects("WorkloadEntry") == {}


def test_a_bad_version_is_undone(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Pods that answer 500 get the first step's requests and no more: the gate that compares them with the VMs sees it."""
    billing, pods = stage.billing, stage.deployment("5f6c8d9b7", BAD)
    rule, gated, machines = billing.round_robin(), billing.policy("no-worse"), billing.machines(VMS)
    stage.commit(rule, gated, billing.behind(platform="vm"), *machines)
    stage.apply()
    with stage.under_traffic() as traffic:
        pods.scale(2)
        traffic.wait_for(VMS_ALONE)

        stage.commit(rule, gated, billing.behind(), *machines)
        first, second, *_ = stage.plan("bad Pods join")
        undone = stage.apply(code=3)
        traffic.wait_for(VMS_ALONE, traffic.requests(VMS_ALONE) + ENOUGH)
    last = traffic.eras[-1]
    told([first.row(traffic), Row.of("undone", Fraction(0), last.split, [last])], traffic, capsys)
    assert "undoing, step 1 of 1, 100 % of the way back: no-worse: fail, harm: the canary is worse" in undone.err
    assert last.shares == VMS_ALONE
    assert traffic.requests(second.shares) == 0
    assert {address for address, failed in traffic.web.failed.items() if failed} == set(BAD)
