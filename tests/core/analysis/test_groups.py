"""Rules about WorkloadGroups that VMs may join."""

import pytest

from reconciler.core.analysis import Code
from tests.core.analysis.commits import document, problems, workload

AUTO, RETIRE, HEALTH = (f"mesh-reconciler.io/{name}" for name in ("autoRegister", "retireAfter", "health"))


@pytest.mark.parametrize(
    ("annotations", "wrong"),
    [
        ({AUTO: "true"}, ""),
        ({AUTO: "10.0.0.0/16, fd00::/8", RETIRE: "90m", HEALTH: "agent"}, ""),
        ({AUTO: "false"}, AUTO),
        ({AUTO: ""}, AUTO),
        ({AUTO: "10.0.0.1/16"}, AUTO),
        ({AUTO: "10.0.0.0/16,"}, AUTO),
        ({AUTO: "true", RETIRE: "a day"}, RETIRE),
        ({AUTO: "true", RETIRE: "-1h"}, RETIRE),
        ({AUTO: "true", HEALTH: "assumed"}, HEALTH),
        ({HEALTH: "assumed"}, ""),
    ],
)
def test_what_annotations_mean(annotations: dict[str, str], wrong: str) -> None:
    """True or networks, a length of time, and the agent's word on health: nobody else says that a VM has gone."""
    group = document("WorkloadGroup", "web", {"template": {}}, annotations=annotations)
    told = [(Code.JOIN_VALUE, "error", "WorkloadGroup shop/web", f'metadata.annotations["{wrong}"]')] if wrong else []
    assert problems(group) == told


def test_nobody_passes_an_entry_off_as_one_of_a_vm_that_joined() -> None:
    """The mark is the reconciler's own."""
    found = problems(workload("vm", annotations={"mesh-reconciler.io/joined": "2026-03-01T12:00:00Z"}))
    assert [one[:3] for one in found] == [(Code.JOIN_VALUE, "error", "WorkloadEntry shop/vm")]
