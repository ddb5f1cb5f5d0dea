"""Verdicts: what the evidence says now, in words and numbers that explain it."""

import math
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from reconciler.core.judge.counts import Counts, Window
from reconciler.core.judge.limits import Limits
from reconciler.core.judge.processes import CERTIFICATE_PARTS, Certificate, Harm, gains

_YEAR = 365 * 86_400


class Decision(StrEnum):
    """What to do: stop the canary, let it go on, or wait. Only proof makes it other than to wait."""

    HARM = "harm"
    NOT_WORSE = "not worse"
    WAIT = "wait"


class Reason(StrEnum):
    """Why. All but the first two are reasons to wait.

    NO_STABLE: the stable arm is below the needed sample, and falls behind the canary; nothing can be compared.
    """

    PROVEN_HARM = "the canary is worse"
    PROVEN_NOT_WORSE = "the canary is not worse than the margin"
    NO_CANARY = "the canary has no requests yet"
    NO_STABLE = "no stable arm"
    FEW_SAMPLES = "too few samples"
    INCONCLUSIVE = "inconclusive"

    @property
    def decision(self) -> Decision:
        match self:
            case Reason.PROVEN_HARM:
                return Decision.HARM
            case Reason.PROVEN_NOT_WORSE:
                return Decision.NOT_WORSE
            case _:
                return Decision.WAIT


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen since the step began: both arms in sum, over how many windows of how many seconds together."""

    canary: Counts = field(default_factory=Counts)
    stable: Counts = field(default_factory=Counts)
    windows: int = 0
    seconds: float = 0.0

    def add(self, window: Window) -> "Seen":
        """Return it with one more window."""
        seconds = (window.end - window.begin).total_seconds()
        canary, stable = self.canary + window.canary, self.stable + window.stable
        return Seen(canary, stable, self.windows + 1, self.seconds + seconds)


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence beside what is needed, as logarithms: it is how many times better the proven explains what was seen."""

    log: float
    needed: float

    @property
    def holds(self) -> bool:
        return self.log >= self.needed

    def __str__(self) -> str:
        # From 10**15 on nobody reads the digits, and at 10**308 a float ends.
        return f"{math.exp(min(self.log, 34.5)):,.3g} of {math.exp(self.needed):,.0f}"


@dataclass(frozen=True, slots=True)
class Missing:
    """An estimate of what a certificate still needs if the canary is as good as the stable arm.

    `requests` are the canary's; `time` is how long they take at the step's pace so far.
    """

    requests: int
    time: timedelta

    def __str__(self) -> str:
        return f"{self.requests:,} more requests, about {_spoken(self.time)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do and why. `seen` is of the current step, `harm` of the whole life of this canary, `not_worse` of the step.

    `dispersion` is what the evidence of the next window will be divided by. `missing` is None unless a certificate is awaited
    and can be had within a year: without failures of the stable arm, and with nothing negligible, it cannot.
    """

    reason: Reason
    harm: Proof
    not_worse: Proof
    seen: Seen
    dispersion: float
    missing: Missing | None = None

    @property
    def decision(self) -> Decision:
        return self.reason.decision

    def __str__(self) -> str:
        canary, stable = self.seen.canary, self.seen.stable
        rates = f"{canary.rate:.3%} of {canary.requests:,.0f} requests against {stable.rate:.3%} of {stable.requests:,.0f}"
        proofs = f"evidence of harm {self.harm}, of not worse {self.not_worse}, dispersion {self.dispersion:.1f}"
        missing = f"; {self.missing}" if self.missing else ""
        return f"{self.decision}: {self.reason}: {rates}; {proofs}{missing}"


def verdict_of(harm: Harm, certificate: Certificate, seen: Seen, dispersion: float, limits: Limits) -> Verdict:
    """Return what the two processes say together. Harm comes first, and once proven stays so."""
    convicted = Proof(harm.peak, limits.conviction)
    acquitted = Proof(certificate.log, limits.acquittal)
    reason = _reason(convicted, acquitted, seen, limits)
    waits_for_more = reason in (Reason.FEW_SAMPLES, Reason.INCONCLUSIVE)
    missing = _missing(certificate, seen, dispersion, limits) if waits_for_more else None
    return Verdict(reason, convicted, acquitted, seen, dispersion, missing)


def _reason(harm: Proof, not_worse: Proof, seen: Seen, limits: Limits) -> Reason:
    canary, stable = seen.canary.requests, seen.stable.requests
    if harm.holds:
        return Reason.PROVEN_HARM
    if not canary:
        return Reason.NO_CANARY
    if not stable or stable < limits.samples <= canary:
        return Reason.NO_STABLE
    if min(canary, stable) < limits.samples:
        return Reason.FEW_SAMPLES
    return Reason.PROVEN_NOT_WORSE if not_worse.holds else Reason.INCONCLUSIVE


def _missing(certificate: Certificate, seen: Seen, dispersion: float, limits: Limits) -> Missing | None:
    """Estimate by the step so far: the stable arm's rate of failures, the canary's share, the requests per window."""
    canary = seen.canary.requests
    typical = Counts(canary, canary * seen.stable.rate)
    windows = []
    for log, part, gain in zip(certificate.logs, CERTIFICATE_PARTS, gains(typical, seen.stable, limits), strict=True):
        in_a_window = min(gain / dispersion / seen.windows, limits.most_per_window)
        if in_a_window > 0:
            windows.append((limits.acquittal - log - part) / in_a_window)
    a_request = seen.seconds / canary
    needed = max(min(windows, default=math.inf) * canary / seen.windows, limits.samples - canary, 1.0)
    if needed * a_request > _YEAR:
        return None
    requests = math.ceil(needed)
    return Missing(requests, timedelta(seconds=requests * a_request))


def _spoken(time: timedelta) -> str:
    seconds = time.total_seconds()
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:,.0f} h"
