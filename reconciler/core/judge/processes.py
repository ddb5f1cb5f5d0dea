"""The two e-processes: evidence that may be looked at after every window.

An e-process is never negative, begins at 1, and its mean does not rise while its null hypothesis holds. By Ville's inequality
the chance that it *ever* reaches 1/alpha is then at most alpha: whoever looks at every window and stops at will is not fooled.

One window's evidence sets two ratios of failure rates, canary to stable, against each other. Let a and b be the failures of the
two arms and s the canary's share of their requests; then

    log e = a * log(r / m) - (a + b) * log((1 + s * (r - 1)) / (1 + s * (m - 1)))        null m, alternative r

is the likelihood ratio of a, given a + b. Only the share of requests and the ratio matter: rates that move with the hour
cancel, and so do shares that move with the steps (Lindon and Malek, "Anytime-valid inference for multinomial count data",
NeurIPS 2022, arXiv 2011.03567).

The mean of e is at most 1 for Poisson counts, and also for requests that fail independently, at any rate p of the stable arm:
with n requests in both arms and g for the fraction above, log(1 + x) <= x gives

    log E[e] <= n * s * m * p * (r / (m * g) - 1) + n * (1 - s) * p * (1 / g - 1) = 0

and less where the canary is farther on the null's side than m. The mean stays at most 1 when e is raised to a power below 1
that was known before the window (1 / dispersion), and when it is cut off above; mixing such processes, or multiplying along
windows, keeps it so. Nothing divides by a count of failures: no failures, or only one arm at work, is simply no evidence.
"""

import math
from dataclasses import dataclass, replace
from functools import reduce

from reconciler.core.judge.counts import Counts, Window
from reconciler.core.judge.limits import Limits

#: The alternatives of the test for harm, in even mixture: ratios of failure rates, on top of what is harmless. A larger one
#: would find no harm sooner, and only help single large bursts to look like harm.
RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0)
#: What one window may add to the logarithm of the evidence of harm: one unheard-of incident must not convict alone.
_MOST = math.log(20)
#: A certificate keeps at most so many times what it needs: good hours in the bank must not pay for harm that begins later.
_BANK = 2.0
#: The parts of the two kinds of `gains` in a certificate, as logarithms.
CERTIFICATE_PARTS = (math.log(0.8), math.log(0.2))


def log_evidence(canary: Counts, stable: Counts, null: float, ratio: float) -> float:
    """Return the logarithm of one window's evidence for `null * ratio` against `null`: failure rates, canary to stable."""
    requests = canary.requests + stable.requests
    if not requests:
        return 0.0
    share = canary.requests / requests
    growth = math.log1p(share * (null * ratio - 1)) - math.log1p(share * (null - 1))
    return canary.failures * math.log(ratio) - (canary.failures + stable.failures) * growth


def weight_from(start: int) -> float:
    """Return the prior weight of this start (1 is the first) and all later ones; one start has the difference to the next.

    All weights sum to weight_from(1) = 1. They fall so slowly that harm which begins at the n-th window costs little more than
    log(n) of evidence.
    """
    return 1 / math.log2(start + 1)


def _log_weight(start: int) -> float:
    return math.log(weight_from(start) - weight_from(start + 1))


@dataclass(frozen=True, slots=True)
class Harm:
    """Evidence that the canary fails more often, from the first window on or from any later one.

    The mixture over *every* start needs one number for each ratio: what is staked on all starts so far is multiplied by the
    window's evidence, then the next start's weight is staked too. `stakes` are logarithms of these. `windows` counts the ones
    that could tell; one without failures, or with one arm only, cannot. `peak` is the logarithm of the highest evidence so far,
    as proof does not fade.
    """

    windows: int = 0
    stakes: tuple[float, ...] = (_log_weight(1),) * len(RATIOS)
    peak: float = 0.0

    def add(self, window: Window, dispersion: float, limits: Limits) -> "Harm":
        """Return it with one more window. `dispersion` must not know of the window."""
        canary, stable = window.canary, window.stable
        if not (canary.requests and stable.requests and canary.failures + stable.failures):
            return self
        weight = _log_weight(self.windows + 2)
        found = (log_evidence(canary, stable, limits.harmless, ratio) / dispersion for ratio in RATIOS)
        stakes = tuple(_log_add(stake + min(one, _MOST), weight) for stake, one in zip(self.stakes, found, strict=True))
        after = Harm(self.windows + 1, stakes, self.peak)
        return replace(after, peak=max(self.peak, after.log))

    @property
    def log(self) -> float:
        """The logarithm of the evidence now: the stakes in even mixture, and what is kept for later starts."""
        staked = reduce(_log_add, self.stakes) - math.log(len(RATIOS))
        return _log_add(staked, math.log(weight_from(self.windows + 2)))


@dataclass(frozen=True, slots=True)
class Certificate:
    """Evidence that the canary is not worse than the margin, since a step began: logarithms, in the order of `gains`."""

    logs: tuple[float, float] = (0.0, 0.0)

    @property
    def log(self) -> float:
        """The logarithm of the evidence now."""
        return _log_add(*(log + part for log, part in zip(self.logs, CERTIFICATE_PARTS, strict=True)))

    def add(self, window: Window, dispersion: float, limits: Limits) -> "Certificate":
        """Return it with one more window. `dispersion` must not know of the window."""
        most, bank = limits.most_per_window, _BANK * limits.acquittal
        gained = (min(gain / dispersion, most) for gain in gains(window.canary, window.stable, limits))
        relative, absolute = (min(bank, log + gain) for log, gain in zip(self.logs, gained, strict=True))
        return Certificate((relative, absolute))


def gains(canary: Counts, stable: Counts, limits: Limits) -> tuple[float, float]:
    """Return the logarithms of two kinds of evidence for "as good as the stable arm" against "worse than the margin".

    One is about the stable arm's rate. The other is about the negligible rate: null `margin * negligible` failures per request,
    alternative `negligible`; it needs no failures of the stable arm. Either disproves "worse than the margin of both".
    """
    absolute = (limits.margin - 1) * limits.negligible * canary.requests - canary.failures * math.log(limits.margin)
    return log_evidence(canary, stable, limits.margin, 1 / limits.margin), absolute


def _log_add(one: float, other: float) -> float:
    """Return the logarithm of the sum of two numbers that are given by their logarithms."""
    return max(one, other) + math.log1p(math.exp(-abs(one - other)))
