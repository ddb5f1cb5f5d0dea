"""A comparison from its first window to its verdict."""

from __future__ import annotations

from itertools import product
from math import exp, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.judge import Counts, Decision, Evidence, Limits, Reason
from reconciler.core.judge.processes import Certificate
from tests.core.judge.flows import CANARY, STABLE, after, flow, history, window
from tests.core.judge.test_processes import outcomes

LIMITS = Limits()
#: As good as the stable arm, at half a percent, without any chance; and twice as bad.
GOOD, TWICE, FIVE_TIMES = (1.0, 9.0), (2.0, 9.0), (5.0, 9.0)
KNOWN = after(history([9.0] * 120), LIMITS)

FAILURES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 60)), max_size=12)


def windows_until_harm(evidence: Evidence, failures: tuple[float, float], first: int) -> int:
    """After how many windows of these failures harm is proven."""
    for count, one in enumerate(flow([failures] * 200, first=first), start=1):
        evidence = evidence.add(one, LIMITS)
        if evidence.verdict(LIMITS).decision is Decision.HARM:
            return count
    return 200


def test_with_the_dispersion_learned_on_the_way_the_mean_stays_at_most_one() -> None:
    """All courses of three windows once more, now with everything that `add` does, after a history without bursts."""
    mean = 0.0
    for course in product(tuple(outcomes(2, 4, 0.4, 1.0)), repeat=3):
        found = after((window(number, one, other) for number, (_, one, other) in enumerate(course)), LIMITS, KNOWN)
        mean += prod(chance for chance, _, _ in course) * exp(found.harm.log)
    assert 0.5 < mean <= 1 + 1e-9


def test_a_window_is_weighed_by_what_was_known_before_it() -> None:
    """A burst of the stable arm that it shows itself must not decide what it weighs."""
    odd = after(history([9.0] * 119), LIMITS)
    (one,) = flow([(8.0, 300.0)])
    found = odd.add(one, LIMITS)
    known = odd.dispersion.value
    assert found.dispersion.value > 2 * known
    assert found.harm == odd.harm.add(one, known, LIMITS)
    assert found.certificate == odd.certificate.add(one, known, LIMITS)


def test_harm_is_found_however_late_it_begins() -> None:
    """From the first minute, after 16 hours and after 72 good hours, and soon."""
    good = after(flow([GOOD] * 960), LIMITS, KNOWN)
    long_good = after(flow([GOOD] * 3360, first=960), LIMITS, good)
    assert [windows_until_harm(one, TWICE, first) for one, first in ((KNOWN, 0), (good, 960), (long_good, 4320))] <= [
        25,
        50,
        60,
    ]
    assert windows_until_harm(long_good, FIVE_TIMES, 4320) <= 8


def test_without_history_small_harm_takes_longer_and_gross_harm_is_found_at_once() -> None:
    """Because bursts are assumed until the stable arm has shown that there are none."""
    assert windows_until_harm(Evidence(), TWICE, 0) > windows_until_harm(KNOWN, TWICE, 0)
    assert windows_until_harm(Evidence(), (40.0, 9.0), 0) <= 4


def test_harm_is_found_without_any_failure_of_the_stable_arm() -> None:
    """A ratio with zero below it, where others compute NaN."""
    calm = after(history([0.0] * 120), LIMITS)
    assert windows_until_harm(calm, (10.0, 0.0), 0) <= 20
    assert windows_until_harm(calm, (0.0, 0.0), 0) == 200


def test_when_both_arms_fail_the_canary_is_not_blamed_and_nothing_passes() -> None:
    """A database that is down for ten minutes hits all alike."""
    found = after(flow([GOOD] * 5 + [(100.0, 900.0)] * 10), LIMITS, KNOWN).verdict(LIMITS)
    assert found.decision is Decision.WAIT
    assert found.harm.log < 1


def test_an_incident_of_the_stable_arm_does_not_certify_the_canary() -> None:
    """Its failures speak for the canary only as far as one window may."""
    found = after([*flow([GOOD] * 2), *flow([(1.0, 1500.0)], first=2)], LIMITS, KNOWN).verdict(LIMITS)
    assert found.reason is not Reason.PROVEN_NOT_WORSE


