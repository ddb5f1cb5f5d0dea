"""Strategy `subsets` through whole cycles: exact shares by routes, and nothing of them left where Git has none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest

from reconciler.core.demands import of_route, pairs
from reconciler.core.plans import GuardCode
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase
from reconciler.core.rollouts.seen import Command, Word
from reconciler.core.rollouts.subsets import OURS
from reconciler.ports import Override
from tests.building import document, service_entry
from tests.cycle.test_rollouts import Rolled, policy, vm
from tests.rollouts.test_checkpoints import lose_store
from tests.worlds import SELECTOR, SHOP, Hooked, World, pod

HOST = "billing.internal"
MACHINES = {"labels": {"app": "billing", "platform": "vm"}}
ONLY_PODS = {"labels": {"app": "billing", "platform": "pod"}}
NAME = "billing-rollout"


def unit(selector: Document, *machines: Document, **spec: Any) -> list[Document]:
    """The service behind a selector, on these VMs."""
    return [SHOP, service_entry(workloadSelector=selector, **spec), *machines]


def labelled(number: int, **spec: Any) -> Document:
    """The WorkloadEntry of a VM that says that it is one."""
    return vm(number, **{"labels": MACHINES["labels"], **spec})


TWO = (labelled(1), labelled(2))


def scale(rolled: Rolled, count: int) -> None:
    """So many Pods run, and say that they are Pods."""
    for number in range(1, 30):
        rolled.world.cluster.remove_pod("shop", f"billing-{number}")
    for number in range(1, count + 1):
        rolled.world.cluster.put_pod(replace(pod(number), labels=ONLY_PODS["labels"]))


@dataclass
class Routed(Rolled):
    """A service on two labelled VMs, rolled out by subsets.

    At every write the Pods' share is noted, and which destination of a route nobody answers.
    """

    policy: Document | None = field(default_factory=lambda: policy(strategy="subsets"))
    shares_seen: list[Fraction] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    pods: int = 2

    def __post_init__(self) -> None:
        self.watched = Hooked(self.world.cluster, lambda *_: self.note())
        super().__post_init__()
        self.cycle = self.process("watched:1", cluster=self.watched)
        scale(self, self.pods)

    def look(self) -> Report:
        """Let ten seconds pass and look once: no write leaves a destination empty."""
        report = super().look()
        assert self.unanswered == []
        return report

    def note(self) -> None:
        """Note the Pods' share as it is now."""
        found = self.looker.observe()
        if any(key.kind == "ServiceEntry" for key in found.objects):
            self.shares_seen.append(self.shares().get("pods", Fraction(0)))
        mesh = Mesh(found).world({key: one.document for key, one in found.objects.items()})
        for demand in (one for route in found.objects if route.kind == "VirtualService" for one in of_route(mesh, route)):
            self.unanswered += [] if demand.host != HOST or any(pairs(mesh, demand)) else [str(demand)]


def born(*documents: Document, pods: int = 2, **spec: Any) -> Routed:
    """A service that is there already, with a policy."""
    rolled = Routed(World(), policy(strategy="subsets", **spec), pods=pods)
    rolled.begin_with(*documents)
    return rolled


def generated(rolled: Rolled) -> list[str]:
    """The kinds of what is there by the name of a rollout."""
    return [kind for kind in ("DestinationRule", "VirtualService") if rolled.world.live(kind, NAME)]


def went(rolled: Rolled, *documents: Document) -> list[list[str]]:
    """Commit, and return what was generated, each time that it was something else, until the end is watched."""
    rolled.commit(*documents)
    seen: list[list[str]] = [generated(rolled)]
    for _ in range(80):
        rolled.look()
        seen += [generated(rolled)] if generated(rolled) != seen[-1] else []
        if rolled.newest.phase is Phase.WATCHING:
            return seen
    raise AssertionError(rolled.newest.reason)


def finished(rolled: Rolled) -> None:
    """Let the watch pass, after which everything is as Git says."""
    for _ in range(14):
        report = rolled.look()
    assert report.verdict is Verdict.IN_SYNC


