"""Rollouts through whole cycles: what is written at each step, who serves meanwhile, and what ends it another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from reconciler.adapters.memory_metrics import MemoryMetrics, Traffic
from reconciler.core.changes import State
from reconciler.core.plans import GuardCode
from reconciler.core.records import Health
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.mesh import Mesh, shares
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Pace, Word
from reconciler.cycle.run import Cycle
from reconciler.reports.layout import cells
from reconciler.reports.words import headline
from tests.building import document, service_entry, workload_entry
from tests.worlds import SELECTOR, SHOP, Hooked, World, inline, mixed, pod

ENTRY = Key("ServiceEntry", "shop", "billing")
STEPS = [{"exposure": exposure, "hold": "20s"} for exposure in ("10%", "50%", "100%")]


def policy(**spec: Any) -> Document:
    """The RolloutPolicy of billing."""
    said = {"serviceEntry": "billing", "steps": STEPS, "watch": "2m", **spec}
    metadata = {"name": "billing", "namespace": "shop"}
    return {"apiVersion": "mesh-reconciler.io/v1alpha1", "kind": "RolloutPolicy", "metadata": metadata, "spec": said}


def vm(number: int, **spec: Any) -> Document:
    """The WorkloadEntry of a VM."""
    return workload_entry(f"vm{number}", address=f"10.0.0.{number}", **spec)


@dataclass
class Rolled:
    """A world whose units roll out by one policy; a look every ten seconds. Law 1 is checked after every look."""

    world: World = field(default_factory=World)
    policy: Document | None = field(default_factory=policy)
    cycle: Cycle = field(init=False)
    looker: Cycle = field(init=False)

    def __post_init__(self) -> None:
        self.cycle, self.looker = self.process("serve:1"), self.process("look:0")

    def process(self, holder: str, **ports: Any) -> Cycle:
        """A process of the target."""
        pace = Pace(settle=timedelta(seconds=5))
        return self.world.process(holder, rollouts=RolloutLimits(careful=False), pace=pace, **ports)

    def look(self) -> Report:
        """Let ten seconds pass and look once."""
        self.world.pass_time(seconds=10)
        report = self.world.serve(self.cycle)
        assert self.shares(), "the service is empty"
        return report

    def until(self, phase: Phase, step: int | None = None) -> Rollout:
        """Look until the newest rollout is in a phase, at a step where one is given."""
        for _ in range(200):
            found = self.newest
            if found.phase is phase and step in (None, found.step):
                return found
            self.look()
        raise AssertionError(f"never {phase}: {self.newest.phase}, {self.newest.reason}")

    def until_settled(self) -> None:
        """Look until no rollout is left."""
        for _ in range(60):
            self.look()
            if not self.world.store.rollouts.standing():
                return
        raise AssertionError(self.newest.reason)

    def begin(self, *documents: Document) -> Rollout:
        """Commit, and look once."""
        self.commit(*documents)
        self.look()
        return self.newest

    def begin_with(self, *documents: Document) -> None:
        """Make these what stands, before anything rolls out."""
        self.commit(*documents)
        self.world.pass_time(seconds=10)
        assert self.world.serve(self.cycle).verdict is Verdict.APPLIED

    def commit(self, *documents: Document) -> None:
        """Commit these documents and the policy."""
        self.world.commit([*documents, *([self.policy] if self.policy else [])])

    @property
    def newest(self) -> Rollout:
        """The rollout that began last."""
        return self.world.store.rollouts.standing()[-1]

    def shares(self) -> dict[str, Fraction]:
        """Everybody's share of the requests, by what is live."""
        observed = self.looker.observe()
        documents = {key: one.document for key, one in observed.objects.items()}
        found = shares(Mesh(observed).world(documents), ENTRY, {})
        return {key.name or "pods": share for key, share in found.items()}

    def say(self, word: Word) -> None:
        """A person says something to the newest rollout."""
        found = self.newest
        self.world.store.rollouts.say(
            Command(f"{word}", found.id, word, "eve", "tired", self.world.clock.now(), digest=found.digest)
        )

    def path(self) -> Iterator[tuple[int, dict[str, Fraction]]]:
        """Yield step and shares each time that a step is in force, until the rollout has succeeded."""
        seen = -1
        while self.newest.phase not in (Phase.WATCHING, Phase.IDLE):
            self.look()
            if self.newest.phase is Phase.SOAKING and self.newest.step != seen:
                seen = self.newest.step
                yield seen, self.shares()


