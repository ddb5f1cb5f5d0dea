"""A service at a moment of the past: who wanted what, who let it go on, and where requests went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Word
from reconciler.errors import InvalidInput
from reconciler.history.remembering import Moment, moment, moment_of
from reconciler.reports import moments
from tests.building import service_entry
from tests.cycle.test_rollouts import Rolled, policy, vm
from tests.worlds import SELECTOR, SHOP, World, pod

AUTHORED = datetime(2026, 2, 28, 9, tzinfo=UTC)
ONLY_MACHINES = {"labels": {"app": "billing", "platform": "vm"}}
STEPS = [{"exposure": "25%", "hold": "20s", "approval": True}, {"exposure": "100%"}]


def billing(selector: Document) -> list[Document]:
    """Two VMs behind a selector."""
    machines = [vm(number, labels={"app": "billing", "platform": "vm"}) for number in (1, 2)]
    return [SHOP, service_entry(workloadSelector=selector), *machines, policy(steps=STEPS)]


@pytest.fixture
def rolled() -> Rolled:
    """Ann let two Pods join two VMs; Eve approved the step to 100 %, and all is over."""
    world = World()
    for number in (1, 2):
        world.cluster.put_pod(pod(number))
    rolled = Rolled(world)
    rolled.policy = None
    rolled.begin_with(*billing(ONLY_MACHINES))
    files = {"mesh.yaml": yaml.safe_dump_all(billing(SELECTOR)).encode()}
    world.source.commit(files, subject="let Pods join", author="Ann <ann@example.com>", time=AUTHORED)
    rolled.look()
    rolled.until(Phase.SOAKING, 0)
    for _ in range(3):
        rolled.look()
    rolled.say(Word.APPROVE)
    rolled.until(Phase.WATCHING)
    return rolled


def at(rolled: Rolled, of: datetime) -> Moment:
    """Billing at a moment."""
    return moment(rolled.world.store, "shop/billing", of)


def shares(found: Moment) -> dict[str, Any]:
    """The VMs' shares."""
    assert found.shares is not None
    (sides,) = found.shares.data.values()
    return {name: None if share is None else round(share, 2) for name, share in sides.items()}


def test_a_moment_in_the_first_step_knows_its_commit_and_its_shares(rolled: Rolled) -> None:
    """Who wrote it, where it was, the split as planned, written and observed; nobody had approved anything yet."""
    began = rolled.newest.began
    found = at(rolled, began + timedelta(seconds=55))
    assert found.begun is not None
    assert (found.begun.name, found.begun.says) == (rolled.newest.commit, "let Pods join")
    assert found.begun.data == {
        "author": "Ann <ann@example.com>",
        "time": "2026-02-28T09:00:00+00:00",
        "signature": "unchecked",
        "signer": "",
    }
    assert found.moved is not None
    assert (found.moved.data["target"], found.moved.step) == ("soaking", 0)
    assert shares(found) == pytest.approx({"planned": 0.88, "written": 0.88, "observed": 0.88}, abs=0.011)
    assert found.approvals == ()
    assert [one.says for one in found.writes] == ["step 1 of 2, prepare", "step 1 of 2, prepare", "step 1 of 2, shift"]


def test_a_later_moment_knows_who_approved_and_each_write_with_its_cause(rolled: Rolled) -> None:
    """As rows for a terminal, and as JSON."""
    found = at(rolled, rolled.world.clock.now())
    rows = moments.rows(found)
    assert ("author", "Ann <ann@example.com>, 2026-02-28T09:00:00+00:00") in rows
    assert ("signer", "unchecked") in rows
    assert next(value for name, value in rows if name == "approved").startswith("by eve (operator) at 2026-03-01")
    assert ("planned", "shop/billing: vm 50.0 %, pod 50.0 %") in rows
    assert moments.writes(found)[0][1:] == (
        "WorkloadEntry shop/vm1",
        "update done",
        "10.0.0.1 7",
        "step 1 of 2, prepare",
    )
    document = moments.document(found)
    assert [one["by"] for one in document["approvals"]] == ["eve"]
    assert document["commit"]["author"] == "Ann <ann@example.com>"
    assert document["shares"]["vm"]["shop/billing"]["planned"] == 0.5
    assert document["writes"][0]["weights"] == {"10.0.0.1": 7}


