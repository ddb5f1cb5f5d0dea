"""Verdicts: only proof decides, everything else waits and says what for."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.core.judge import Counts, Decision, Evidence, Limits, Reason, Verdict
from tests.core.judge.flows import after, flow, history, window

LIMITS = Limits(samples=500)
KNOWN = after(history([9.0] * 120), LIMITS).for_next_step()


def seen(canary: Counts, stable: Counts) -> Verdict:
    """After one window."""
    return KNOWN.add(window(0, canary, stable), LIMITS).verdict(LIMITS)


@pytest.mark.case("C-03")
@pytest.mark.case("C-08")
@pytest.mark.parametrize(
    ("canary", "stable", "reason"),
    [
        (Counts(), Counts(), Reason.NO_CANARY),
        (Counts(), Counts(5000, 5), Reason.NO_CANARY),
        (Counts(5000, 5), Counts(), Reason.NO_STABLE),
        (Counts(10), Counts(), Reason.NO_STABLE),
        (Counts(5000, 5), Counts(499), Reason.NO_STABLE),
        (Counts(499, 5), Counts(499), Reason.FEW_SAMPLES),
        (Counts(499, 5), Counts(5000), Reason.FEW_SAMPLES),
        (Counts(500, 5), Counts(500, 5), Reason.INCONCLUSIVE),
        (Counts(500), Counts(500), Reason.INCONCLUSIVE),
    ],
)
def test_what_is_not_proven_waits_and_says_why(canary: Counts, stable: Counts, reason: Reason) -> None:
    """No data, no stable arm and few samples are neither good nor bad."""
    found = seen(canary, stable)
    assert (found.reason, found.decision) == (reason, Decision.WAIT)
    assert (found.missing is not None) == (reason in (Reason.FEW_SAMPLES, Reason.INCONCLUSIVE))


def test_nothing_is_said_of_no_window_at_all() -> None:
    """The first look, before anything has been counted."""
    assert Evidence().verdict(LIMITS).reason is Reason.NO_CANARY


def test_a_certificate_waits_for_the_least_sample() -> None:
    """Proven or not."""
    limits = Limits(samples=20_000)
    found = after(flow([(1.0, 9.0)] * 99), limits, KNOWN).verdict(limits)
    assert found.not_worse.holds
    assert (found.reason, found.missing and found.missing.requests) == (Reason.FEW_SAMPLES, 200)


@settings(deadline=None)
@given(
    rate=st.sampled_from([0.0, 0.0005, 0.005, 0.05]),
    share=st.sampled_from([0.01, 0.1, 0.5, 0.9]),
    margin=st.sampled_from([1.5, 2.0, 3.0, 5.0]),
    windows=st.integers(1, 6),
)
def test_after_what_was_missing_a_canary_as_good_as_the_stable_arm_is_certified(
    rate: float, share: float, margin: float, windows: int
) -> None:
    """Played out without chance: not later than said, and not in a third of the time."""
    limits = Limits(margin=margin, samples=100)
    canary, stable = 4000 * share, 4000 * (1 - share)
    one = (canary * rate, stable * rate)
    known = after(history([stable * rate] * 300, stable=stable), limits)
    found = after(flow([one] * windows, canary=canary, stable=stable), limits, known.for_next_step())
    verdict = found.verdict(limits)
    missing = verdict.missing
    if missing is None:
        assert verdict.decision is Decision.NOT_WORSE
        return
    more = math.ceil(missing.requests / canary)
    assume(more < 1500)
    assert missing.time.total_seconds() == pytest.approx(60 * missing.requests / canary)
    rest = flow([one] * more, first=windows, canary=canary, stable=stable)
    assert after(rest, limits, found).verdict(limits).decision is Decision.NOT_WORSE
    assert after(rest[: more // 3], limits, found).verdict(limits).decision is Decision.WAIT


def test_what_cannot_be_proven_is_not_promised() -> None:
    """Without failures of the stable arm, and with no rate that nobody minds."""
    limits = Limits(negligible=0)
    found = after(flow([(0.0, 0.0)] * 50), limits).verdict(limits)
    assert (found.reason, found.missing) == (Reason.INCONCLUSIVE, None)


def test_a_service_without_any_failure_is_certified_by_what_is_negligible() -> None:
    """Silence of 12,000 requests proves that fewer than two in a thousand fail."""
    found = after(flow([(0.0, 0.0)] * 300), LIMITS).verdict(LIMITS)
    assert found.decision is Decision.NOT_WORSE


def test_the_words_explain_the_verdict() -> None:
    """Rates, proofs, and how long it takes."""
    found = after(flow([(1.0, 9.0)] * 6), LIMITS, KNOWN).verdict(LIMITS)
    assert str(found) == (
        "wait: inconclusive: 0.500% of 1,200 requests against 0.500% of 10,800; evidence of harm 1 of 100, "
        "of not worse 3.82 of 20, dispersion 1.0; 1,277 more requests, about 6 min"
    )
    assert str(after(flow([(200.0, 9.0)] * 40), LIMITS, KNOWN).verdict(LIMITS)).startswith(
        "harm: the canary is worse: 100.000% of 8,000 requests against 0.500% of 72,000; evidence of harm "
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin": 1.0},
        {"margin": float("nan")},
        {"margin": float("inf")},
        {"harmless": 0.5},
        {"harmless": 3.0},
        {"harmless": float("nan")},
        {"alpha": 0.0},
        {"alpha": float("nan")},
        {"beta": 1.0},
        {"negligible": -0.1},
        {"negligible": float("nan")},
        {"samples": 0},
    ],
)
def test_limits_that_contradict_themselves_are_refused(wrong: dict[str, float]) -> None:
    """NaN again above all."""
    with pytest.raises(ValueError, match=r"must hold|between|at least"):
        Limits(**wrong)  # type: ignore[arg-type]