@dataclass
class Counted(Rolled):
    """The same with requests that `metrics` counts; who looks says which there are."""

    metrics: MemoryMetrics = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = MemoryMetrics(self.world.clock)
        super().__post_init__()

    def process(self, holder: str, **ports: Any) -> Cycle:
        return super().process(holder, **{"metrics": self.metrics, **ports})


@pytest.fixture
def rolled() -> Rolled:
    """A target that holds a service on two VMs."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1), vm(2)))
    return rolled


def test_a_new_service_is_written_at_once(rolled: Rolled) -> None:
    """Nobody sends requests to it yet: no rollout."""
    assert rolled.world.store.rollouts.standing() == ()
    assert rolled.shares() == {"vm1": Fraction(1, 2), "vm2": Fraction(1, 2)}


def test_a_new_vm_comes_in_step_by_step(rolled: Rolled) -> None:
    """Its share grows by the steps of the policy, each held as long as it says; in the end stands exactly what Git says."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    found = {step: float(seen["vm3"]) for step, seen in rolled.path()}
    assert found == pytest.approx({0: 0.0333, 1: 0.1667, 2: 0.3333}, abs=0.01)
    assert "weight" not in rolled.world.spec("WorkloadEntry", "vm1")
    rolled.until(Phase.WATCHING)
    for _ in range(14):
        report = rolled.look()
    assert report.verdict is Verdict.IN_SYNC
    assert rolled.world.store.rollouts.standing() == (), "it has succeeded, and Git says what is wanted"


def test_inline_endpoints_become_a_selector_and_pods_join(rolled: Rolled) -> None:
    """The seed of it all: a list of addresses is replaced in one write, with Pods behind the selector already."""
    world = World()
    for number in (1, 2):
        world.cluster.put_pod(pod(number))
    rolled = Rolled(world)
    rolled.commit(*inline("10.0.0.1", "10.0.0.2"))
    rolled.look()
    rolled.begin(*mixed(vm(1), vm(2)))
    found = {step: seen.get("pods", Fraction(0)) for step, seen in rolled.path()}
    assert found[0] <= Fraction(1, 20)
    assert found[0] < found[1] < found[2] == Fraction(1, 2)


def test_a_vm_that_goes_is_drained_and_deleted_only_after_the_watch(rolled: Rolled) -> None:
    """It stays, out of the endpoint list, as long as the rollout may still be undone."""
    rolled.begin(*mixed(vm(2)))
    rolled.until(Phase.WATCHING)
    assert rolled.shares() == {"vm2": 1}
    assert rolled.world.live("WorkloadEntry", "vm1") is not None
    for _ in range(14):
        report = rolled.look()
    assert report.verdict is Verdict.CHANGES
    assert "deleted only after a while" in report.guards[0].message


def test_abort_leads_back_to_where_it_began(rolled: Rolled) -> None:
    """From the middle of the second step, at once; what Git says is refused from then on, until it says something else."""
    before = rolled.shares()
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 1)
    rolled.say(Word.ABORT)
    ended = rolled.until(Phase.IDLE)
    assert ended.outcome is Outcome.UNDONE
    assert rolled.shares() == before
    for _ in range(5):
        report = rolled.look()
        assert report.results == ()
        assert report.problems == (), "its labels are taken off by the undo"
    rolled.begin(*mixed(vm(1), vm(2), vm(4)))
    assert rolled.newest.id != ended.id
    rolled.until(Phase.WATCHING)
    assert rolled.shares() == {f"vm{number}": Fraction(1, 3) for number in (1, 2, 4)}


def test_what_is_said_between_two_looks_is_answered_once(rolled: Rolled) -> None:
    """A way back wants something else at once, and the same look goes on from that: the word has been heard by then."""
    rolled.begin(*mixed(vm(1, weight=40), vm(2)))
    rolled.until(Phase.SOAKING, 1)
    rolled.say(Word.ABORT)
    assert rolled.look().verdict is Verdict.CHANGES
    assert rolled.world.store.rollouts.commands() == ()
    rolled.until(Phase.IDLE)
    assert rolled.shares() == {"vm1": Fraction(1, 2), "vm2": Fraction(1, 2)}


