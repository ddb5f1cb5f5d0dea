"""What people say to rollouts: found by the name that they gave, kept in the store, carried out by whoever runs the target."""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.resources import Key
from reconciler.core.rollouts.places import tried_again
from reconciler.core.rollouts.rollout import DIGITS, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Hold, Word
from reconciler.core.rollouts.table import TABLE, WHY_NOT, target
from reconciler.errors import InvalidInput, SetupCode
from reconciler.ports import RolloutStore, Store

_SERVICE = re.compile(r"[a-z0-9][-a-z0-9]*/[a-z0-9][-a-z0-9.]*")


@dataclass(frozen=True, slots=True)
class Said:
    """A person's word: who, why, when; an approval is for the plan of a digest."""

    word: Word
    by: str
    reason: str
    at: datetime
    digest: str = ""


def chosen(kept: RolloutStore, name: str) -> Rollout:
    """Return the rollout of this id, or of this unit: the one in force, else the newest. Raises InvalidInput."""
    if found := kept.get(name):
        return found
    standing = [one for one in kept.standing() if one.unit == name]
    newest = standing[-1:] or kept.history(1, unit=name)
    if not newest:
        raise InvalidInput(f"there is no rollout {name[:80]!r}: name one by its id, or its unit as `plan` names it")
    return newest[0]


def to_try_again(kept: RolloutStore, name: str) -> Sequence[Rollout]:
    """Return the rollouts that a retry of this id, or of this unit, is said to (`tried_again`). Raises InvalidInput."""
    found, refusals = chosen(kept, name), sorted(kept.refusals(), key=lambda one: one.at)
    refused = [one for said in refusals if (one := kept.get(said.rollout))]
    return tried_again(found, refused, of_unit=name == found.unit)


def running(kept: RolloutStore) -> list[Rollout]:
    """Return all rollouts that have not ended."""
    return [one for one in kept.standing() if one.phase is not Phase.IDLE]


def plan_of(rollout: Rollout, name: str, digest: str) -> str:
    """Return the digest that an approval is for: of what the person has looked at, whatever has come since.

    An id names one plan; a unit may have got another one meanwhile, so that some digits are needed. Raises InvalidInput.
    """
    if not digest and name != rollout.id:
        now = f"it is {rollout.plan} now, of rollout {rollout.id}"
        raise InvalidInput(f"say with --digest which plan of {name} you have looked at ({now})", code=SetupCode.OPTION)
    if len(digest) < DIGITS and digest:
        raise InvalidInput(f"give at least {DIGITS} digits of the plan's digest", code=SetupCode.OPTION)
    return rollout.digest if rollout.digest.startswith(digest) else digest


def say(kept: RolloutStore, rollout: Rollout, said: Said) -> str:
    """Keep a word for a rollout; return what to tell the person. Whether it has an effect, the next look says."""
    pending = [one.word for one in kept.commands() if one.rollout == rollout.id]
    kept.say(Command(secrets.token_hex(8), rollout.id, said.word, said.by, said.reason, said.at, digest=said.digest))
    at = f"{rollout.phase}, step {rollout.step + 1} of {len(rollout.on.steps)}"
    line = f"noted for {rollout.unit} (rollout {rollout.id}, {at}): {said.word}"
    phase = _after(rollout, pending)
    if pending:
        line = f"{line}, after {', '.join(pending)}, which no look has seen yet"
    if said.word in TABLE[phase]:
        return line
    return f"{line}; as things stand it will have no effect: {WHY_NOT[phase][said.word]}"


def _after(rollout: Rollout, words: Iterable[Word]) -> Phase:
    """Return the phase in which words find a rollout that are said after others."""
    phase, returns_to = rollout.phase, rollout.returns_to
    for word in words:
        if word in TABLE[phase]:
            before, phase = phase, target(phase, word, returns_to)
            returns_to = before if phase is Phase.PAUSED and before is not Phase.PAUSED else returns_to
    return phase


def hold(store: Store, service: str, length: timedelta, by: str, reason: str, now: datetime) -> Hold:
    """Keep all hands off a service for so long. Raises InvalidInput for one that the target does not have."""
    known = Key("ServiceEntry", *service.split("/", 1)) if _SERVICE.fullmatch(service) else None
    if known not in store.inventory():
        raise InvalidInput(
            f"there is no service {service[:80]!r} of this target: name it as NAMESPACE/NAME of its ServiceEntry"
        )
    held = Hold(service, now + length, by, reason)
    store.rollouts.hold(held)
    return held
