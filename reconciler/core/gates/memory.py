"""What a gate keeps between two looks, and how looks add up to a verdict.

It is stored in the same transaction as the rollout, so a restart forgets no bad look and forgives none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from reconciler.core.gates.spec import Gate
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from reconciler.core.resources import EMPTY

#: A pass lapses when the following look has been overdue for so many intervals: traffic has stopped, or the provider.
LAPSES_AFTER = 3


class Mood(StrEnum):
    """What one look has seen. UNSURE: nothing that counts; the window stays open."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Look:
    """The outcome of one look; `says` and `needs` as in `Verdict`.

    `reason` says why it is unsure, and what a row of such bad looks is, where that is not harm.
    """

    mood: Mood
    says: str
    reason: Reason = Reason.NONE
    needs: str = ""

    @classmethod
    def unsure(cls, reason: Reason, says: str, needs: str = "") -> Self:
        return cls(Mood.UNSURE, says, reason, needs)


@dataclass(frozen=True, slots=True)
class Memory:
    """What one gate keeps of the current step.

    `began` is when that step came into force, `opened` where the current window begins, `asked` when the last look was;
    `passes` and `failures` are looks in a row, `looks` and `failed` all of them; `standing` is the verdict so far. `observed`
    is for how long the step has been watched. `kept` belongs to the kind of gate (JSON values).
    """

    began: datetime | None = None
    opened: datetime | None = None
    asked: datetime | None = None
    passes: int = 0
    failures: int = 0
    looks: int = 0
    failed: int = 0
    observed: timedelta = timedelta(0)
    standing: Verdict | None = None
    kept: Mapping[str, Any] = field(default_factory=lambda: EMPTY)

    def due(self, gate: Gate, now: datetime) -> bool:
        """Tell whether it is time for a look. A clock that was put back does not hold looks off."""
        return self.asked is None or not timedelta(0) <= now - self.asked < gate.interval

    def keeping(self, **values: Any) -> Self:
        """Return the same with other values kept for the kind of gate."""
        return replace(self, kept={**self.kept, **values})

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `of` reads."""
        standing = self.standing
        return {
            "began": _text(self.began),
            "opened": _text(self.opened),
            "asked": _text(self.asked),
            "passes": self.passes,
            "failures": self.failures,
            "looks": self.looks,
            "failed": self.failed,
            "observed": self.observed.total_seconds(),
            "standing": standing and [standing.answer, standing.reason, standing.says, standing.needs, _text(standing.until)],
            "kept": dict(self.kept),
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return what `to_json` wrote; a gate that has kept nothing yet begins anew."""
        if not values:
            return cls()
        standing = values["standing"]
        return cls(
            began=_time(values["began"]),
            opened=_time(values["opened"]),
            asked=_time(values["asked"]),
            passes=values["passes"],
            failures=values["failures"],
            looks=values["looks"],
            failed=values["failed"],
            observed=timedelta(seconds=values["observed"]),
            standing=standing
            and Verdict(Answer(standing[0]), Reason(standing[1]), standing[2], standing[3], _time(standing[4])),
            kept=values["kept"],
        )


def fold(gate: Gate, memory: Memory, look: Look, now: datetime) -> tuple[Verdict, Memory]:
    """Add a look to those before it; return what the gate answers now and what it keeps.

    A look that counts closes the window, and the next one opens at its end: no request counts twice. One that is unsure leaves
    the window open; it ends a row of good looks unless it merely waits for more samples, and forgives no bad one.
    """
    if look.mood is Mood.UNSURE:
        few = look.reason is Reason.FEW
        after = replace(memory, asked=now, passes=memory.passes if few else 0)
        lapsed = memory.opened is not None and now - memory.opened > LAPSES_AFTER * gate.interval
        if few and memory.standing is not None and memory.standing.passes and not lapsed:
            return memory.standing, after
        verdict = Verdict.waiting(look.reason, look.says, needs=look.needs)
        return verdict, replace(after, standing=verdict)
    good = look.mood is Mood.GOOD
    after = replace(
        memory,
        opened=now,
        asked=now,
        passes=memory.passes + 1 if good else 0,
        failures=0 if good else memory.failures + 1,
        looks=memory.looks + 1,
        failed=memory.failed + (not good),
    )
    verdict = _verdict(gate, after, look)
    return verdict, replace(after, standing=verdict)


def _verdict(gate: Gate, memory: Memory, look: Look) -> Verdict:
    flaps = f"; {memory.failed} of {memory.looks} looks were bad" if memory.failed and memory.looks > memory.failed else ""
    bad = look.reason or Reason.HARM
    if memory.failures >= gate.failures:
        return Verdict.failing(bad, f"{look.says}{_row(memory.failures, 'bad')}{flaps}")
    if memory.failures:
        left = gate.failures - memory.failures
        return Verdict.waiting(Reason.INCONCLUSIVE, f"{look.says}; {left} more in a row would be {bad}{flaps}")
    if memory.passes >= gate.consecutive:
        return Verdict.passing(f"{look.says}{_row(memory.passes, 'good')}{flaps}")
    left = gate.consecutive - memory.passes
    needs = f"{left} more good look{'s' if left > 1 else ''}"
    return Verdict.waiting(Reason.INCONCLUSIVE, f"{look.says}{flaps}", needs=needs)


def _row(count: int, word: str) -> str:
    return f", {count} {word} looks in a row" if count > 1 else ""


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