def test_undo_leads_back_also_after_the_end(rolled: Rolled) -> None:
    """It succeeded, nothing came after it, and somebody wants the old state back."""
    before = rolled.shares()
    found = rolled.begin(*mixed(vm(1, weight=9), vm(2)))
    rolled.until(Phase.WATCHING)
    for _ in range(14):
        rolled.look()
    assert rolled.world.store.rollouts.standing() == ()
    rolled.world.store.rollouts.say(Command("late", found.id, Word.UNDO, "eve", "", rolled.world.clock.now()))
    rolled.look()
    rolled.until(Phase.IDLE)
    assert rolled.shares() == before


@pytest.mark.case("C-05")
def test_a_newer_commit_takes_over_from_where_traffic_is(rolled: Rolled) -> None:
    """Not half-way through a step, and not from the start either; the share of the third VM never jumps."""
    first = rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 1)
    now = rolled.shares()["vm3"]
    second = rolled.begin(*mixed(vm(1), vm(2)))
    assert second.id != first.id
    assert second.origin == first.origin
    assert rolled.shares()["vm3"] == pytest.approx(float(now), abs=0.03)
    rolled.until(Phase.WATCHING)
    assert rolled.shares() == {"vm1": Fraction(1, 2), "vm2": Fraction(1, 2)}


def front(timeout: str, weight: int = 100) -> Document:
    """A VirtualService for billing, which may send some requests elsewhere, and all those of one path."""
    parts = (("billing.internal", weight), ("x.example.org", 100 - weight))
    targets = [{"destination": {"host": host}, "weight": part} for host, part in parts]
    elsewhere = {"match": [{"uri": {"prefix": "/x"}}], "route": [{"destination": {"host": "x.example.org"}}]}
    http = [{**elsewhere, "timeout": timeout}, {"timeout": timeout, "route": targets}]
    return document("VirtualService", "billing", spec={"hosts": ["billing.internal"], "http": http})


def test_a_commit_that_moves_no_requests_counts_at_once_and_keeps_step_and_evidence() -> None:
    """A timeout does not wait behind the steps; what moves requests takes over, from where traffic is."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1), vm(2)), front("3s"))
    first = rolled.begin(*mixed(vm(1), vm(2), vm(3)), front("3s"))
    before = rolled.until(Phase.SOAKING, 1)
    rolled.commit(*mixed(vm(1), vm(2), vm(3)), front("9s"))
    rolled.look()
    now = rolled.newest
    assert [one["timeout"] for one in rolled.world.spec("VirtualService", "billing")["http"]] == ["9s", "9s"]
    assert (now.id, now.phase, now.step, now.started) == (first.id, Phase.SOAKING, 1, before.started)
    assert now.gate_state.keys() == before.gate_state.keys()
    assert now.commit != first.commit
    rolled.until(Phase.APPLYING, 2)
    rolled.commit(*mixed(vm(1), vm(2), vm(3)), front("5s"))
    assert rolled.until(Phase.WATCHING).id == first.id
    rolled.say(Word.ABORT)
    rolled.until(Phase.IDLE)
    assert [one["timeout"] for one in rolled.world.spec("VirtualService", "billing")["http"]] == ["5s", "5s"]
    assert set(rolled.shares()) == {"vm1", "vm2"}
    rolled.commit(*mixed(vm(1), vm(2), vm(3)), front("5s", weight=50))
    rolled.look()
    assert rolled.newest.id != first.id


@pytest.mark.case("C-05")
@pytest.mark.parametrize("phase", [Phase.APPLYING, Phase.PAUSED, Phase.UNDOING])
def test_a_vm_that_a_newer_commit_adds_waits_until_it_can_take_over(rolled: Rolled, phase: Phase) -> None:
    """It is no object of the rollout that stands, and would get a third of the requests with one write."""
    first = rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    if phase is not Phase.APPLYING:
        rolled.until(Phase.SOAKING, 1)
        rolled.say(Word.PAUSE if phase is Phase.PAUSED else Word.UNDO)
        rolled.look()
    assert rolled.newest.phase is phase
    rolled.commit(*mixed(vm(1), vm(2), vm(3), vm(4)))
    (shown,) = rolled.look().rollouts
    assert any("waits until it can take over" in note for note in shown.notes)
    assert (rolled.newest.id, rolled.newest.phase) == (first.id, phase)
    assert "vm4" not in rolled.shares()
    if phase is Phase.PAUSED:
        for _ in range(20):
            rolled.look()
        assert "vm4" not in rolled.shares()
        rolled.say(Word.RESUME)
    came: list[float] = []
    for _ in range(60):
        rolled.look()
        came += [float(rolled.shares().get("vm4", 0))]
    assert next(share for share in came if share) <= 0.05
    assert came[-1] == pytest.approx(0.25)


@pytest.mark.case("C-14")
def test_a_weight_raised_by_hand_is_put_back(rolled: Rolled) -> None:
    """Whoever owns the field by then: it would expose more than the step allows."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    before = rolled.shares()
    rolled.world.edit("WorkloadEntry", "vm3", {"spec": {"weight": 90}})
    rolled.look()
    assert rolled.shares() == before
    assert rolled.newest.phase is Phase.SOAKING


