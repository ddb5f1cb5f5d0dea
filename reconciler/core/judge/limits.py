"""What a comparison may get wrong, and what it calls bad."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The parameters of one comparison. Raises ValueError where they contradict each other.

    margin      the canary may go on once its failure rate is proven to be below so many times the stable arm's.
    alpha       chance that a canary as good as the stable arm is ever called harmful, however often and however long it is
                looked at. It holds for one comparison of one version; a rollout that makes several divides its own among them
                (`alpha=0.01 / 2` for errors and latency), and the sum is what a good release risks.
    beta        chance that a step of a canary beyond the margin is ever certified; each step is certified anew.
    samples     requests that each arm must have seen in a step before it can be certified. Harm needs none: its proof weighs
                the sample by itself.
    harmless    ratio of failure rates up to which the canary does no harm, whatever the traffic proves. At 1 a difference of a
                fifth is harm once there are enough requests to show it.
    negligible  failure rate that nobody minds: a canary proven to be below `margin * negligible` may go on even where the
                stable arm has no failures to compare with. At 0 such a canary waits for ever.
    """

    margin: float = 2.0
    alpha: float = 0.01
    beta: float = 0.05
    samples: int = 500
    harmless: float = 1.0
    negligible: float = 0.001

    def __post_init__(self) -> None:
        if not 1 <= self.harmless <= self.margin or not 1 < self.margin < math.inf:
            raise ValueError(f"1 <= harmless <= margin must hold, and 1 < margin: {self.harmless}, {self.margin}")
        if not 0 < self.alpha < 1 or not 0 < self.beta < 1 or not 0 <= self.negligible < 1:
            raise ValueError(f"alpha, beta and negligible are between 0 and 1: {self.alpha}, {self.beta}, {self.negligible}")
        if self.samples < 1:
            raise ValueError(f"at least one sample is needed, not {self.samples}")

    @property
    def conviction(self) -> float:
        """The logarithm of the evidence that proves harm."""
        return -math.log(self.alpha)

    @property
    def acquittal(self) -> float:
        """The logarithm of the evidence that proves a canary to be not worse than the margin."""
        return -math.log(self.beta)

    @property
    def most_per_window(self) -> float:
        """What one window may add to the logarithm of a certificate: a third, so that at least three windows are seen."""
        return self.acquittal / 3
