"""A person at the command line, from the first commit on: each command is a process, and both stores are read without it."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest

from reconciler.reports import as_json
from tests.e2e.command import Ended
from tests.e2e.manifests import billing, entry
from tests.e2e.site import Site

#: Seconds for one test: each starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)

VMS = {f"billing-vm-{number}": f"10.20.1.{number}" for number in (1, 2, 3)}


def report(done: Ended) -> dict[str, Any]:
    """The JSON report that a command printed, which must be nothing else and as its schema says."""
    document: dict[str, Any] = json.loads(done.out)
    jsonschema_rs.validate(as_json.schema(), document)
    assert document["exitCode"] == done.code
    return document


def digest(done: Ended) -> str:
    """The plan's digest as it stands in the terminal report."""
    found = re.search(r"^plan ([0-9a-f]{64})$", done.out, re.MULTILINE)
    assert found, done
    return found[1]


def weights(site: Site) -> set[int]:
    """The weights that the cluster's WorkloadEntries have."""
    return {one["spec"]["weight"] for one in site.objects("WorkloadEntry").values()}


@pytest.fixture
def settled(site: Site) -> Site:
    """A target whose first commit has been applied: billing on three VMs."""
    site.repository.commit(billing(site.namespace), message="Start")
    site.reconciler("apply", "--yes", code=0)
    return site


def test_a_pushed_commit_comes_to_both_stores(site: Site) -> None:
    """Looked at in every form without a write, applied once; then there is nothing left to do."""
    site.repository.commit(billing(site.namespace), message="Put billing into the mesh")
    diff = report(site.reconciler("diff", "-o", "json", code=2))
    assert {one["state"] for one in diff["differences"]} == {"create"}
    plan = site.reconciler("plan", code=2)
    assert f"billing.{site.namespace}.internal:80  no such service → vm 100.0 % (3)" in plan.out
    page = site.reconciler("plan", "-o", "html", code=2).out
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert not site.versions()

    applied = site.reconciler("apply", "--yes", "--digest", digest(plan), "-o", "markdown", code=0)
    assert applied.out.startswith("### mesh-reconciler: Applied: 7 writes done; cluster and registry hold what Git says.\n")
    assert site.records() == VMS
    assert {name: one["spec"]["address"] for name, one in site.objects("WorkloadEntry").items()} == VMS
    assert site.objects("ServiceEntry")["billing"]["spec"]["workloadSelector"] == {"labels": {"app": "billing"}}
    assert site.lease_holder() == ""

    before = site.versions()
    again = report(site.reconciler("diff", "-o", "json", code=0))
    assert (again["verdict"], again["differences"], again["plan"]["units"]) == ("in-sync", [], [])
    assert "In sync" in site.reconciler("apply", "--yes", code=0).out
    assert site.versions() == before


