"""How many Pods a step needs: counted out, for Pods that get requests, give them away, or get them back."""

from __future__ import annotations

from fractions import Fraction
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.resources import Autoscaler, Controller, ObservedState, Pod
from reconciler.core.rollouts.capacity import Need, Trust, carried, needs, overload
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.policy import CAREFUL
from reconciler.core.rollouts.values import Way
from reconciler.core.rollouts.ways import way_to
from tests.building import service_entry
from tests.core.rollouts.test_ways import ALL, documents, vm

UNIT = documents(service_entry(workloadSelector=ALL), vm(1), vm(2))
LOAD = Fraction(3, 2)
VM, POD = Fraction(8, 10), Fraction(2, 10)


def mesh(ready: int, meant: int | None = None, *, hpa: tuple[int, int] | None = None) -> Mesh:
    """A mesh with Pods of billing, some of them ready, and an HPA that asks for all of them."""
    labels, total = {"app": "billing"}, max(ready, meant or 0)
    pods = tuple(Pod("shop", f"p{i}", f"10.1.0.{i}", labels, ready=i < ready) for i in range(total))
    controllers = (Controller("Deployment", "shop", "billing", total, labels),)
    scalers = (Autoscaler("shop", "billing", "Deployment/billing", *hpa, total, total),) if hpa else ()
    return Mesh(ObservedState({}, pods=pods, controllers=controllers, autoscalers=scalers))


def split_way(start: Fraction, end: Fraction, on: Mesh) -> Way:
    """The way from one split to another one, in the careful steps."""
    way = way_to(UNIT, UNIT, CAREFUL, on, (start, end))
    assert way is not None
    return way


def need(way: Way, step: int, trust: Trust, on: Mesh) -> Need:
    """What the service needs at a step."""
    (found,) = needs(way, step, trust, on)
    return found


def fewest(share: Fraction, bearable: Fraction) -> int:
    """So many Pods share it out with nobody getting more than that."""
    return next(pods for pods in count(1) if share / pods <= bearable)


@given(pods=st.integers(1, 30), load=st.fractions(1, 4), step=st.integers(0, 2))
@settings(deadline=None, max_examples=30)
def test_a_step_needs_the_fewest_pods_that_can_be_trusted_with_it(pods: int, load: Fraction, step: int) -> None:
    """One more would do as well, one less would get too much of it each: the measure is what a VM bore."""
    on = mesh(pods)
    way = split_way(VM, Fraction(1, 10), on)
    found = need(way, min(step, len(way.steps) - 1), Trust(load), on)
    assert found.pods == fewest(found.share, found.bearable)
    assert found.bearable >= load * VM / 2
    assert found.end >= found.pods
    assert found.lacks is (pods < found.pods)


@given(pods=st.integers(2, 40), ready=st.integers(0, 40))
@settings(deadline=None, max_examples=30)
def test_pods_are_trusted_on_the_way_back_with_what_they_bore(pods: int, ready: int) -> None:
    """However few are left: all their requests need two thirds of those that there were, at 1.5 times."""
    bore = carried(UNIT, VM, mesh(pods))
    on = mesh(min(ready, pods), pods)
    way = split_way(Fraction(99, 100), VM, on)
    found = need(way, len(way.steps) - 1, Trust(LOAD, bore, back=True), on)
    assert bore[0].pods * bore[0].share == POD
    assert found.bearable == LOAD * POD / pods
    assert found.end == fewest(POD, LOAD * POD / pods)


def test_pods_that_bear_nearly_as_much_are_enough_whatever_they_bore_once() -> None:
    """At night 4 of 20 Pods are left, and bear the share of 20 since requests are few; where they crashed, it is not night."""
    bore = carried(UNIT, Fraction(1, 2), mesh(20))
    trust = Trust(LOAD, bore, back=True)
    night, crash = mesh(4), mesh(4, 20)
    way = split_way(Fraction(6, 10), Fraction(5, 10), night)
    assert not need(way, len(way.steps) - 1, trust, night).lacks
    assert need(way, len(way.steps) - 1, trust, crash).lacks
    assert overload(way, len(way.steps) - 1, trust, night) == ""


def test_what_is_lacking_is_told_with_what_to_set() -> None:
    """Once for all of the way, so that nobody is asked twice."""
    on = mesh(1, hpa=(1, 4))
    way = split_way(VM, Fraction(1, 100), on)
    text = overload(way, 0, Trust(Fraction(1)), on)
    assert text == (
        "1 ready Pod would get all of 59.5% of the requests to shop/billing, more than 40% (1 times what one got at the start) "
        "each: 2 are needed, 3 further on; set minReplicas of hpa/billing to 3"
    )
    assert overload(way, 0, Trust(Fraction(3, 2)), on) == ""