@pytest.mark.case("C-14", "A-13")
def test_a_weight_lowered_by_hand_is_kept_and_pauses(rolled: Rolled) -> None:
    """Somebody knows why; nothing of the unit is written until a person lets it go on."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 1)
    rolled.world.edit("WorkloadEntry", "vm3", {"spec": {"weight": 1}})
    paused = rolled.until(Phase.PAUSED)
    assert paused.cause is Cause.EDITED
    assert "kubectl-edit" in paused.reason
    for _ in range(5):
        assert rolled.look().results == ()
    assert rolled.world.spec("WorkloadEntry", "vm3")["weight"] == 1
    rolled.say(Word.RESUME)
    rolled.until(Phase.WATCHING)
    assert rolled.shares() == {f"vm{number}": Fraction(1, 3) for number in (1, 2, 3)}


def test_what_somebody_took_apart_is_put_together_without_exposing_more_than_the_step(rolled: Rolled) -> None:
    """The canary was deleted by hand and the others made light: they weigh again what they should before it comes back."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    for number in (1, 2):
        rolled.world.edit("WorkloadEntry", f"vm{number}", {"spec": {"weight": 1}})
    live = rolled.world.live("WorkloadEntry", "vm3")
    assert live is not None
    rolled.world.cluster.delete(Key("WorkloadEntry", "shop", "vm3"), uid=live.uid, resource_version=live.resource_version)
    assert rolled.until(Phase.PAUSED).cause is Cause.EDITED
    rolled.say(Word.RESUME)
    plan = rolled.look().plan
    assert plan is not None
    (unit,) = plan.units
    *before, last = ([change.key.name for change in wave] for wave in unit.steps[0].waves)
    assert (set().union(*before), last) == ({"vm1", "vm2"}, ["vm3"])
    assert float(rolled.shares()["vm3"]) == pytest.approx(0.0333, abs=0.01)


@pytest.mark.case("C-08")
def test_a_step_does_not_pass_while_its_endpoint_is_ill(rolled: Rolled) -> None:
    """The new VM reports that it is unhealthy: it keeps its small share until it is well."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    machine = Key("VirtualMachine", "shop", "vm3")
    rolled.world.registry.report(machine, {"address": "10.0.0.3", "health": Health.UNHEALTHY})
    for _ in range(20):
        rolled.look()
    assert (rolled.newest.phase, rolled.newest.step) == (Phase.SOAKING, 0)
    rolled.world.registry.report(machine, {"address": "10.0.0.3", "health": Health.HEALTHY})
    rolled.until(Phase.WATCHING)


@pytest.mark.case("C-11")
def test_a_policy_that_changes_meanwhile_counts_from_the_next_rollout_on(rolled: Rolled) -> None:
    """The running one keeps its snapshot."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.policy = policy(steps=[{"exposure": "100%"}])
    rolled.commit(*mixed(vm(1), vm(2), vm(3)))
    assert [step for step, _ in rolled.path()] == [0, 1, 2]
    rolled.begin(*mixed(vm(1), vm(2), vm(3), vm(4)))
    assert len(rolled.newest.way.steps) == 1


