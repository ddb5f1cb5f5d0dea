"""RolloutPolicies of Git as values: defaults of namespace and repository, what nobody says, the operator's bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.resources import Document, Key, Manifest
from reconciler.core.rollouts.policies import Policies, RolloutLimits, policy_of
from reconciler.core.rollouts.policy import AT_ONCE, CAREFUL, OnHarm, PolicyStep, RolloutPolicy, Strategy, Unreachable
from reconciler.core.units import Unit, cut
from reconciler.errors import Place
from tests.building import desired, observed, service_entry

OWN, NEAR, FAR = (
    Key("RolloutPolicy", namespace, name) for namespace, name in (("shop", "b"), ("shop", "d"), ("istio-system", "d"))
)
BILLING = Unit("shop/billing", (Key("ServiceEntry", "shop", "billing"),), services=(("shop", "billing"),), policies=(OWN,))
LEDGER = replace(BILLING, name="shop/ledger", policies=())
MINUTE = timedelta(minutes=1)
GATE = {"name": "errors", "prometheus": {"query": "up", "min": 1}}


def policies(own: Document | None = None, near: Document | None = None, far: Document | None = None) -> Policies:
    """The policies of a commit: billing's own, its namespace's default, the repository's."""
    specs = {OWN: own and {"serviceEntry": "billing", **own}, NEAR: near, FAR: far}
    return Policies.of({key: manifest(key, spec) for key, spec in specs.items() if spec is not None})


def manifest(key: Key, spec: Document) -> Manifest:
    """One RolloutPolicy of Git."""
    return Manifest(key, {"kind": key.kind, "spec": spec}, Place("policy.yaml"))


def of(unit: Unit = BILLING, limits: RolloutLimits | None = None, **given: Document) -> RolloutPolicy:
    """The policy of a unit, which has one of its own where that is given."""
    unit = replace(unit, policies=unit.policies if "own" in given else ())
    return policy_of(unit, policies(**given), limits or RolloutLimits())


def test_everything_that_a_policy_can_say_is_read_exactly() -> None:
    """Percentages and lengths of time as fractions and lengths of time, without rounding."""
    spec: dict[str, Any] = {
        "split": {"vm": 30, "pod": 70},
        "strategy": "subsets",
        "steps": [
            {"exposure": "0.5%", "hold": "1h30m", "gates": ["errors"], "approval": True, "cover": "24h"},
            {"exposure": "100%", "hold": "1.5s"},
        ],
        "gates": [GATE],
        "onHarm": "back",
        "gradual": False,
        "watch": "30m",
        "group": "checkout",
        "unreachable": "refuse",
        "maxLoadPerEndpoint": 1.1,
        "spill": "12.5%",
        "holdback": "1.5%",
        "shareTolerance": "2%",
        "observedShare": {"query": "vm_share"},
        "expectPods": 0,
    }
    assert of(own=spec) == RolloutPolicy(
        steps=(
            PolicyStep(Fraction(1, 200), 90 * MINUTE, ("errors",), approval=True, cover=timedelta(hours=24)),
            PolicyStep(Fraction(1), timedelta(seconds=1.5)),
        ),
        split=Fraction(3, 10),
        strategy=Strategy.SUBSETS,
        on_harm=OnHarm.BACK,
        gradual=False,
        watch=30 * MINUTE,
        group="checkout",
        unreachable=Unreachable.REFUSE,
        max_load=Fraction(11, 10),
        spill=Fraction(1, 8),
        holdback=Fraction(3, 200),
        share_tolerance=Fraction(1, 50),
        observed_share={"query": "vm_share"},
        expect_pods=0,
        gates={"errors": GATE},
    )


def test_where_nobody_says_anything_a_unit_goes_carefully_or_at_once() -> None:
    """As the operator has decided; a policy without steps is about care all the same."""
    assert of() == CAREFUL
    assert of(limits=RolloutLimits(careful=False)) == AT_ONCE
    assert of(limits=RolloutLimits(careful=False), own={"watch": "1m"}) == replace(CAREFUL, watch=MINUTE)
    assert of(own={"watch": None, "gradual": None}) == CAREFUL


