"""How many units roll at once, which of those that wait may begin, and who belongs together."""

from collections.abc import Iterable, Sequence

from reconciler.core.rollouts.rollout import Phase, Rollout

#: A watch moves nothing any more, and what is paused or halted must not keep its neighbours waiting.
_ROLLING = (Phase.APPLYING, Phase.SOAKING)


def may_begin(rollouts: Iterable[Rollout], cap: int) -> frozenset[str]:
    """Return the ids of the waiting rollouts that may begin while at most `cap` units roll, first come first served.

    A group takes one place: its members wait for each other, and must not wait for a place that one of them has taken.
    Those that were paused while they waited come last: the look that lets them go on has a place for them if one is left.
    """
    found = list(rollouts)
    taken = {_party(one) for one in found if one.phase in _ROLLING}
    begin: set[str] = set()
    waiting = [one for one in found if Phase.WAITING in (one.phase, _goes_on_to(one))]
    for one in sorted(waiting, key=lambda one: (one.phase is not Phase.WAITING, one.began, one.id)):
        party = _party(one)
        if party in taken or len(taken) < cap:
            taken.add(party)
            begin.add(one.id)
    return frozenset(begin)


def group_of(rollout: Rollout, rollouts: Iterable[Rollout]) -> Sequence[Rollout]:
    """Return the others that go step by step with a rollout: of the same group, begun for the same commit."""
    if not rollout.policy.group:
        return ()
    return tuple(one for one in rollouts if one.id != rollout.id and _party(one) == _party(rollout))


def mates_of(rollout: Rollout, rollouts: Iterable[Rollout]) -> Sequence[Rollout]:
    """Return the others that a rollout waits for at each step, and goes back with.

    They are its group as it began, and those of the group that roll for a newer commit of their own by now. Who was on the way
    back already when the rollout began is none of them: what began may be the cure.
    """
    if not rollout.policy.group:
        return ()
    others = [one for one in rollouts if one.id != rollout.id and one.policy.group == rollout.policy.group]
    return tuple(one for one in others if one.commit == rollout.commit or _rolls_beside(one, rollout))


def _rolls_beside(other: Rollout, rollout: Rollout) -> bool:
    left = other.goes_back and (other.entered or other.began) <= rollout.began
    return other.phase is not Phase.IDLE and not left


def tried_again(rollout: Rollout, refused: Sequence[Rollout], *, of_unit: bool = False) -> Sequence[Rollout]:
    """Return the rollouts that a retry of this one is said to; `refused` are those whose content is refused, oldest first.

    One that is under way hears it alone. Otherwise those of its group that went back with it come along. `of_unit`: the person
    named the unit, and means all of it that is refused: only one of them leads to what Git says now, which the next look knows,
    and that one alone begins anew.
    """
    if rollout.phase is not Phase.IDLE:
        return (rollout,)
    meant = [one for one in refused if of_unit and one.unit == rollout.unit] or [rollout]
    return (*meant, *{mate.id: mate for one in meant for mate in group_of(one, refused)}.values())


def _goes_on_to(rollout: Rollout) -> Phase:
    return rollout.returns_to if rollout.phase is Phase.PAUSED else rollout.phase


def _party(rollout: Rollout) -> tuple[str, str]:
    group = rollout.policy.group
    return (group, rollout.commit) if group else ("", rollout.id)
