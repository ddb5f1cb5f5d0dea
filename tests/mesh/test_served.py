"""The long-running `serve` in a real mesh: what is pushed to Git becomes how requests go, and none of them fails."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from tests.mesh.manifests import PODS, VMS
from tests.mesh.stage import Stage
from tests.mesh.traffic import ENOUGH

#: Seconds for one test: a rollout takes its time, and a busy machine takes more.
pytestmark = pytest.mark.timeout(200)
RUNNING = PODS[:6]
#: Everybody's share while two VMs serve alone, and where each VM and Pod weighs 1.
VMS_ALONE = dict.fromkeys(VMS, Fraction(1, 2))
ALIKE = dict.fromkeys((*VMS, *RUNNING), Fraction(1, 8))


def test_pushes_become_traffic(stage: Stage) -> None:
    """A list of VMs, then a selector for them, then Pods beside them, in the steps of the policy; nobody runs a command."""
    billing, pods = stage.billing, stage.deployment("7d9c5b6f4", PODS)
    rule, gated, machines = billing.round_robin(), billing.policy("success"), billing.machines(VMS)
    stage.commit(rule, gated, billing.inline(VMS))
    with stage.site.reconciler.start("serve", "--allow-local") as serve:
        said = serve.wait_for("In sync")
        with stage.under_traffic() as traffic:
            traffic.wait_for(VMS_ALONE)
            stage.commit(rule, gated, billing.behind(platform="vm"), *machines)
            said = serve.wait_for("In sync", said)
            pods.scale(len(RUNNING))
            traffic.wait_for(VMS_ALONE, traffic.requests(VMS_ALONE) + ENOUGH)

            stage.commit(rule, gated, billing.behind(), *machines)
            for number in range(1, 5):
                said = serve.wait_for(f"applying, step {number} of 4", said)
            serve.wait_for("In sync", said)
            traffic.wait_for(ALIKE)
        assert serve.end() == 0
    assert traffic.web.failed.total() == 0
    assert [fault for era in traffic.eras for fault in era.faults()] == []
    path = [era.split.share("pod") for era in traffic.eras]
    assert [(earlier, later) for earlier, later in pairwise(path) if later < earlier] == []
    steps = [share for share in dict.fromkeys(path) if share]
    bounds = [part * Fraction(3, 4) for part in (Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(1))]
    assert len(steps) == len(bounds)
    assert [(share, bound) for share, bound in zip(steps, bounds, strict=True) if share > bound] == []
