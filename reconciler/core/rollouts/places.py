"""How many units roll at once, which of those that wait may begin, and who belongs together."""

from collections.abc import Iterable, Sequence

from reconciler.core.rollouts.rollout import Phase, Rollout

#: A watch moves nothing any more, and what is paused or halted must not keep its neighbours waiting.
_ROLLING = (Phase.APPLYING, Phase.SOAKING)


def may_begin(rollouts: Iterable[Rollout], cap: int) -> frozenset[str]:
    """Return the ids of the waiting rollouts that may begin while at most `cap` units roll, first come first served.

    A group takes one place: its members wait for each other, and must not wait for a place that one of them has taken.
    """
    found = list(rollouts)
    taken = {_party(one) for one in found if one.phase in _ROLLING}
    begin: set[str] = set()
    for one in sorted(found, key=lambda one: (one.began, one.id)):
        party = _party(one)
        if one.phase is Phase.WAITING and (party in taken or len(taken) < cap):
            taken.add(party)
            begin.add(one.id)
    return frozenset(begin)


def group_of(rollout: Rollout, rollouts: Iterable[Rollout]) -> Sequence[Rollout]:
    """Return the others that go step by step with a rollout: of the same group, begun for the same commit."""
    if not rollout.policy.group:
        return ()
    return tuple(one for one in rollouts if one.id != rollout.id and _party(one) == _party(rollout))


def _party(rollout: Rollout) -> tuple[str, str]:
    group = rollout.policy.group
    return (group, rollout.commit) if group else ("", rollout.id)