def test_writes_that_hold_a_split_are_told_after_the_end_of_its_rollout() -> None:
    """Pods scale, and weights follow with no rollout under way: the journal tells of these, with their time and weights."""
    rolled = Rolled(World(), policy(split={"vm": 50, "pod": 50}))
    for number in range(1, 5):
        rolled.world.cluster.put_pod(pod(number))
    rolled.commit(SHOP, service_entry(workloadSelector=SELECTOR), vm(1), vm(2))
    rolled.look()
    before = rolled.world.clock.now()
    for number in range(5, 13):
        rolled.world.cluster.put_pod(pod(number))
    rolled.look()
    written = moments.writes(at(rolled, rolled.world.clock.now()))[-2:]
    assert {row[1:] for row in written} == {
        (f"WorkloadEntry shop/vm{number}", "update done", f"10.0.0.{number} 6", "keeps up what stands (succeeded)")
        for number in (1, 2)
    }
    assert "6" not in {weight.split()[-1] for *_, weight, _ in moments.writes(at(rolled, before))}


def test_before_anything_rolled_the_runs_tell_who_wrote_it(rolled: Rolled) -> None:
    """The service was new: written at once, by a run whose record knows commit and author, and what it had predicted."""
    found = at(rolled, rolled.newest.began - timedelta(seconds=1))
    rows = dict(moments.rows(found))
    assert rows["rollout"] == "none so far: what is written is written at once"
    assert rows["commit"].endswith(" change")
    assert (rows["signer"], rows["observed"]) == ("unchecked", "billing.internal:80: not kept")
    assert rows["planned"] == rows["written"] == "billing.internal:80: vm 100.0 %, pod 0.0 %"
    assert {row[1:] for row in moments.writes(found)} >= {
        ("ServiceEntry shop/billing", "create done", "-", "git"),
        ("WorkloadEntry shop/vm1", "create done", "10.0.0.1 1", "git"),
    }
    document = moments.document(found)
    assert (document["rollout"], document["phase"], document["step"]) == (None, None, None)
    assert document["shares"]["vm"] == {"billing.internal:80": {"planned": 1, "written": 1}}
    before = found.writes[0].at - timedelta(seconds=1)
    with pytest.raises(InvalidInput, match="nothing is kept of 'shop/nobody'"):
        moment(rolled.world.store, "shop/nobody", before)


def test_what_drifted_is_told_with_that_as_its_cause() -> None:
    """No rollout ever; what was deleted by hand came back with a later run, for which the same commit answers."""
    rolled = Rolled(policy=None)
    rolled.begin_with(SHOP, service_entry(workloadSelector=SELECTOR), vm(1, weight=4), vm(2))
    live = rolled.world.live("WorkloadEntry", "vm1")
    assert live is not None
    rolled.world.cluster.delete(Key("WorkloadEntry", "shop", "vm1"), uid=live.uid, resource_version=live.resource_version)
    rolled.look()
    found = at(rolled, rolled.world.clock.now())
    assert found.begun is not None
    assert found.begun.at == rolled.world.clock.now()
    assert moments.writes(found)[-1] == (
        "2026-03-01 12:00:20Z",
        "WorkloadEntry shop/vm1",
        "create done",
        "10.0.0.1 4",
        "drift",
    )


def test_what_no_record_tells_of_is_said_to_be_not_kept(rolled: Rolled) -> None:
    """Runs and writes are kept for a while; that the service is ours is known for good."""
    rolled.world.store.forget(rolled.world.clock.now() + timedelta(days=1))
    found = at(rolled, rolled.newest.began - timedelta(seconds=1))
    rows = dict(moments.rows(found))
    assert {rows[name] for name in ("commit", "author", "signer", "shares")} == {"not kept"}
    assert moments.document(found)["commit"] == {"id": None}


def test_moments_are_written_in_iso_8601() -> None:
    """UTC, unless an offset says otherwise."""
    assert moment_of("2026-03-01T12:30") == moment_of("2026-03-01T12:30:00Z") == moment_of("2026-03-01T13:30:00+01:00")
    with pytest.raises(InvalidInput, match="2026-03-01T12:30:00Z"):
        moment_of("yesterday")
