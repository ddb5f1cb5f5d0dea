"""Random meshes: whatever plan is made, carrying it out in any admissible order keeps every law after every single write."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import permutations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reconciler.core.changes import Change
from reconciler.core.plans import GuardCode, Plan
from reconciler.core.resources import Document, Pod, Service
from tests.building import document
from tests.core import oracle
from tests.core.meshes import approved, commit, differences, entry, guards, pod, record, route, rule, service, there, vm

APPS = st.sampled_from(["a", "b"])
HOSTS = ("one.internal", "two.internal")


@st.composite
def meshes(draw: st.DrawFn) -> list[Document]:
    """Some ServiceEntries over two hosts, VMs with labels, rules with subsets, routes over them."""
    found: list[Document] = []
    for number in range(draw(st.integers(0, 2))):
        host = draw(st.sampled_from(HOSTS))
        if draw(st.booleans()):
            found.append(entry(f"s{number}", app=draw(APPS), hosts=[host]))
        else:
            addresses = [f"10.9.{number}.{i}" for i in range(draw(st.integers(0, 2)))]
            found.append(entry(f"s{number}", endpoints=addresses, hosts=[host]))
    account = draw(st.sampled_from([None, "acct"]))
    for name in draw(st.sets(st.sampled_from(["w0", "w1", "w2"]))):
        labels = {"v": draw(st.sampled_from("12"))}
        found.append(vm(name, f"10.0.0.{name[1]}", app=draw(APPS), labels=labels, serviceAccount=account))
        found.append(record(found[-1]))
    if account:
        found.append(document("ServiceAccount", account))
    for number in range(draw(st.integers(0, 2))):
        subsets = {f"v{one}": {"v": one} for one in draw(st.sets(st.sampled_from("12")))}
        found.append(rule(f"d{number}", HOSTS[number], subsets))
    subset = st.sampled_from(["", "", "v1", "v2"])
    for number in range(draw(st.integers(0, 2))):
        targets = draw(st.lists(st.tuples(st.sampled_from(HOSTS), subset), min_size=1, max_size=2, unique=True))
        weights = [50] * len(targets) if draw(st.booleans()) else [100, *([0] * (len(targets) - 1))]
        to = [(host, name, weight) for (host, name), weight in zip(targets, weights, strict=True)]
        found.append(route(f"r{number}", to=to, hosts=[draw(st.sampled_from([*HOSTS, "front.internal"]))]))
    return found


PodsAndServices = tuple[tuple[Pod, ...], tuple[Service, ...]]


@st.composite
def surroundings(draw: st.DrawFn) -> PodsAndServices:
    """Perhaps a Pod, perhaps a Service that selects VMs too."""
    pods = (pod("p0", app="a", labels={"v": "1"}, ready=draw(st.booleans())),) if draw(st.booleans()) else ()
    return pods, ((service("web", app="a"),) if draw(st.integers(0, 3)) == 0 else ())


def executions(made: Plan, seed: int) -> list[Change]:
    """One admissible order of all writes of a plan: units side by side as far as they may, the writes of a wave shuffled."""
    luck = random.Random(seed)
    left = {one.name: [list(wave) for step in one.steps for wave in step.waves] for one in made.units}
    order: list[Change] = []
    while any(left.values()):
        free = [one.name for one in made.units if left[one.name] and not any(left.get(other) for other in one.waits_for)]
        waves = left[luck.choice(free)]
        order.append(waves[0].pop(luck.randrange(len(waves[0]))))
        if not waves[0]:
            waves.pop(0)
    return order


def broken(documents: oracle.Documents, changes: Sequence[Change], around: oracle.Surroundings) -> list[str]:
    """What a sequence of writes breaks."""
    found = oracle.out_of_order(changes)
    for change in changes:
        later = oracle.step(documents, change)
        found += oracle.broken(documents, later, around)
        documents = later
    return found


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(before=meshes(), after=meshes(), around=surroundings(), seed=st.integers(0, 10))
def test_no_admissible_order_of_a_plan_breaks_a_law(
    before: list[Document], after: list[Document], around: PodsAndServices, seed: int
) -> None:
    """The oracle, which shares nothing with the simulator, finds no write that empties a service or comes too early."""
    pods, services = around
    live = there(*before, pods=pods, services=services)
    made = approved(commit(*after), live)
    documents = {key: one.document for key, one in (*live.objects.items(), *live.machines.items())}
    order = executions(made, seed)
    event(f"refused: {bool(guards(made, GuardCode.UNLAWFUL))}, writes: {min(len(order), 3)}")
    assert not broken(documents, order, oracle.Surroundings(pods, services))


def outcomes(documents: oracle.Documents, changes: Sequence[Change]) -> oracle.Documents:
    """The documents after all changes."""
    for change in changes:
        documents = oracle.step(documents, change)
    return documents


def is_whole(documents: oracle.Documents, around: oracle.Surroundings) -> bool:
    """Whether every service and every destination has a healthy endpoint."""
    entries = [(space, host) for space, host in oracle.served(documents, around) if host in HOSTS]
    return all(oracle.healthy(documents, around, *one, {}) for one in entries) and all(
        oracle.fed(documents, around, one) for one in oracle.destinations(documents)
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(before=meshes(), after=meshes(), around=surroundings())
def test_a_plan_is_refused_only_where_no_order_is_lawful(
    before: list[Document], after: list[Document], around: PodsAndServices
) -> None:
    """Where Git asks for a mesh in which every service answers, and any order gets there lawfully, one is found."""
    pods, services = around
    live, git = there(*before, pods=pods, services=services), commit(*after)
    made = approved(git, live)
    documents = {key: one.document for key, one in (*live.objects.items(), *live.machines.items())}
    changes = [change for one in differences(git, live) for change in one.changes]
    beside = oracle.Surroundings(pods, services)
    refused = bool(guards(made, GuardCode.UNLAWFUL))
    event(f"refused: {refused}")
    if refused and is_whole(outcomes(documents, changes), beside):
        shown = [change for change in changes if change.key.kind != "VirtualMachine"]
        assert len(shown) > 5 or all(broken(documents, order, beside) for order in permutations(shown))
    if not guards(made):
        written = [change.key for change in executions(made, 0)]
        assert set(written) == {change.key for change in changes}
