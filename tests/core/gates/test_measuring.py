"""The queries behind counts and durations."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.gates.answers import Arm, Window
from reconciler.core.gates.measuring import durations, errors, newest, requests
from reconciler.core.gates.promql import selectors
from reconciler.core.gates.spec import Reporter
from tests.core.gates.scenes import HOSTS, NOON, PODS, VMS

WINDOW = Window(NOON, NOON + timedelta(seconds=30))
PODS_SELECTOR = (
    'istio_requests_total{reporter="source",destination_service=~"billing\\\\.shop\\\\.internal",'
    'destination_workload_namespace="shop",destination_workload=~"billing"}'
)


def test_requests_of_an_arm_are_the_growth_of_its_counters() -> None:
    """Grown series by their growth, new ones from zero where their target was known; resets are in neither."""
    now, before = PODS_SELECTOR, f"{PODS_SELECTOR} offset 30000ms"
    assert requests(PODS, WINDOW, Reporter.SOURCE) == (
        f"sum((({now}) - ({before}) >= 0) or ((({now}) unless ({before})) and on (job, instance) (up offset 30000ms == 1)))"
    )


def test_vms_are_told_from_pods_by_workload() -> None:
    """Each arm names its own, quoted and escaped."""
    assert 'destination_workload=~"billing-vm-1|billing-vm-2"' in requests(VMS, WINDOW, Reporter.SOURCE)
    assert 'destination_workload=~"billing"' in requests(PODS, WINDOW, Reporter.SOURCE)
    assert "destination_workload" not in requests(Arm(HOSTS), WINDOW, Reporter.SOURCE)


def test_labels_of_the_policy_stand_in_for_workloads() -> None:
    """Equal to them, whatever they hold."""
    arm = Arm(HOSTS, "shop", ("billing",), labels={"version": 'v2"} or up{x="'})
    (only,) = selectors(newest(arm, Reporter.DESTINATION))
    assert only.endswith('version="v2\\"} or up{x=\\""}')
    assert "workload" not in only


@pytest.mark.case("T8", "A5")
@pytest.mark.parametrize("name", ['a="b"} or up{c', "a b", "", "1a", "a\n"])
def test_names_of_labels_are_names(name: str) -> None:
    """They stand in queries without quotes, so they cannot be just anything."""
    with pytest.raises(ValueError, match="no name of a label"):
        Arm(HOSTS, labels={name: "x"})


def test_failures_are_those_of_http_of_grpc_and_of_nowhere() -> None:
    """5xx, no answer, gRPC's server faults; and what found no endpoint, where the arm is to have it."""
    text = errors(PODS, WINDOW, Reporter.SOURCE)
    assert 'response_code=~"5..|0"' in text
    assert 'grpc_response_status=~"2|4|13|14|15"' in text
    assert "UH|NC" not in text
    lost = errors(replace(PODS, lost=True), WINDOW, Reporter.SOURCE)
    assert 'destination_workload="unknown",response_flags=~"(.*,)?(UH|NC|NR)(,.*)?",response_code=~"5..|0"' in lost


def test_durations_come_by_bound() -> None:
    """In milliseconds, by the label le."""
    text = durations(PODS, WINDOW, Reporter.DESTINATION)
    assert text.startswith("sum by (le) (")
    assert 'istio_request_duration_milliseconds_bucket{reporter="destination"' in text
