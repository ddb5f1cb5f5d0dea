"""Soak: time in which the step was in force and somebody was looking."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.gates.memory import Memory
from reconciler.core.gates.spec import Soak
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.gates.words import length

#: Time between two looks counts as watched up to here. After a longer one (a restart, a suspended machine, a clock that was
#: set) nobody knows what happened in between, and none of it counts: a soak is neither skipped nor endless.
MOST_UNSEEN = timedelta(minutes=5)


def watched(memory: Memory, now: datetime) -> Memory:
    """Add the time since the last look to what has been observed, where it counts."""
    since = now - (memory.asked or memory.began or now)
    counts = timedelta(0) <= since <= MOST_UNSEEN
    return replace(memory, asked=now, observed=memory.observed + (since if counts else timedelta(0)))


def soak(ask: Soak, memory: Memory, now: datetime) -> tuple[Verdict, Memory]:
    """Pass once the step has been watched for as long as it is to be held."""
    memory = watched(memory, now)
    left = ask.hold - memory.observed
    if left <= timedelta(0):
        return Verdict.passing(f"held for {length(ask.hold)}"), memory
    says = f"held for {length(memory.observed)} of {length(ask.hold)}"
    return Verdict.waiting(Reason.SOAKING, says, needs=length(left), until=now + left), memory