BOTH = ["DestinationRule", "VirtualService"]
COMING_AND_GOING = [[], BOTH[:1], BOTH, BOTH[:1], []]


def test_pods_join_by_exact_percent_and_nothing_is_left_in_the_end() -> None:
    """Git has neither rule nor route. Subsets come before the route that uses them, and go after it, in stages of their own."""
    rolled = born(*unit(MACHINES, *TWO))
    assert went(rolled, *unit(SELECTOR, *TWO)) == COMING_AND_GOING
    assert sorted(set(rolled.shares_seen)) == [0, Fraction(1, 20), Fraction(1, 4), Fraction(1, 2)]
    assert rolled.shares_seen == sorted(rolled.shares_seen)
    finished(rolled)
    assert rolled.world.store.rollouts.standing() == ()


@pytest.mark.parametrize("machines", [TWO, ()])
def test_all_requests_move_to_pods(machines: tuple[Document, ...]) -> None:
    """By the selector alone, or with the VMs gone from Git; no weight of them ever changes."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 100, "pod": 0})
    rolled.policy = policy(strategy="subsets")
    assert went(rolled, *unit(ONLY_PODS, *machines))[-1] == []
    assert rolled.shares() == {"pods": 1}
    assert sorted(set(rolled.shares_seen)) == [0, Fraction(1, 10), Fraction(1, 2), 1]


def test_a_split_is_held_exactly_however_many_pods_run() -> None:
    """From the first write of a new service on; then it moves in steps, and no number of Pods moves it."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 30, "pod": 70})
    for pods in (3, 7):
        scale(rolled, pods)
        report = rolled.look()
        assert (report.verdict, report.results) == (Verdict.IN_SYNC, ())
        assert rolled.shares()["pods"] == Fraction(7, 10)
    rolled.shares_seen.clear()
    rolled.policy = policy(strategy="subsets", split={"vm": 10, "pod": 90})
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.IDLE)
    assert rolled.newest.outcome is Outcome.SUCCEEDED
    assert sorted(set(rolled.shares_seen)) == [Fraction(70, 100), Fraction(72, 100), Fraction(80, 100), Fraction(90, 100)]
    assert generated(rolled) == BOTH
    assert rolled.look().verdict is Verdict.IN_SYNC


def test_a_split_that_is_taken_back_takes_its_routes_along() -> None:
    """In steps, to what weights make; also where the next policy makes shares by weights."""
    for after in (policy(strategy="subsets"), policy(), policy(split={"vm": 60, "pod": 40})):
        rolled = born(*unit(SELECTOR, *TWO), split={"vm": 100, "pod": 0})
        rolled.policy = after
        rolled.shares_seen.clear()
        assert went(rolled, *unit(SELECTOR, *TWO))[-1] == []
        wanted = 0.4 if after["spec"].get("split") else 0.5
        assert float(rolled.shares()["pods"]) == pytest.approx(wanted, abs=0.02)
        assert rolled.shares_seen == sorted(rolled.shares_seen)


def test_subsets_are_armed_before_the_first_pod() -> None:
    """Nothing goes to Pods that come, until the step that lets requests go to them; it waits for them."""
    rolled = born(*unit(SELECTOR, *TWO), pods=0)
    rolled.policy = policy(strategy="subsets", split={"vm": 50, "pod": 50})
    rolled.begin(*unit(SELECTOR, *TWO))
    for _ in range(20):
        report = rolled.look()
    assert generated(rolled) == BOTH
    assert "0 ready Pods" in report.rollouts[0].waits[0]
    scale(rolled, 3)
    assert "pods" not in rolled.shares()
    rolled.until(Phase.IDLE)
    assert rolled.shares()["pods"] == Fraction(1, 2)


