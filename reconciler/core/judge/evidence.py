"""All that a comparison keeps between looks: one bounded value, stored with the rollout."""

from dataclasses import dataclass, field, replace

from reconciler.core.judge.counts import Window
from reconciler.core.judge.dispersion import Dispersion
from reconciler.core.judge.limits import Limits
from reconciler.core.judge.processes import Certificate, Harm
from reconciler.core.judge.verdict import Seen, Verdict, verdict_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """What all windows so far have said. `until` is where the last one ended, in seconds since 1970, None before the first."""

    until: float | None = None
    dispersion: Dispersion = field(default_factory=Dispersion)
    harm: Harm = field(default_factory=Harm)
    certificate: Certificate = field(default_factory=Certificate)
    seen: Seen = field(default_factory=Seen)

    def add(self, window: Window, limits: Limits) -> "Evidence":
        """Return the evidence with one more window, in constant time. The limits are the same in every call.

        Raises ValueError for a window that begins before the last one ended: its requests would count twice.
        """
        if self.until is not None and window.begin.timestamp() < self.until:
            raise ValueError(f"the window from {window.begin} on overlaps what was counted before")
        # A window is judged by what was known before it: a burst must neither excuse nor convict itself.
        known = self.dispersion.value
        return Evidence(
            window.end.timestamp(),
            self.dispersion.add(window.stable),
            self.harm.add(window, known, limits),
            self.certificate.add(window, known, limits),
            self.seen.add(window),
        )

    def verdict(self, limits: Limits) -> Verdict:
        """Return what the evidence says now. Looking changes nothing, so anybody may look at any time."""
        return verdict_of(self.harm, self.certificate, self.seen, self.dispersion.value, limits)

    def for_next_step(self) -> "Evidence":
        """Return what a new step begins with: its certificate and sample are its own, the evidence of harm goes on."""
        return replace(self, certificate=Certificate(), seen=Seen())

    def for_new_canary(self) -> "Evidence":
        """Return what another version of the canary begins with: only what the stable arm has shown of itself."""
        return Evidence(self.until, self.dispersion)
