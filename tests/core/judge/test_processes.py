"""The e-processes, held against their definition by counting out every possible outcome."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import comb, exp, log, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.judge import Counts, Limits, Window
from reconciler.core.judge.processes import RATIOS, Certificate, Harm, gains, log_evidence, weight_from
from tests.core.judge.flows import flow, window

LIMITS = Limits()
REQUESTS = st.integers(0, 6)
SHARES = st.sampled_from([0.01, 0.2, 0.5, 0.8, 0.99])


def binomial(of: int, failing: int, rate: float) -> float:
    """The chance that so many fail."""
    return comb(of, failing) * rate**failing * (1 - rate) ** (of - failing)


def outcomes(canary: int, stable: int, rate: float, ratio: float) -> Iterator[tuple[float, Counts, Counts]]:
    """Every outcome of a window with its chance; the canary fails `ratio` times as often as the stable arm."""
    for a, b in product(range(canary + 1), range(stable + 1)):
        chance = binomial(canary, a, rate * ratio) * binomial(stable, b, rate)
        yield chance, Counts(canary, a), Counts(stable, b)


@given(canary=REQUESTS, stable=REQUESTS, rate=SHARES, null=st.floats(1, 5), ratio=st.floats(0.1, 10), less=SHARES)
def test_the_mean_of_a_windows_evidence_is_at_most_one_where_the_null_is_true(
    canary: int, stable: int, rate: float, null: float, ratio: float, less: float
) -> None:
    """On the null's edge and beyond it, at any rate, by the sum over all outcomes."""
    beyond = null * less if ratio > 1 else null / less
    for true in (null, beyond):
        stable_rate = rate * min(1.0, 1 / true)
        mean = sum(
            chance * exp(log_evidence(one, other, null, ratio))
            for chance, one, other in outcomes(canary, stable, stable_rate, true)
        )
        assert mean <= 1 + 1e-9


@given(canary=REQUESTS, stable=REQUESTS, failures=st.integers(0, 12), ratio=st.floats(1, 10))
def test_it_is_so_too_when_only_who_failed_is_left_to_chance(canary: int, stable: int, failures: int, ratio: float) -> None:
    """Given how many failed in both arms: then the rate does not matter at all."""
    total = canary + stable
    chosen = min(failures, total)
    mean = 0.0
    for a in range(max(0, chosen - stable), min(canary, chosen) + 1):
        chance = comb(canary, a) * comb(stable, chosen - a) / comb(total, chosen)
        mean += chance * exp(log_evidence(Counts(canary, a), Counts(stable, chosen - a), 1.0, ratio))
    assert mean <= 1 + 1e-9


@given(requests=REQUESTS, margin=st.floats(1.1, 5), share=SHARES)
def test_the_mean_of_the_evidence_against_a_negligible_rate_is_at_most_one_beyond_the_margin(
    requests: int, margin: float, share: float
) -> None:
    """For every rate from margin times negligible on."""
    limits = Limits(margin=margin, negligible=share / margin)
    for rate in (share, (1 + share) / 2, 1.0):
        each = ((a, gains(Counts(requests, a), Counts(), limits)[1]) for a in range(requests + 1))
        assert sum(binomial(requests, a, rate) * exp(gain) for a, gain in each) <= 1 + 1e-9


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.95])
def test_looking_after_every_window_fools_at_most_as_often_as_promised(rate: float) -> None:
    """All 3,375 courses of three windows: the mean stays at most 1, and the chance of ever reaching c is at most 1/c."""
    mean = 0.0
    reached = dict.fromkeys((1.2, 2.0, 5.0), 0.0)
    courses = product(tuple(outcomes(2, 4, rate, 1.0)), repeat=3)
    for course in courses:
        chance = prod(one for one, _, _ in course)
        harm = Harm()
        for number, (_, canary, stable) in enumerate(course):
            harm = harm.add(window(number, canary, stable), 1.0, LIMITS)
        mean += chance * exp(harm.log)
        for level in reached:
            reached[level] += chance * (harm.peak >= log(level))
    assert 0.5 < mean <= 1 + 1e-9
    assert all(0 < chance <= 1 / level for level, chance in reached.items())