def test_an_undo_halfway_leads_back_to_where_it_began() -> None:
    """No write of it gives Pods more, and none of ours is left."""
    rolled = born(*unit(MACHINES, *TWO))
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.SOAKING, 3)
    rolled.shares_seen.clear()
    rolled.say(Word.ABORT)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert rolled.shares_seen == sorted(rolled.shares_seen, reverse=True)
    assert [rolled.shares_seen[0], rolled.shares_seen[-1]] == [Fraction(1, 4), Fraction(0)]
    assert rolled.world.spec("ServiceEntry", "billing")["workloadSelector"] == MACHINES
    for _ in range(3):
        assert rolled.look().results == ()
    assert generated(rolled) == []


@pytest.mark.case("C-05")
def test_a_newer_commit_takes_over_from_the_share_that_stands() -> None:
    """The selector goes back in Git: from 25 %, with the routes that are there."""
    rolled = born(*unit(MACHINES, *TWO))
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.SOAKING, 3)
    rolled.shares_seen.clear()
    assert went(rolled, *unit(MACHINES, *TWO)) == [BOTH, BOTH[:1], []]
    assert rolled.shares_seen == sorted(rolled.shares_seen, reverse=True)
    assert rolled.shares()["vm1"] == Fraction(1, 2)


def rule(**spec: Any) -> Document:
    """The DestinationRule of Git, with a subset of somebody's."""
    subsets = [{"name": "all", "labels": {"app": "billing"}, "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}]
    return document("DestinationRule", "billing", spec={"host": HOST, "subsets": subsets, **spec})


ELSEWHERE: Document = {"destination": {"host": "old.example.com"}, "weight": 25, "headers": {"request": {"set": {"x": "1"}}}}


def virtual_service(*http: Document, **spec: Any) -> Document:
    """The VirtualService of Git: a part of the requests goes elsewhere, some are sent on to another address."""
    routes = [
        {"match": [{"uri": {"prefix": "/v0"}}], "redirect": {"uri": "/v1"}},
        {"match": [{"headers": {"x-vip": {"exact": "1"}}}], "timeout": "3s", "route": [{"destination": {"host": HOST}}]},
        {"route": [{"destination": {"host": HOST, "port": {"number": 80}}, "weight": 75}, ELSEWHERE]},
    ]
    return document("VirtualService", "billing", spec={"hosts": [HOST], "http": list(http) or routes, **spec})


def test_rules_and_routes_of_git_keep_every_element_that_is_not_ours() -> None:
    """Matches, redirects, other destinations and subsets stay to the letter, there and back; each route gets the split."""
    git = [rule(), virtual_service()]
    rolled = born(*unit(MACHINES, *TWO), *git)
    rolled.begin(*unit(SELECTOR, *TWO), *git)
    rolled.until(Phase.SOAKING, 3)
    spec, subsets = rolled.world.spec("VirtualService", "billing"), rolled.world.spec("DestinationRule", "billing")["subsets"]
    first, vip, rest = spec["http"]
    assert generated(rolled) == []
    assert first == git[1]["spec"]["http"][0]
    assert (vip["match"], vip["timeout"]) == (git[1]["spec"]["http"][1]["match"], "3s")
    assert [one["weight"] for one in vip["route"]] == [75, 25]
    assert rest["route"][-1]["destination"] == ELSEWHERE["destination"]
    assert rest["route"][-1]["headers"] == ELSEWHERE["headers"]
    total = sum(one["weight"] for one in rest["route"])
    assert [Fraction(one["weight"], total) for one in rest["route"]] == [Fraction(n, 16) for n in (9, 3, 4)]
    assert [one for one in subsets if one["name"] not in OURS] == git[0]["spec"]["subsets"]
    rolled.say(Word.ABORT)
    rolled.until(Phase.IDLE)
    for kind, one in (("VirtualService", git[1]), ("DestinationRule", git[0])):
        assert rolled.world.spec(kind, "billing") == one["spec"]


def test_rules_and_routes_of_git_change_while_a_split_is_held() -> None:
    """A timeout is written into the routes that hold the split; in the end of it all Git's text stands."""
    split = {"vm": 30, "pod": 70}
    rolled = born(*unit(SELECTOR, *TWO), rule(), virtual_service(), split=split)
    assert rolled.shares()["pods"] == Fraction(7, 10)
    rolled.shares_seen.clear()
    changed = virtual_service({"timeout": "9s", "route": [{"destination": {"host": HOST}}]})
    rolled.begin(*unit(SELECTOR, *TWO), rule(), changed)
    rolled.until(Phase.IDLE)
    (route,) = rolled.world.spec("VirtualService", "billing")["http"]
    assert (route["timeout"], [one["weight"] for one in route["route"]]) == ("9s", [30, 70])
    assert set(rolled.shares_seen) == {Fraction(7, 10)}
    rolled.policy = policy(strategy="subsets")
    rolled.begin(*unit(SELECTOR, *TWO), rule(), changed)
    rolled.until(Phase.WATCHING)
    assert rolled.world.spec("VirtualService", "billing") == changed["spec"]


@pytest.mark.parametrize(
    ("code", "documents", "says"),
    [
        ("MR3311", unit({"labels": {"app": "billing"}}, vm(1), vm(2)), "platform: vm"),
        (
            "MR3312",
            [*unit(SELECTOR, *TWO), rule(), virtual_service({"route": [{"destination": {"host": HOST, "subset": "all"}}]})],
            "subset all",
        ),
        ("MR3313", [*unit(SELECTOR, *TWO), virtual_service(hosts=["*.internal"])], "by a pattern"),
        ("MR3315", unit(SELECTOR, *TWO, hosts=["*.billing.internal"]), "no route can lead to"),
        (
            "MR3316",
            [*unit(SELECTOR, *TWO), rule(workloadSelector={"matchLabels": {"a": "b"}})],
            "take its workloadSelector away",
        ),
    ],
)
def test_what_is_in_the_way_is_refused_with_its_code_and_its_place(code: str, documents: list[Document], says: str) -> None:
    """Nothing is written, and the guard says where in Git, what is wrong and what to do."""
    rolled = Routed(World(), policy())
    rolled.begin_with(*documents)
    rolled.policy = policy(strategy="subsets", split={"vm": 20, "pod": 80})
    rolled.commit(*documents)
    report = rolled.look()
    assert (report.verdict, report.results) == (Verdict.REFUSED, ())
    (guard,) = report.guards
    assert guard.code == GuardCode.NO_ROLLOUT
    assert f"[{code}]" in guard.message
    assert "mesh.yaml:" in guard.message
    assert says in guard.message


def test_what_is_live_and_not_in_git_is_in_the_way_too() -> None:
    """Somebody's VirtualService for the host, or one that has the name which would be needed."""
    for name, hosts in (("theirs", [HOST]), (NAME, ["other.internal"])):
        rolled = born(*unit(MACHINES, *TWO))
        theirs = document(
            "VirtualService", name, spec={"hosts": hosts, "http": [{"route": [{"destination": {"host": "x.y"}}]}]}
        )
        rolled.world.cluster.create(theirs, "kubectl-create")
        rolled.commit(*unit(SELECTOR, *TWO))
        report = rolled.look()
        assert (report.verdict, report.results) == (Verdict.REFUSED, ())
        assert f"VirtualService shop/{name}" in report.guards[0].message


def test_the_share_gives_way_when_pods_are_lost_and_comes_back_with_them() -> None:
    """Routes would go on sending them their 70 %: never empty comes first, then the load of those who are left."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 30, "pod": 70}, pods=10)
    for pods, expected in ((2, Fraction(21, 100)), (0, Fraction(0)), (10, Fraction(7, 10))):
        scale(rolled, pods)
        report = Rolled.look(rolled)
        rolled.unanswered.clear()
        assert rolled.shares().get("pods", Fraction(0)) == expected
        assert any("Pods do not serve" in note for note in report.notes) is (pods < 10)
        assert rolled.look().results == ()


def routing(rolled: Rolled, machines: int) -> None:
    """Somebody gives the VMs so many percent of the requests by hand."""
    (route,) = rolled.world.spec("VirtualService", NAME)["http"]
    vms, pods = route["route"]
    to = [{**vms, "weight": machines}, {**pods, "weight": 100 - machines}]
    rolled.world.edit("VirtualService", NAME, {"spec": {"http": [{**route, "route": to}]}})


@pytest.mark.case("C-14")
def test_a_route_that_gives_pods_more_by_hand_is_put_back() -> None:
    """It would expose more than the step allows."""
    rolled = born(*unit(MACHINES, *TWO))
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.SOAKING, 3)
    routing(rolled, 10)
    rolled.look()
    assert rolled.shares()["pods"] == Fraction(1, 4)
    assert rolled.newest.phase is Phase.SOAKING


@pytest.mark.case("C-14", "A-13")
def test_a_route_that_gives_pods_less_by_hand_is_kept_and_pauses() -> None:
    """Somebody knows why; resuming goes on over it."""
    rolled = born(*unit(MACHINES, *TWO))
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.SOAKING, 3)
    routing(rolled, 99)
    assert rolled.until(Phase.PAUSED).cause is Cause.EDITED
    rolled.look()
    assert rolled.shares()["pods"] == Fraction(1, 100)
    rolled.say(Word.RESUME)
    rolled.until(Phase.WATCHING)
    assert rolled.shares()["pods"] == Fraction(1, 2)


def test_a_stage_with_nothing_to_write_holds_nothing_up() -> None:
    """Looks come when they are due, or when something was written: steps, settling and gates take their time, and no more."""
    rolled = born(*unit(MACHINES, *TWO))
    rolled.commit(*unit(SELECTOR, *TWO))
    report, waited = rolled.look(), 0.0
    while waited < 300 and rolled.newest.phase is not Phase.WATCHING:
        pause = 1.0 if report.results else rolled.cycle.due_in(600)
        rolled.world.pass_time(seconds=pause)
        report, waited = rolled.world.serve(rolled.cycle), waited + pause
    assert rolled.newest.phase is Phase.WATCHING
    assert waited < 160


def test_an_undo_long_after_the_end_restores_the_split_that_was_held() -> None:
    """The rollout from 70 to 90 % has ended; its undo leads back in steps, and what it leads to is held."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 30, "pod": 70})
    rolled.policy = policy(strategy="subsets", split={"vm": 10, "pod": 90})
    rolled.begin(*unit(SELECTOR, *TWO))
    ended = rolled.until(Phase.IDLE)
    rolled.shares_seen.clear()
    rolled.world.store.rollouts.say(Command("late", ended.id, Word.UNDO, "eve", "", rolled.world.clock.now()))
    rolled.look()
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert sorted(set(rolled.shares_seen)) == [Fraction(part, 100) for part in (70, 80, 88, 90)]
    scale(rolled, 3)
    assert rolled.look().results == ()
    assert rolled.shares()["pods"] == Fraction(7, 10)


@pytest.mark.case("C-01")
def test_another_process_goes_on_between_the_subsets_and_their_route() -> None:
    """The first one died after the rule was written; nothing is generated twice, and nothing is left behind."""
    rolled = born(*unit(MACHINES, *TWO))
    rolled.begin(*unit(SELECTOR, *TWO))
    assert generated(rolled) == BOTH[:1]
    rolled.world.pass_time(seconds=31)
    rolled.cycle = rolled.process("serve:2", cluster=rolled.watched)
    rolled.until(Phase.WATCHING)
    assert generated(rolled) == []
    assert rolled.shares_seen == sorted(rolled.shares_seen)
    assert rolled.shares()["pods"] == Fraction(1, 2)


def test_somebodys_rule_for_the_host_lives_through_it_all() -> None:
    """It is not in Git and not ours: Istio adds its subsets to ours, and there and back not a byte of it changes."""
    rolled = born(*unit(MACHINES, *TWO))
    theirs = rule(trafficPolicy={"loadBalancer": {"simple": "ROUND_ROBIN"}})
    rolled.world.cluster.create(theirs, "kubectl-create")
    before = rolled.world.live("DestinationRule", "billing")
    assert went(rolled, *unit(SELECTOR, *TWO)) == COMING_AND_GOING
    assert rolled.world.live("DestinationRule", "billing") == before
    rolled.say(Word.UNDO)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert rolled.world.live("DestinationRule", "billing") == before
    assert generated(rolled) == []


def test_vms_that_get_nothing_leave_without_a_request_going_to_them() -> None:
    """Routes keep them at 0 % until nothing picks them any more, and go after that."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 0, "pod": 100})
    rolled.policy = policy(strategy="subsets")
    rolled.shares_seen.clear()
    assert went(rolled, *unit(ONLY_PODS)) == [BOTH, BOTH[:1], []]
    assert set(rolled.shares_seen) == {1}


def test_a_rollout_by_routes_is_recovered_without_its_store() -> None:
    """What was generated is known again, stands still until a person says so, and goes in the end."""
    rolled = born(*unit(MACHINES, *TWO))
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.SOAKING, 3)
    lose_store(rolled)
    for _ in range(3):
        assert rolled.look().results == ()
    assert (rolled.newest.phase, rolled.newest.step, generated(rolled)) == (Phase.PAUSED, 3, BOTH)
    assert rolled.shares()["pods"] == Fraction(1, 4)
    rolled.say(Word.RESUME)
    rolled.until(Phase.WATCHING)
    assert (rolled.shares()["pods"], generated(rolled)) == (Fraction(1, 2), [])


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"hosts": ["new.internal"]}, "spec.hosts: billing.internal goes"),
        ({"ports": [{"number": 81, "name": "http", "protocol": "HTTP"}]}, "spec.ports: port 80 (HTTP) comes or goes"),
    ],
)
def test_a_service_does_not_change_under_routes_that_were_generated_for_it(spec: dict[str, Any], says: str) -> None:
    """Routes would lead to what is not there yet, or is no more. Nothing is written, and the split stays held."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 30, "pod": 70})
    rolled.commit(*unit(SELECTOR, *TWO, **spec))
    report = rolled.look()
    assert (report.verdict, report.results) == (Verdict.REFUSED, ())
    guard = next(one for one in report.guards if one.code == GuardCode.NO_ROLLOUT)
    assert "[MR3320]" in guard.message
    assert says in guard.message
    scale(rolled, 3)
    assert rolled.look().results == ()
    assert rolled.shares()["pods"] == Fraction(7, 10)


def test_a_host_changes_once_no_split_is_held() -> None:
    """That is the way around it which the guard names; the split is put back in steps."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 30, "pod": 70})
    split, rolled.policy = rolled.policy, policy(strategy="subsets")
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until_settled()
    changed = unit(SELECTOR, *TWO, hosts=["new.internal"])
    rolled.commit(*changed)
    report, world = rolled.look(), rolled.world
    assert report.plan is not None
    (guard,) = report.guards
    world.store.override(Override(report.plan.digest, guard.override, "ada", "", world.clock.now()))
    rolled.until_settled()
    rolled.policy = split
    rolled.begin(*changed)
    rolled.until(Phase.IDLE)
    assert world.spec("VirtualService", NAME)["hosts"] == ["new.internal"]
    assert rolled.shares()["pods"] == Fraction(7, 10)


THEIR_ROUTE: Document = {"match": [{"uri": {"prefix": "/x"}}], "route": [{"destination": {"host": "other.example.com"}}]}
THEIR_SUBSET: Document = {"name": "theirs", "labels": {"track": "x"}}


def add(rolled: Rolled, name: str, manager: str = "kubectl-edit") -> None:
    """Somebody puts a route of their own before ours, and a subset behind ours."""
    routes = rolled.world.spec("VirtualService", name)["http"]
    rolled.world.edit("VirtualService", name, {"spec": {"http": [THEIR_ROUTE, *routes]}}, manager)
    subsets = rolled.world.spec("DestinationRule", name)["subsets"]
    rolled.world.edit("DestinationRule", name, {"spec": {"subsets": [*subsets, THEIR_SUBSET]}}, manager)


def theirs(rolled: Rolled, name: str) -> bool:
    """Whether both are there, in their places."""
    routes, subsets = rolled.world.spec("VirtualService", name)["http"], rolled.world.spec("DestinationRule", name)["subsets"]
    return bool(routes[0] == THEIR_ROUTE and subsets[-1] == THEIR_SUBSET)


def test_what_others_add_to_what_was_generated_is_written_along() -> None:
    """Step by step, and back: it moves none of our requests. What would give our Pods more is put back as ever."""
    rolled = born(*unit(MACHINES, *TWO))
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.SOAKING, 3)
    add(rolled, NAME)
    rolled.until(Phase.SOAKING, 4)
    assert theirs(rolled, NAME)
    assert rolled.shares()["pods"] == Fraction(1, 2)
    more = {"match": [{"uri": {"prefix": "/y"}}], "route": [{"destination": {"host": HOST, "subset": "rollout-pod"}}]}
    routes = rolled.world.spec("VirtualService", NAME)["http"]
    rolled.world.edit("VirtualService", NAME, {"spec": {"http": [more, *routes]}})
    rolled.look()
    assert rolled.world.spec("VirtualService", NAME)["http"] == routes
    rolled.say(Word.ABORT)
    rolled.look()
    assert theirs(rolled, NAME)
    rolled.until(Phase.IDLE)
    assert generated(rolled) == []


def test_what_others_add_to_what_git_has_lives_through_it_all() -> None:
    """Their word counts on the way there: it is asked for. The way back waits for nobody, and writes it along."""
    git = [rule(), virtual_service()]
    rolled = born(*unit(MACHINES, *TWO), *git)
    rolled.begin(*unit(SELECTOR, *TWO), *git)
    rolled.until(Phase.SOAKING, 3)
    add(rolled, "billing")
    for _ in range(12):
        report = rolled.look()
    assert any("kubectl-edit" in text for text in report.rollouts[0].waits)
    assert (rolled.shares()["pods"], theirs(rolled, "billing")) == (Fraction(1, 4), True)
    rolled.say(Word.ABORT)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    for _ in range(3):
        rolled.look()
    assert theirs(rolled, "billing")
    assert rolled.world.spec("VirtualService", "billing")["http"][1:] == git[1]["spec"]["http"]


def test_routes_that_hold_what_was_taken_back_stand_without_the_store() -> None:
    """They are in no commit, and nothing goes elsewhere because a database was lost."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 30, "pod": 70})
    rolled.policy = policy(strategy="subsets", split={"vm": 10, "pod": 90})
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.SOAKING, 1)
    rolled.say(Word.ABORT)
    rolled.until(Phase.IDLE)
    rolled.look()
    lose_store(rolled)
    for _ in range(3):
        assert rolled.look().results == ()
    assert (rolled.shares()["pods"], generated(rolled)) == (Fraction(7, 10), BOTH)


@pytest.mark.parametrize(("word", "then"), [(Word.ABORT, 70), (Word.RESUME, 80)])
def test_a_rollout_from_a_split_that_was_held_is_recovered_without_its_store(word: Word, then: int) -> None:
    """It goes on from the share that it had, and back to the one that was held, whatever the VMs' weights would make."""
    rolled = born(*unit(SELECTOR, *TWO), split={"vm": 30, "pod": 70})
    rolled.policy = policy(strategy="subsets", split={"vm": 10, "pod": 90})
    rolled.begin(*unit(SELECTOR, *TWO))
    rolled.until(Phase.SOAKING, 1)
    lose_store(rolled)
    rolled.say(word)
    rolled.until(Phase.IDLE if word is Word.ABORT else Phase.SOAKING)
    assert (rolled.shares()["pods"], generated(rolled)) == (Fraction(then, 100), BOTH)
