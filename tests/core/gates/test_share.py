"""The observed share of requests: measured by workload or by a query, held against what the step is to give."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.gates.answers import Answers, Arm, AskQuery, Counts, Sample, Series, Unanswered
from reconciler.core.gates.consequence import Consequence, consequence
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.reading import Library, Template, share_of
from reconciler.core.gates.scene import Gain
from reconciler.core.gates.share import LEAST, UNMEASURED
from reconciler.core.gates.spec import Gate, Refused, Share
from reconciler.core.gates.verdict import Reason, Verdict
from tests.core.gates.scenes import HOSTS, MINUTE, NOON, PODS, looks, scene

FIVE = Fraction(5, 100)
GATE = Gate("observed share", Share(FIVE))
#: A tenth of the requests is to go to Pods, the rest to VMs.
TENTH = Gain("shop/billing", Fraction(1, 10), PODS, Arm(HOSTS, "shop"), machines=Fraction(9, 10))


def counted(gains: int, every: int) -> Answers:
    """What Prometheus counted."""
    return {"shop/billing gains": Counts(gains, 0, NOON), "shop/billing every": Counts(every, 0, NOON)}


def said(answers: Answers, gate: Gate = GATE, gain: Gain = TENTH) -> Verdict:
    """The verdict of one look."""
    moment = scene(gains=(gain,))
    assert set(questions(gate, moment, Memory())) == set(answers)
    return judge(gate, moment, Memory(), answers)[0]


@given(st.integers(0, 10_000), st.integers(LEAST, 10_000))
def test_only_a_share_above_the_steps_by_more_than_the_tolerance_holds(gains: int, every: int) -> None:
    """Too few requests where the step leads are no reason to wait: that is the safe side."""
    found = said(counted(min(gains, every), every))
    assert found.passes == (Fraction(min(gains, every), every) - TENTH.planned <= FIVE)
    assert found.passes or found.reason is Reason.EXPOSED


def test_it_says_what_was_measured() -> None:
    """The share, of how many requests, and what was planned."""
    assert said(counted(100, 1_000)).says == "10% of 1,000 requests to shop/billing go where the step leads, planned 10%"
    assert str(said(counted(300, 1_000))).endswith("planned 10%, more than 5% above")


def test_it_waits_and_never_undoes() -> None:
    """It is no harm, and a person is asked at the deadline like for all that does not end."""
    found = said(counted(900, 1_000))
    assert consequence(GATE, found, NOON, NOON + MINUTE) is Consequence.STAY
    assert consequence(GATE, found, NOON, NOON + GATE.deadline) is Consequence.PAUSE


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (counted(LEAST - 1, LEAST - 1), f"{LEAST - 1} of {LEAST} requests to shop/billing so far"),
        ({**counted(0, 0), "shop/billing every": Unanswered("down")}, "down"),
    ],
)
def test_what_is_not_measured_holds_nothing(answers: Answers, why: str) -> None:
    """And says so."""
    found = said(answers)
    assert (found.passes, found.says) == (True, f"{UNMEASURED}: {why}")


def test_arms_that_cannot_be_told_apart_are_not_asked_for() -> None:
    """Two Deployments of one name, or nobody there yet."""
    found = said({}, gain=Gain("shop/billing", Fraction(1, 10), why="nobody is there"))
    assert (found.passes, found.says) == (True, f"{UNMEASURED}: nobody is there")


def test_few_requests_add_up_until_they_suffice() -> None:
    """A window of too few stays open, one that was judged closes: no request counts twice."""
    moment, memory = scene(gains=(TENTH,)), Memory()
    _, memory = judge(GATE, moment, memory, counted(1, 10))
    assert memory.opened == NOON
    later = replace(moment, now=NOON + 2 * MINUTE)
    verdict, memory = judge(GATE, later, memory, counted(500, 1_000))
    assert (verdict.reason, memory.opened) == (Reason.EXPOSED, NOON + 2 * MINUTE)


@pytest.mark.parametrize(
    ("machines", "to_machines", "value", "passes"),
    [(9, False, 0.84, False), (9, False, 0.86, True), (9, False, 1.0, True), (1, True, 0.16, False), (1, True, 0.0, True)],
)
def test_a_query_gives_the_share_of_the_vms(machines: int, to_machines: bool, value: float, passes: bool) -> None:  # noqa: FBT001
    """Whichever way the rollout goes: above the step is what leads farther than planned."""
    gate = Gate("observed share", Share(FIVE, "vm_share"))
    gain = replace(TENTH, machines=Fraction(machines, 10), to_machines=to_machines)
    assert said({"share": Series((Sample(value, NOON),))}, gate, gain).passes is passes


@pytest.mark.parametrize("samples", [(), (Sample(nan, NOON),), (Sample(1.5, NOON),), (Sample(0.5, NOON), Sample(0.5, NOON))])
def test_a_query_that_gives_no_single_share_measures_nothing(samples: tuple[Sample, ...]) -> None:
    """It neither holds a step nor tells a wrong share."""
    found = said({"share": Series(samples)}, Gate("observed share", Share(FIVE, "vm_share")))
    assert (found.passes, found.says) == (True, f"{UNMEASURED}: the query gives no single share from 0 to 1")


def test_queries_are_those_that_the_operator_allows() -> None:
    """A template with quoted parameters; a query of Git's only where Git may write queries."""
    library = Library({"mesh-share": Template("share{host=$host}[$window]")}, free_queries=False)
    document = {"template": "mesh-share", "parameters": {"host": 'a"b'}}
    assert share_of(FIVE, document, library) == Share(FIVE, 'share{host="a\\"b"}[$window]')
    refused = share_of(FIVE, {"query": "up"}, library)
    assert isinstance(refused, Refused)
    assert "not allowed" in refused.why
    assert share_of(FIVE, {}, library) == Share(FIVE)
    asked = questions(Gate("x", Share(FIVE, "sum(rate(x[$window]))")), scene(gains=(TENTH,)), Memory())
    assert asked == {"share": AskQuery("sum(rate(x[60000ms]))", NOON + MINUTE)}


def test_a_service_that_nothing_changes_of_is_not_measured() -> None:
    """No request goes elsewhere: there is nothing to be above."""
    (found,) = looks(GATE, {})
    assert (found.passes, found.says) == (True, f"{UNMEASURED}: nobody's share changes")