@pytest.mark.parametrize("rate", [0.05, 0.45])
def test_a_canary_at_the_margin_is_certified_at_most_as_often_as_promised(rate: float) -> None:
    """The same for the certificate, of a canary that fails twice as often."""
    limits = Limits(margin=2.0, beta=0.3, negligible=rate)
    mean = certified = 0.0
    for course in product(tuple(outcomes(2, 4, rate, 2.0)), repeat=3):
        chance = prod(one for one, _, _ in course)
        logs = [0.0]
        certificate = Certificate()
        for number, (_, canary, stable) in enumerate(course):
            certificate = certificate.add(window(number, canary, stable), 1.0, limits)
            logs.append(certificate.log)
        mean += chance * exp(logs[-1])
        certified += chance * (max(logs) >= limits.acquittal)
    assert mean <= 1 + 1e-9
    assert certified <= limits.beta


FAILURES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 40)), max_size=8)


@given(failures=FAILURES, dispersion=st.sampled_from([1.0, 2.5]))
def test_one_number_per_ratio_is_the_mixture_over_every_start(failures: list[tuple[int, int]], dispersion: float) -> None:
    """Written out: each ratio and each start with its prior weight, and the weight of the starts that have not come."""
    harm = Harm()
    told: list[Window] = []
    for one in flow(failures):
        harm = harm.add(one, dispersion, LIMITS)
        told += [one] if one.canary.failures + one.stable.failures else []
    weights = [weight_from(start) - weight_from(start + 1) for start in range(1, len(told) + 2)]
    total = weight_from(len(told) + 1)
    for ratio in RATIOS:
        found = [exp(log_evidence(one.canary, one.stable, 1.0, ratio) / dispersion) for one in told]
        each = [min(one, 20.0) for one in found]
        total += sum(weights[start] * prod(each[start:]) for start in range(len(told))) / len(RATIOS)
    assert exp(harm.log) == pytest.approx(total)


def test_the_prior_weights_sum_to_one_and_are_all_above_zero() -> None:
    """So no beginning is left out, and none is paid for twice."""
    weights = [weight_from(start) - weight_from(start + 1) for start in range(1, 200_000)]
    assert min(weights) > 0
    assert sum(weights) + weight_from(200_000) == pytest.approx(1)
    assert weight_from(1) == 1
    assert -log(weights[-1]) < log(200_000) + 6


TELLING = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 40)), max_size=8)


@given(failures=TELLING, number=st.integers(0, 7), more=st.integers(1, 20))
def test_more_failures_of_the_canary_never_speak_for_it(failures: list[tuple[int, int]], number: int, more: int) -> None:
    """Neither of harm nor of a certificate; and failures of the stable arm never speak against the canary.

    In windows that tell something already: one more of these would take a share of the prior weights.
    """
    number = min(number, len(failures))
    before = [*failures, (1, 1)]
    a, b = before[number]
    worse, better = [*before], [*before]
    worse[number], better[number] = (a + more, b), (a, b + more)
    rising = [_both(one) for one in (better, before, worse)]
    harms, certificates = zip(*rising, strict=True)
    assert list(harms) == sorted(harms)
    assert list(certificates) == sorted(certificates, reverse=True)


def _both(failures: list[tuple[int, int]]) -> tuple[float, float]:
    harm, certificate = Harm(), Certificate()
    for one in flow(failures):
        harm, certificate = harm.add(one, 1.0, LIMITS), certificate.add(one, 1.0, LIMITS)
    return harm.log, certificate.log


def test_one_arm_alone_tells_nothing_of_the_other() -> None:
    """Whatever it does: no requests in either arm, or no failures in both."""
    for canary, stable in (
        (Counts(), Counts()),
        (Counts(50, 50), Counts()),
        (Counts(), Counts(50, 50)),
        (Counts(50), Counts(50)),
    ):
        one = window(0, canary, stable)
        assert log_evidence(canary, stable, 1.0, 5.0) == 0
        assert Harm().add(one, 1.0, LIMITS) == Harm()
        assert gains(canary, stable, LIMITS)[0] == 0


def test_no_single_window_convicts_or_acquits() -> None:
    """A minute in which everything failed may be an incident, and one with a million good requests a lucky one."""
    bad, good = window(0, Counts(1e6, 1e6), Counts(1e7, 0)), window(0, Counts(1e6, 0), Counts(1e7, 1e6))
    assert Harm().add(bad, 1.0, LIMITS).peak < LIMITS.conviction
    certificate = Certificate()
    for _ in range(2):
        certificate = certificate.add(good, 1.0, LIMITS)
        assert certificate.log < LIMITS.acquittal
