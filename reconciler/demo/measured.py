"""Predicted and measured traffic: what was counted while one set of endpoints was in force, held against the prediction."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Self

from reconciler.core.plans import Split

#: Standard deviations on each side of a prediction that hold 99.9 % of all runs.
DEVIATIONS = 3.29
HEADS = ("step", "exposure", "Pods: predicted", "measured", "99.9 % interval", "requests", "failed")


def interval(share: Fraction, requests: int) -> tuple[float, float]:
    """Return within which bounds (0 to 1) a share lies in 99.9 % of runs of so many requests drawn one by one.

    Envoy's round robin goes by turns, which is never farther off than drawing, but for one request at each end. A share of
    none or of all of the requests is exactly that.
    """
    p = float(share)
    if not requests or p in (0, 1):
        return (p, p) if requests else (0, 1)
    off = DEVIATIONS * math.sqrt(p * (1 - p) / requests) + 2 / requests
    return max(0.0, p - off), min(1.0, p + off)


@dataclass(frozen=True, slots=True)
class Era:
    """The time in which Envoy had one set of endpoints: the prediction, and the answers (and failed ones) by address.

    A request without an answer counts under the address "".
    """

    split: Split
    answered: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def shares(self) -> Mapping[str, Fraction]:
        """The predicted share of each address."""
        return {one.address: one.share for one in self.split.endpoints}

    @property
    def requests(self) -> int:
        return self.answered.total()

    def faults(self) -> Iterator[str]:
        """Yield a line for each address whose measured share lies outside its interval, those among them with no share."""
        shares = self.shares
        for address in sorted({*shares, *self.answered} - {""}):
            predicted = shares.get(address, Fraction(0))
            low, high = interval(predicted, self.requests)
            found = self.answered[address] / self.requests if self.requests else low
            if not low <= found <= high:
                yield (
                    f"{address} answered {found:.2%} of {self.requests} requests, "
                    f"predicted were {float(predicted):.2%} ({low:.2%} to {high:.2%})"
                )


@dataclass(frozen=True, slots=True)
class Row:
    """One step of a rollout: the predicted share of Pods, the measured one and its interval, all from 0 to 1."""

    step: str
    exposure: Fraction
    predicted: Fraction
    measured: float
    bounds: tuple[float, float]
    requests: int
    failed: int

    @classmethod
    def of(cls, step: str, exposure: Fraction, predicted: Split, eras: Iterable[Era]) -> Self:
        """Return what was measured while the endpoints were those of a prediction."""
        wanted = Era(predicted).shares
        found = [one for one in eras if one.shares == wanted]
        requests = sum(one.requests for one in found)
        pods = {one.address for one in predicted.endpoints if one.platform == "pod"}
        by_pods = sum(one.answered[address] for one in found for address in pods)
        share = predicted.share("pod")
        failed = sum(one.failed.total() for one in found)
        measured = by_pods / requests if requests else math.nan
        return cls(step, exposure, share, measured, interval(share, requests), requests, failed)

    @property
    def holds(self) -> bool:
        """Whether anything was measured, and the share lies in its interval."""
        low, high = self.bounds
        return low <= self.measured <= high

    def cells(self) -> tuple[str, ...]:
        """Return the row for people, in the order of `HEADS`."""
        low, high = self.bounds
        shares = (_percent(float(self.predicted)), _percent(self.measured), f"{_percent(low)} to {_percent(high)}")
        return (self.step, f"{float(self.exposure):.0%}", *shares, f"{self.requests:,}", f"{self.failed:,}")


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