def test_the_nearer_policy_wins_field_by_field() -> None:
    """What it leaves open, the default of the namespace says, and what that leaves open, the repository's."""
    far = {"watch": "3m", "onHarm": "pause", "group": "all"}
    near = {"watch": "2m", "onHarm": "back"}
    found = of(own={"watch": "1m"}, near=near, far=far)
    assert (found.watch, found.on_harm, found.group) == (MINUTE, OnHarm.BACK, "all")
    without = of(LEDGER, own={"watch": "1m"}, near=near, far=far)
    assert (without.watch, without.on_harm, without.group) == (2 * MINUTE, OnHarm.BACK, "all")
    elsewhere = Unit("bank/x", (Key("ServiceEntry", "bank", "x"),), services=(("bank", "x"),))
    assert (of(elsewhere, near=near, far=far).watch, of(elsewhere, near=near).watch) == (3 * MINUTE, CAREFUL.watch)


def test_gates_of_all_of_them_are_there_and_the_nearer_definition_counts() -> None:
    """So that a repository defines a gate once, and a service only asks for it."""
    mine, other = {**GATE, "mode": "observe"}, {"name": "latency", "webhook": {"url": "https://x.example"}}
    assert of(own={"gates": [mine]}, near={"gates": [other]}, far={"gates": [GATE]}).gates == {"errors": mine, "latency": other}
    assert of(LEDGER, near={"gates": None}, far={"gates": [GATE]}).gates == {"errors": GATE}


def test_a_route_between_two_units_goes_by_the_default_of_its_namespace() -> None:
    """It has no service of its own."""
    route = Unit("VirtualService shop/all", (Key("VirtualService", "shop", "all"),), touches=("shop/a", "shop/b"))
    assert of(route, near={"watch": "2m"}).watch == 2 * MINUTE


def test_units_have_the_policies_that_name_their_services() -> None:
    """And not the defaults."""
    git = desired(service_entry("billing"))
    found = {OWN: manifest(OWN, {"serviceEntry": "billing"}), NEAR: manifest(NEAR, {"watch": "1m"})}
    (unit,) = cut(replace(git, policies=found), observed(), ())
    assert unit.policies == (OWN,)


def test_the_operators_bounds_slow_down_what_is_too_quick_and_say_so() -> None:
    """A smaller first step comes before, with the holds and gates of the first; holds and watch are at least as long."""
    spec = {"steps": [{"exposure": "50%", "hold": "1m", "gates": ["errors"], "approval": True}, {"exposure": "100%"}]}
    limits = RolloutLimits(first_step=Fraction(1, 100), hold=5 * MINUTE, watch=10 * MINUTE)
    found = of(own={**spec, "gates": [GATE]}, limits=limits)
    assert found.steps == (
        PolicyStep(Fraction(1, 100), 5 * MINUTE, ("errors",)),
        PolicyStep(Fraction(1, 2), 5 * MINUTE, ("errors",), approval=True),
        PolicyStep(Fraction(1), 5 * MINUTE),
    )
    assert found.watch == 10 * MINUTE
    assert [note.split(":")[0] for note in found.notes] == [
        "a first step of 1% was added",
        "steps are held for 5 min at least, as the operator asks",
        "the end is watched for 10 min, as the operator asks",
    ]


@given(
    st.lists(st.integers(1, 99), unique=True, max_size=4).map(sorted),
    st.integers(1, 100),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_whatever_git_asks_for_stays_inside_the_bounds(
    shares: list[int], first: int, hold: int, watch: int, asked: int
) -> None:
    """Steps still grow to 100 %, and what is within the bounds is left as it is."""
    steps = [{"exposure": f"{share}%", "hold": f"{asked}m"} for share in (*shares, 100)]
    limits = RolloutLimits(first_step=Fraction(first, 100), hold=hold * MINUTE, watch=watch * MINUTE)
    found = of(own={"steps": steps, "watch": f"{asked}m"}, limits=limits)
    exposures = [one.exposure for one in found.steps]
    assert exposures == sorted(set(exposures))
    assert exposures[0] <= limits.first_step
    assert exposures[-1] == 1
    assert all(one.hold >= limits.hold for one in found.steps)
    assert found.watch >= limits.watch
    assert bool(found.notes) == (found != of(own={"steps": steps, "watch": f"{asked}m"}))
