"""Random meshes: whatever plan is made, carrying it out in any admissible order keeps every law after every single write."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reconciler.core.changes import Change
from reconciler.core.plans import GuardCode, Plan
from reconciler.core.resources import Document, Pod, Service
from tests.core import oracle
from tests.core.meshes import (
    approved,
    commit,
    entry,
    guards,
    pod,
    record,
    route,
    rule,
    service,
    there,
    vm,
)

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
    for name in draw(st.sets(st.sampled_from(["w0", "w1", "w2"]))):
        found.append(vm(name, f"10.0.0.{name[1]}", app=draw(APPS), labels={"v": draw(st.sampled_from("12"))}))
        found.append(record(found[-1]))
    if draw(st.booleans()):
        subsets = {f"v{one}": {"v": one} for one in draw(st.sets(st.sampled_from("12")))}
        found.append(rule("d0", draw(st.sampled_from(HOSTS)), subsets))
    if draw(st.booleans()):
        subset = st.sampled_from(["", "", "v1", "v2"])
        targets = draw(st.lists(st.tuples(st.sampled_from(HOSTS), subset), min_size=1, max_size=2, unique=True))
        weights = [50] * len(targets) if draw(st.booleans()) else [100, *([0] * (len(targets) - 1))]
        to = [(host, name, weight) for (host, name), weight in zip(targets, weights, strict=True)]
        found.append(route("r0", to=to, hosts=[draw(st.sampled_from([*HOSTS, "front.internal"]))]))
    return found


@st.composite
def surroundings(draw: st.DrawFn) -> tuple[tuple[Pod, ...], tuple[Service, ...]]:
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
    before: list[Document], after: list[Document], around: tuple[tuple[Pod, ...], tuple[Service, ...]], seed: int
) -> None:
    """The oracle, which shares nothing with the simulator, finds no write that empties a service or comes too early."""
    pods, services = around
    live = there(*before, pods=pods, services=services)
    made = approved(commit(*after), live)
    documents = {key: one.document for key, one in (*live.objects.items(), *live.machines.items())}
    order = executions(made, seed)
    event(f"refused: {bool(guards(made, GuardCode.UNLAWFUL))}, writes: {min(len(order), 3)}")
    assert not broken(documents, order, oracle.Surroundings(pods, services))
