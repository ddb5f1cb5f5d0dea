"""What a gate answers, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self


class Answer(StrEnum):
    """PASS: go on, as far as this gate is concerned. WAIT: not yet. FAIL: do not go on."""

    PASS = "pass"  # noqa: S105 - no password
    WAIT = "wait"
    FAIL = "fail"


class Reason(StrEnum):
    """Why a gate does not pass; NONE where it does. The words are for people too.

    NO_DATA: no series, null, NaN, infinite. FEW: data, but less than the gate asks for. STALE: data, but old.
    PROVIDER_ERROR: who was asked could not be reached, or gave no usable answer. INCONCLUSIVE: data that decides nothing yet.
    HARM: proven. NO_STABLE: all is canary by now, so there is nothing to compare with. NOT_READY: endpoints that have not been
    healthy yet. VANISHED: what the gate is about is gone. SOAKING, APPROVAL and CLOSED: time, a person, the hours in which the
    policy allows it. EXPOSED: more requests than the step is to give go where it leads.
    """

    NONE = ""
    NO_DATA = "no data"
    FEW = "too few samples"
    STALE = "stale"
    PROVIDER_ERROR = "provider error"
    INCONCLUSIVE = "inconclusive"
    HARM = "harm"
    NO_STABLE = "no stable arm"
    NOT_READY = "not ready"
    VANISHED = "vanished"
    SOAKING = "soaking"
    APPROVAL = "approval"
    CLOSED = "closed"
    EXPOSED = "above the step"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate answers at one moment.

    `says` is a sentence for people, `needs` what is missing where that can be counted ("1,340 more requests, about 6 min"),
    `until` the moment before which the answer cannot change, where there is one.
    """

    answer: Answer
    reason: Reason = Reason.NONE
    says: str = ""
    needs: str = ""
    until: datetime | None = None

    def __post_init__(self) -> None:
        if (self.answer is Answer.PASS) != (self.reason is Reason.NONE):
            raise ValueError("a verdict has a reason unless it is pass")

    @classmethod
    def passing(cls, says: str) -> Self:
        return cls(Answer.PASS, says=says)

    @classmethod
    def waiting(cls, reason: Reason, says: str, *, needs: str = "", until: datetime | None = None) -> Self:
        return cls(Answer.WAIT, reason, says, needs, until)

    @classmethod
    def failing(cls, reason: Reason, says: str) -> Self:
        return cls(Answer.FAIL, reason, says)

    @property
    def passes(self) -> bool:
        return self.answer is Answer.PASS

    def __str__(self) -> str:
        head = f"{self.answer}, {self.reason}" if self.reason else self.answer.value
        return f"{head}: {self.says}" + (f" (needs {self.needs})" if self.needs else "")