def test_a_broken_commit_changes_nothing_and_names_the_place(settled: Site) -> None:
    """With file, line, column and what to do; the next good commit goes on."""
    broken = billing(settled.namespace, weight=20)
    broken["billing/service-entry.yaml"] = entry(settled.namespace).replace("STATIC", "STATICC")
    settled.repository.commit(broken, message="A slip of the pen")
    before = settled.versions()

    refused = settled.reconciler("apply", "--yes", code=1)
    place = r"^billing/service-entry\.yaml:10:15: error: ServiceEntry .* spec\.resolution: must be one of"
    assert re.search(place, refused.out, re.MULTILINE)
    assert "Invalid: 1 error in Git; nothing was changed." in refused.out
    (problem,) = report(settled.reconciler("plan", "-o", "json", code=1))["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("billing/service-entry.yaml", 10, 15)
    assert settled.versions() == before

    settled.repository.commit(billing(settled.namespace, weight=20), message="Mend it")
    mended = settled.reconciler("apply", "--yes", "--registry", "none", code=0)
    assert "Applied: 3 writes done" in mended.out
    assert weights(settled) == {20}


def test_a_guard_holds_until_its_name_is_said_for_that_plan(settled: Site) -> None:
    """A change for all clients at once waits; what is beside it does not; the name lets it through for one plan alone."""
    name = f"wholesale:{settled.namespace}/billing"
    settled.repository.commit(billing(settled.namespace, weight=20, port=8080), message="Move the port")
    part = settled.reconciler("apply", "--yes", code=3)
    assert "Applied in part: 3 writes done. Refused: 1 guard, 1 write held back (1 to update, 6 in sync)." in part.out
    assert part.out.endswith("# shows how things stand now, and what is left\nreconciler plan\n")
    assert weights(settled) == {20}

    before = settled.versions()
    refused = settled.reconciler("apply", "--yes", "--allow", name, "--digest", "0" * 64, code=3)
    assert "Refused: the plan is another one by now" in refused.out
    assert settled.versions() == before
    assert digest(part) == digest(settled.reconciler("plan", code=3)), "what waits is what was seen to wait"

    plan = settled.reconciler("plan", code=3)
    (line,) = [line for line in plan.out.splitlines() if line.startswith("reconciler apply ")]
    assert line == f"reconciler apply --digest {digest(plan)} --allow {name}"
    settled.reconciler(*line.split()[1:], "--yes", code=0)
    assert settled.objects("ServiceEntry")["billing"]["spec"]["ports"][0]["number"] == 8080


def test_what_leaves_git_waits_before_it_is_deleted(settled: Site) -> None:
    """One VM of three goes with its name said now, and its record with it."""
    settled.repository.commit(billing(settled.namespace, count=2), message="Retire a VM")
    waiting = settled.reconciler("apply", "--yes", code=2)
    assert re.search(r"goes on with the first run after .* \(in 29 min\)", waiting.out)
    assert set(settled.records()) == set(VMS)

    settled.reconciler("apply", "--yes", "--prune-now", f"WorkloadEntry/{settled.namespace}/billing-vm-3", code=0)
    assert set(settled.objects("WorkloadEntry")) == set(settled.records()) == {"billing-vm-1", "billing-vm-2"}


def test_status_and_history_tell_how_things_stand(settled: Site) -> None:
    """What waits and how it goes on; every run that did or found something."""
    settled.repository.commit(billing(settled.namespace, port=8080), message="Move the port")
    settled.reconciler("apply", "--yes", code=3)
    assert f"(for --allow wholesale:{settled.namespace}/billing)" in settled.reconciler("status", code=0).out.replace("\n", "")
    told = json.loads(settled.reconciler("status", "-o", "json", code=0).out)
    assert (told["target"], told["objects"], told["openWrites"]) == (settled.target, 7, 0)
    runs = json.loads(settled.reconciler("history", "-o", "json", code=0).out)
    for run in runs:
        jsonschema_rs.validate(as_json.schema(), run)
    assert [run["verdict"] for run in runs] == ["refused", "applied"]
    assert re.search(r"\| refused \| 0 \|.*\n.*\| applied \| 7 \|", settled.reconciler("history", "-o", "markdown", code=0).out)


def test_a_lost_store_writes_nothing_before_it_is_recovered(settled: Site) -> None:
    """It says what to do; `recover` shows what the marks say is ours, and then work goes on."""
    for file in settled.data.glob("state.db*"):
        file.unlink()
    settled.repository.commit(billing(settled.namespace, weight=20), message="Raise the weights")
    refused = settled.reconciler("apply", "--yes", code=3).out
    assert "Refused: the target belongs to another state store" in refused
    assert weights(settled) == {10}

    assert "ours: 7 objects" in settled.reconciler("recover", "--yes", code=0).out
    settled.reconciler("apply", "--yes", code=0)
    assert weights(settled) == {20}


def test_released_objects_stay_as_they_are_and_are_ours_no_more(settled: Site) -> None:
    """The new manager owns what we declared, our mark is gone, and nothing is taken back unasked."""
    specs = {name: one["spec"] for name, one in settled.objects("WorkloadEntry").items()}
    settled.reconciler("release", f"{settled.namespace}/billing", "--to", "shop-team", "--yes", code=0)
    after = settled.objects("WorkloadEntry")
    assert {name: one["spec"] for name, one in after.items()} == specs
    assert {manager["manager"] for one in after.values() for manager in one["metadata"]["managedFields"]} == {"shop-team"}
    assert not any(one["metadata"].get("labels") for one in after.values())
    before = settled.versions()
    assert "made by shop-team, and is not touched" in settled.reconciler("apply", "--yes", code=2).out
    assert settled.versions() == before


def test_registry_and_state_on_postgresql(site: Site, postgresql: str) -> None:
    """Two machines without a common disk see one target."""
    site.repository.commit(billing(site.namespace), message="Start")
    first = site.with_variables(RECONCILER_REGISTRY=postgresql, RECONCILER_STATE=postgresql)
    first.reconciler("apply", "--yes", code=0)
    assert first.records() == VMS
    second = first.with_variables(RECONCILER_DATA=str(first.data / "elsewhere"))
    assert report(second.reconciler("apply", "--yes", "-o", "json", code=0))["verdict"] == "in-sync"
