"""Which label tells VMs from Pods."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.resources import Key
from reconciler.core.rollouts.platforms import Labelled, Platforms, missing, platforms

LABELS = st.dictionaries(st.sampled_from(["platform", "tier", "version"]), st.sampled_from(["vm", "pod", "a"]), max_size=3)


def labelled(kind: str, *found: Mapping[str, str]) -> list[Labelled]:
    """Endpoints with these labels."""
    return [(Key(kind, "shop", f"{kind.lower()}{number}"), labels) for number, labels in enumerate(found)]


def vms(*found: Mapping[str, str]) -> list[Labelled]:
    """VMs with these labels."""
    return labelled("WorkloadEntry", *found)


def pods(*found: Mapping[str, str]) -> list[Labelled]:
    """Pods with these labels."""
    return labelled("Pod", *found)


@pytest.mark.parametrize(
    ("machines", "others", "expected"),
    [
        (vms({"platform": "vm"}), pods({"platform": "pod"}), Platforms("platform", "vm", "pod")),
        (vms({"a": "1", "platform": "x"}), pods({"a": "2", "platform": "y"}), Platforms("platform", "x", "y")),
        (vms({"tier": "old", "app": "b"}), pods({"tier": "new", "app": "b"}), Platforms("tier", "old", "new")),
        (vms({"platform": "vm"}, {}), pods({"platform": "pod"}), None),
        (vms({"platform": "vm"}), pods({"platform": "pod"}, {}), None),
        (vms({"platform": "vm"}), pods({"app": "b"}), None),
        (vms({"version": "v1"}), pods({"version": "v2"}), None),
        (vms({"topology.kubernetes.io/zone": "a"}), pods({"topology.kubernetes.io/zone": "b"}), None),
        (vms({"platform": "vm"}), pods(), Platforms("platform", "vm", "pod")),
        (vms({"tier": "old"}), pods(), None),
    ],
)
def test_a_label_has_one_value_on_all_vms_and_another_one_on_all_pods(
    machines: list[Labelled], others: list[Labelled], expected: Platforms | None
) -> None:
    """Labels of versions and places are none: the next Pods would be in no subset. Pods that are not there yet say `pod`."""
    assert platforms(machines, others) == expected


@given(st.lists(LABELS, min_size=1, max_size=3), st.lists(LABELS, max_size=3))
def test_what_is_found_tells_each_from_each(machines: list[Mapping[str, str]], others: list[Mapping[str, str]]) -> None:
    """No VM is in the Pods' subset, no Pod in the VMs', and nobody is in none."""
    found = platforms(vms(*machines), pods(*others))
    if found:
        assert {one.get(found.label) for one in machines} == {found.vm}
        assert {one.get(found.label) for one in others} <= {found.pod}
        assert found.vm != found.pod


def test_what_is_missing_is_named() -> None:
    """The first of those that lack the label, VMs before Pods."""
    said = missing(vms({"platform": "vm"}, {}), pods({}, {}, {}))
    assert said.endswith("platform: pod, first WorkloadEntry shop/workloadentry1, Pod shop/pod0, Pod shop/pod1 and 1 more")