@pytest.mark.case("C-01")
def test_another_process_goes_on_where_the_first_one_died(rolled: Rolled) -> None:
    """All that it needs is in the store; no step begins anew, none is counted twice."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 1)
    rolled.world.pass_time(seconds=31)
    rolled.cycle = rolled.process("serve:2")
    rolled.look()
    assert (rolled.newest.phase, rolled.newest.step, rolled.newest.passed) == (Phase.SOAKING, 1, 0)
    rolled.until(Phase.WATCHING)


def test_drift_in_mid_rollout_goes_to_what_is_wanted_now(rolled: Rolled) -> None:
    """A VM's label was taken away by hand: it comes back with the weight of the step, not with Git's."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    weight = rolled.world.spec("WorkloadEntry", "vm1")["weight"]
    rolled.world.edit("WorkloadEntry", "vm1", {"spec": {"locality": "x"}}, "us")
    rolled.look()
    assert rolled.world.spec("WorkloadEntry", "vm1")["weight"] == weight


def test_what_is_awaited_is_true_after_the_writes_of_the_same_run(rolled: Rolled) -> None:
    """They are done by then: the proxies are awaited, and after that the hold, in words."""
    rolled.commit(*mixed(vm(1), vm(2), vm(3)))
    report = rolled.look()
    assert report.results
    assert [one.waits for one in report.rollouts] == [("the proxies have not all got it yet: 5 s more",)]
    rolled.until(Phase.SOAKING, 0)
    assert rolled.look().rollouts[0].waits == ("10 s more of 20 s",)


def test_looking_only_begins_nothing(rolled: Rolled) -> None:
    """`plan` shows the steps and the first writes, `diff` the whole way; neither leaves anything in the store."""
    rolled.commit(*mixed(vm(1), vm(2), vm(3)))
    report = rolled.process("look:1").run("plan", write=False)
    (shown,) = report.rollouts
    assert [float(step.exposure) for step in shown.steps] == [0.1, 0.5, 1.0]
    assert [float(step.split[0].share("vm")) for step in shown.steps] == [1, 1, 1]
    assert report.plan is not None
    assert rolled.world.store.rollouts.standing() == ()
    differences = rolled.process("look:2").run("diff", write=False).differences
    assert {str(one.key) for one in differences} == {"WorkloadEntry shop/vm3", "VirtualMachine shop/vm3"}


def test_a_plan_says_which_step_needs_more_pods() -> None:
    """One Pod is to get nine tenths of what two VMs get today: it could not carry that, and the plan says so beforehand."""
    world = World()
    world.cluster.put_pod(pod(1))
    rolled = Rolled(world)
    rolled.commit(*inline("10.0.0.1", "10.0.0.2"))
    rolled.look()
    rolled.policy = policy(split={"vm": 10, "pod": 90})
    rolled.commit(*mixed(vm(1), vm(2)))
    (shown,) = rolled.process("look:1").run("plan", write=False).rollouts
    assert [bool(step.lacks) for step in shown.steps] == [False, False, True]
    assert shown.steps[2].lacks.endswith("2 are needed")


def held(report: Report) -> dict[str, str]:
    """Git's column of the weights that rollouts hold back."""
    rows = [(one.key, field) for shown in report.rollouts for one in shown.held for field in one.fields]
    return {str(key): cells(field)[0] for key, field in rows if key.kind == "WorkloadEntry" and field.path == "spec.weight"}


def test_a_diff_is_about_drift_and_names_rollouts_apart(rolled: Rolled) -> None:
    """From the first step to the end it is no difference that Git is ahead; what somebody changed by hand is."""

    def compare() -> Report:
        return rolled.process("look:1").run("diff", write=False)

    rolled.begin(*mixed(vm(1, weight=9), vm(2, weight=1)))
    looks = {step: compare() for step, _ in rolled.path()}
    assert list(looks) == [0, 1, 2]
    assert held(looks[0]) == {"WorkloadEntry shop/vm1": "9, now 27", "WorkloadEntry shop/vm2": "1, now 23"}
    assert held(looks[2]) == {}
    for report in looks.values():
        assert (report.verdict.exit_code, report.differences) == (0, ())
        assert [one.unit for one in report.rollouts] == ["shop/billing"]
        assert headline(report).startswith("No drift: ")
    for _ in range(14):
        rolled.look()
    assert compare().rollouts == ()
    assert headline(compare()).startswith("In sync: ")


