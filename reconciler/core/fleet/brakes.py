"""Brakes: how many may be lost at once, in the whole fleet, in a namespace, in a locality.

When many vanish together it is more often our network than their death. A scope may lose, within a sliding window, as many as
`count` and `percent` both allow, and `floor` in any case: in a fleet of four, one dead VM must not freeze the others (Eureka's
brake does that up to six), and a scope of more than one never loses its last this way.

Where more are due than a scope has room for, nobody can tell who is really dead: only the floor goes, the others are held, and
so is everybody who comes due there later, until they have come back or a person has released the brake.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.resources import Key

#: The scope of the whole fleet.
ALL = "all"


@dataclass(frozen=True, slots=True)
class BrakeRules:
    """What a scope may lose within the window."""

    count: int = 50
    percent: int = 15
    floor: int = 1
    window: timedelta = timedelta(minutes=10)

    def allowed(self, size: int) -> int:
        """Return how many of so many may be lost."""
        return min(max(self.floor, min(self.count, size * self.percent // 100)), max(size - 1, 1))


@dataclass(frozen=True, slots=True)
class Member:
    """A workload whose agent has been silent past its deadline."""

    key: Key
    scopes: tuple[str, ...]
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Braking:
    """Who is lost, who is held by which scopes, and the scopes whose brake holds from now on."""

    lost: frozenset[Key]
    held: Mapping[Key, tuple[str, ...]]
    tripped: frozenset[str]


def scopes_of(namespace: str, locality: str) -> tuple[str, ...]:
    """Return the scopes that a workload counts in."""
    return (ALL, f"namespace/{namespace}", *((f"locality/{locality}",) if locality else ()))


def brake(
    due: Sequence[Member], size: Mapping[str, int], gone: Mapping[str, int], tripped: Collection[str], rules: BrakeRules
) -> Braking:
    """Divide those that are due into lost and held, the longest silent first.

    `size` is how many each scope has, those that it lost within the window (`gone`) among them.
    """
    holding = set(tripped)
    room: dict[str, int] = {}
    for scope, asked in Counter(scope for member in due for scope in member.scopes).items():
        left = rules.allowed(size[scope]) - gone.get(scope, 0)
        if asked > left:
            room[scope] = 0 if scope in tripped else max(0, rules.floor - gone.get(scope, 0))
            holding.add(scope)
        else:
            room[scope] = 0 if scope in tripped else asked
    lost, held = set(), {}
    for member in sorted(due, key=lambda one: (one.deadline, one.key)):
        if full := tuple(scope for scope in member.scopes if room[scope] <= 0 and scope in holding):
            held[member.key] = full
            continue
        lost.add(member.key)
        for scope in member.scopes:
            room[scope] -= 1
    return Braking(frozenset(lost), held, frozenset(scope for scopes in held.values() for scope in scopes))