@given(failures=FAILURES)
def test_who_stays_away_and_who_looks_all_the_time_come_to_the_same(failures: list[tuple[int, int]]) -> None:
    """Looking changes nothing, and proof that nobody looked at is kept."""
    seen = Evidence()
    proven = False
    for one in flow(failures):
        seen = seen.add(one, LIMITS)
        proven = proven or seen.harm.log >= LIMITS.conviction
        assert seen.verdict(LIMITS) == seen.verdict(LIMITS)
    assert seen == after(flow(failures), LIMITS)
    assert (seen.verdict(LIMITS).decision is Decision.HARM) == proven


def test_no_request_counts_twice() -> None:
    """A window that was added, or overlaps one, is refused; one after a gap is not."""
    found = after(flow([GOOD]), LIMITS)
    for overlapping in (*flow([GOOD]), *flow([GOOD], first=-1)):
        with pytest.raises(ValueError, match="overlaps"):
            found.add(overlapping, LIMITS)
    assert after(flow([GOOD], first=7), LIMITS, found).seen.windows == 2


def test_a_step_is_certified_anew_while_the_evidence_of_harm_goes_on() -> None:
    """What passed at 1 percent has not passed at 10."""
    found = after(flow([(1.2, 9.0)] * 40), LIMITS, KNOWN)
    assert found.verdict(LIMITS).decision is Decision.NOT_WORSE
    then = found.for_next_step()
    assert then.verdict(LIMITS).reason is Reason.NO_CANARY
    assert (then.harm, then.dispersion, then.until) == (found.harm, found.dispersion, found.until)
    assert then.certificate == Certificate()


def test_another_version_begins_with_what_the_stable_arm_has_shown() -> None:
    """The Pods of another template have done neither good nor harm."""
    found = after(flow([FIVE_TIMES] * 40), LIMITS, KNOWN)
    assert found.verdict(LIMITS).decision is Decision.HARM
    assert found.for_new_canary() == Evidence(found.until, found.dispersion)
    assert found.for_new_canary().verdict(LIMITS).decision is Decision.WAIT


def test_good_hours_do_not_pay_for_harm_that_begins_later() -> None:
    """After 72 of them a canary at thrice the rate loses its certificate within minutes, before harm is proven."""
    found = after(flow([GOOD] * 4320), LIMITS, KNOWN)
    assert found.verdict(LIMITS).decision is Decision.NOT_WORSE
    found = after(flow([(3.0, 9.0)] * 8, first=4320), LIMITS, found)
    assert found.verdict(LIMITS).decision is not Decision.NOT_WORSE


@pytest.mark.parametrize("harmless", [1.0, 1.5])
def test_what_is_harmless_is_no_harm_whatever_the_traffic_proves(harmless: float) -> None:
    """A canary on slower machines may fail by a third more often, if people say so."""
    limits = Limits(harmless=harmless)
    known = after(history([90.0] * 120, stable=18_000.0), limits)
    found = after(flow([(13.0, 90.0)] * 400, canary=2000.0, stable=18_000.0), limits, known)
    assert (found.verdict(limits).decision is Decision.HARM) == (harmless == 1)


@given(failures=FAILURES)
def test_a_state_holds_as_much_after_many_windows_as_after_few(failures: list[tuple[int, int]]) -> None:
    """It is stored with every rollout, thousands of them."""
    found = after(flow(failures), LIMITS)
    assert len(found.harm.stakes) == len(Evidence().harm.stakes)
    assert len(found.dispersion.scales) == len(Evidence().dispersion.scales)


def test_the_sums_of_a_step_are_its_own() -> None:
    """For the words of a verdict, and for the least sample."""
    found = after(flow([GOOD] * 3), LIMITS, KNOWN.for_next_step()).seen
    assert (found.canary, found.stable) == (Counts(3 * CANARY, 3.0), Counts(3 * STABLE, 27.0))
    assert (found.windows, found.seconds) == (3, 180.0)