def test_a_diff_names_what_a_newer_commit_wants_apart_until_the_rollout_has_made_way(rolled: Rolled) -> None:
    """Whether it is an object of the rollout or none: it is no drift, for what stands meanwhile is what is wanted now."""
    first = rolled.begin(*mixed(vm(1, weight=90), vm(2, weight=10)))
    rolled.until(Phase.SOAKING, 0)
    rolled.say(Word.PAUSE)
    rolled.look()
    stands = rolled.world.spec("WorkloadEntry", "vm1")["weight"]
    rolled.commit(*mixed(vm(1, weight=70), vm(2, weight=10), vm(3)))
    rolled.look()
    report = rolled.process("look:1").run("diff", write=False)
    assert (report.verdict.exit_code, report.differences) == (0, ())
    assert held(report)["WorkloadEntry shop/vm1"] == f"70, now {stands}"
    (shown,) = report.rollouts
    assert report.revision is not None
    assert {str(one.key): one.state for one in shown.held}["WorkloadEntry shop/vm3"] is State.CREATE
    waits = f"WorkloadEntry shop/vm3 waits until rollout {first.id} has made way for commit {report.revision.id[:10]}"
    assert waits in shown.notes
    rolled.world.edit("WorkloadEntry", "vm1", {"spec": {"weight": 1}})
    report = rolled.process("look:1").run("diff", write=False)
    assert (report.verdict.exit_code, [one.key.name for one in report.differences]) == (2, ["vm1"])


def test_a_diff_shows_what_git_wants_and_what_is_wanted_now(rolled: Rolled) -> None:
    """A weight that a rollout has not let go to Git's yet, changed by hand."""
    rolled.begin(*mixed(vm(1, weight=900), vm(2, weight=100)))
    rolled.until(Phase.SOAKING, 0)
    now = rolled.world.spec("WorkloadEntry", "vm1")["weight"]
    rolled.world.edit("WorkloadEntry", "vm1", {"spec": {"weight": 77}})
    report = rolled.process("look:1").run("diff", write=False)
    assert report.verdict.exit_code == 2
    (row,) = report.differences[0].fields
    assert cells(row)[:3] == (f"900, now {now}", str(now), "77")


def test_a_service_without_a_policy_of_its_own_is_written_at_once(rolled: Rolled) -> None:
    """Where the operator says so."""
    rolled.policy = None
    rolled.commit(SHOP, service_entry(workloadSelector=SELECTOR), vm(1, weight=7), vm(2))
    assert rolled.look().verdict is Verdict.APPLIED
    assert rolled.world.spec("WorkloadEntry", "vm1")["weight"] == 7


def served(rolled: Rolled, metrics: MemoryMetrics, bad: str = "") -> None:
    """Ten seconds of requests by today's shares, all of them good but for those to one workload."""
    for workload, share in rolled.shares().items():
        requests = round(1_000 * share)
        traffic = Traffic("billing.internal", "shop", workload)
        metrics.serve(traffic, requests, errors=requests if workload == bad else 0)


GATES: list[Document] = [
    {"name": "success", "prometheus": {"template": "istio-success-rate", "min": 0.95, "samples": 20}, "interval": "30s"}
]


@pytest.mark.parametrize("bad", ["", "vm3"])
def test_errors_of_the_canary_undo_the_rollout_and_nothing_else_does(rolled: Rolled, bad: str) -> None:
    """Requests to the third VM fail: at 10 % already, and from the start until the end nobody else gets fewer requests."""
    metrics = MemoryMetrics(rolled.world.clock)
    steps = [{**step, "gates": ["success"]} for step in STEPS]
    rolled.policy = policy(steps=steps, gates=GATES)
    rolled.cycle.authority.release()
    rolled.cycle = rolled.process("gated:1", metrics=metrics)
    before = rolled.shares()
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    for _ in range(60):
        served(rolled, metrics, bad)
        rolled.look()
        if not rolled.world.store.rollouts.standing() or rolled.newest.phase is Phase.IDLE:
            break
    if not bad:
        assert rolled.shares() == {f"vm{number}": Fraction(1, 3) for number in (1, 2, 3)}
        return
    assert rolled.newest.outcome is Outcome.UNDONE
    assert "success" in rolled.newest.reason or rolled.newest.passed == -1
    assert rolled.shares() == before


@pytest.mark.case("C-03")
def test_a_silent_gate_passes_nothing_and_undoes_nothing(rolled: Rolled) -> None:
    """No Prometheus is known: the first step stays where it is, and says so."""
    rolled.policy = policy(steps=[{**step, "gates": ["success"]} for step in STEPS], gates=GATES)
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    for _ in range(30):
        report = rolled.look()
    assert (rolled.newest.phase, rolled.newest.step) == (Phase.SOAKING, 0)
    assert any("no Prometheus is known" in text for text in report.rollouts[0].waits)


def test_a_unit_that_is_only_observed_begins_no_rollout(rolled: Rolled) -> None:
    """It would never get anywhere, and would be taken over from for ever."""
    rolled.world.edit("ServiceEntry", "billing", {"metadata": {"annotations": {"mesh-reconciler.io/mode": "observe"}}})
    rolled.commit(*mixed(vm(1), vm(2), vm(3)))
    report = rolled.look()
    assert (report.results, report.rollouts) == ((), ())
    assert rolled.world.store.rollouts.standing() == ()


def test_what_cannot_be_rolled_out_is_not_written_at_all(rolled: Rolled) -> None:
    """Of two VMs that change nothing is as small as 10 %, and the policy has no step merged: written at once it must not be."""
    rolled.policy = policy(unreachable="refuse")
    rolled.commit(*mixed(vm(1, locality="eu/a"), vm(2, locality="eu/a")))
    report = rolled.look()
    assert (report.verdict, report.results, report.rollouts) == (Verdict.REFUSED, (), ())
    assert [guard.code for guard in report.guards] == [GuardCode.NO_ROLLOUT]
    assert "set unreachable: merge" in report.guards[0].message
    rolled.policy = policy()
    rolled.commit(*mixed(vm(1, locality="eu/a"), vm(2, locality="eu/a")))
    rolled.look()
    rolled.until(Phase.WATCHING)


def test_what_goes_for_good_holds_up_no_step(rolled: Rolled) -> None:
    """A DestinationRule leaves Git together with a new VM: its deletion waits for half an hour, the rollout does not."""
    rule = document("DestinationRule", "billing", spec={"host": "billing.internal", "subsets": [{"name": "all"}]})
    rolled.commit(*mixed(vm(1), vm(2)), rule)
    rolled.until_settled()
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.WATCHING)
    assert rolled.world.live("DestinationRule", "billing") is not None


def test_no_write_of_an_undo_gives_bad_pods_more_requests() -> None:
    """The selector lets them go before the VMs' weights come down, write by write."""
    machines = [vm(number, labels={"app": "billing", "platform": "vm"}) for number in (1, 2)]
    only_machines = {"labels": {"app": "billing", "platform": "vm"}}
    world, seen = World(), list[Fraction]()
    for number in (1, 2):
        world.cluster.put_pod(pod(number))
    rolled = Rolled(world)
    rolled.commit(SHOP, service_entry(workloadSelector=only_machines), *machines)
    rolled.look()
    rolled.begin(SHOP, service_entry(workloadSelector=SELECTOR), *machines)
    rolled.until(Phase.SOAKING, 0)
    start = rolled.shares()["pods"]
    rolled.say(Word.ABORT)
    rolled.cycle.authority.release()
    watched = Hooked(world.cluster, lambda *_: seen.append(rolled.shares().get("pods", Fraction(0))))
    rolled.cycle = rolled.process("undo:1", cluster=watched)
    rolled.until(Phase.IDLE)
    assert rolled.shares() == {"vm1": Fraction(1, 2), "vm2": Fraction(1, 2)}
    assert len(set(seen)) > 1
    assert max(seen) <= start


def test_the_way_back_is_another_plan_than_the_way_there(rolled: Rolled) -> None:
    """What a person reviewed on the way there must not let the undo through, nor the other way round."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 1)
    there = rolled.look().plan
    rolled.say(Word.ABORT)
    back = rolled.look().plan
    assert there is not None
    assert back is not None
    assert there.digest != back.digest
