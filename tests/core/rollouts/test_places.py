"""How many units roll at once, and who goes step by step together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from reconciler.core.rollouts.machine import advance
from reconciler.core.rollouts.places import group_of, may_begin, tried_again
from reconciler.core.rollouts.policy import OnHarm
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Seen, Word
from reconciler.core.rollouts.values import RolloutStep
from tests.core.rollouts.play import HARM, MINUTE, NOON, PACE, SECOND, Play, policy, rollout, step, way


def several(*phases: Phase, group: str = "") -> list[Rollout]:
    """Rollouts in these phases, begun one after the other."""
    asked = policy(group=group)
    made = [rollout(id=f"r{number}", phase=phase, policy=asked) for number, phase in enumerate(phases)]
    return [replace(one, began=NOON + number * SECOND) for number, one in enumerate(made)]


def test_as_many_begin_as_there_are_places() -> None:
    """The oldest ones first."""
    found = several(Phase.APPLYING, Phase.WAITING, Phase.WAITING, Phase.WAITING)
    assert may_begin(reversed(found), 3) == {"r1", "r2"}
    assert may_begin(found, 1) == frozenset()
    assert may_begin(found, 0) == frozenset()


def test_what_moves_nothing_takes_no_place() -> None:
    """A unit that waits for a person, or is watched, does not keep its neighbours waiting."""
    found = several(Phase.PAUSED, Phase.HALTED, Phase.WATCHING, Phase.UNDOING, Phase.IDLE, Phase.WAITING)
    assert may_begin(found, 1) == {"r5"}


def test_what_was_paused_while_it_waited_gets_a_place_that_is_left() -> None:
    """The look that ends the pause lets it begin, and it keeps no neighbour that waits out of a place."""
    found = several(Phase.PAUSED, Phase.WAITING, Phase.WAITING)
    assert found[0].returns_to is Phase.WAITING
    assert may_begin(found, 2) == {"r1", "r2"}
    assert may_begin(found, 3) == {"r0", "r1", "r2"}
    assert may_begin([replace(found[0], returns_to=Phase.SOAKING)], 3) == frozenset()


def test_a_group_takes_one_place() -> None:
    """However many are in it: they wait for each other, and would wait for ever for a place that they hold themselves."""
    found = several(Phase.SOAKING, Phase.WAITING, Phase.WAITING, group="checkout")
    assert may_begin([*found, *several(Phase.WAITING)[:1]], 1) == {"r1", "r2"}


def test_a_group_is_of_one_commit() -> None:
    """A later commit's rollout of the same group goes its own way; one without a group is alone."""
    one, other = several(Phase.SOAKING, Phase.SOAKING, group="checkout")
    later = replace(other, id="r9", commit="b" * 40)
    assert group_of(one, [one, other, later]) == (other,)
    alone = several(Phase.SOAKING, Phase.SOAKING)
    assert group_of(alone[0], alone) == ()


def test_a_retry_is_for_one_rollout_and_for_the_group_that_went_back_with_it() -> None:
    """The others of its group whose content is refused too: what has no refusal has nothing to try again."""
    one, other, well = several(Phase.IDLE, Phase.IDLE, Phase.IDLE, group="checkout")
    later = replace(other, id="r9", commit="b" * 40)
    assert tried_again(one, [one, other, later]) == (one, other)
    assert tried_again(well, [one, other]) == (well, one, other)
    alone, stranger = several(Phase.IDLE, Phase.IDLE)
    assert tried_again(alone, [alone, stranger]) == (alone,)


def test_a_retry_of_a_unit_is_for_all_of_it_that_is_refused() -> None:
    """Whatever Git says by now is among them, each brings its own group along, and nobody hears it twice."""
    first, mate, second = several(Phase.IDLE, Phase.IDLE, Phase.IDLE, group="checkout")
    mate, second = replace(mate, unit="shop/web"), replace(second, commit="b" * 40)
    others = replace(second, id="r8", unit="shop/web")
    refused = [first, mate, second, others]
    assert tried_again(second, refused, of_unit=True) == (first, second, mate, others)
    assert tried_again(second, [], of_unit=True) == (second,)


def test_what_is_under_way_hears_a_retry_alone() -> None:
    """A refused write, or an undo that has failed, is that unit's own matter."""
    halted, other = several(Phase.HALTED, Phase.IDLE, group="checkout")
    for of_unit in (True, False):
        assert tried_again(halted, [halted, other], of_unit=of_unit) == (halted,)


@dataclass
class Group:
    """Several rollouts that are looked at in turn, each seeing what the others have become."""

    plays: list[Play]

    def look(self, after: timedelta = SECOND, *, harmed: int = -1, unit: int = -1, **seen: Any) -> Group:
        """Look at all of them; one may be harmed, or see something else than the others."""
        for number, play in enumerate(self.plays):
            others = group_of(play.rollout, [one.rollout for one in self.plays])
            given: dict[str, Any] = {"gates": {"errors": HARM}} if number == harmed else {}
            mine = seen if unit in (number, -1) else {}
            play.look(after, group=others, **given, **mine)
        return self

    def until(self, *wanted: tuple[Phase, int], looks: int = 10) -> Group:
        """Look until all are there."""
        for _ in range(looks):
            if self.at == list(wanted):
                return self
            self.look(15 * SECOND)
        raise AssertionError((self.at, wanted, [one.rollout.reason for one in self.plays]))

    @property
    def at(self) -> list[tuple[Phase, int]]:
        """Where they are."""
        return [(one.rollout.phase, one.rollout.step) for one in self.plays]


def group(*ways: Sequence[RolloutStep], **asks: Any) -> Group:
    """Rollouts of one group over these steps."""
    asked = policy(group="checkout", **asks)
    return Group([Play(rollout(*steps, id=f"r{n}", unit=f"shop/{n}", policy=asked)) for n, steps in enumerate(ways)])


STEPS = (step(10, hold=SECOND), step(50, hold=SECOND), step(100, hold=SECOND))


def test_no_one_of_a_group_goes_on_before_all_have_passed() -> None:
    """The slowest sets the pace, with a longer hold here; at the end none is done before all are."""
    slow = (step(10, hold=5 * MINUTE), step(50), step(100, hold=5 * MINUTE))
    both = group(STEPS, slow).until((Phase.SOAKING, 0), (Phase.SOAKING, 0))
    for _ in range(4):
        assert both.look(MINUTE).at == [(Phase.SOAKING, 0), (Phase.SOAKING, 0)]
    assert both.look(MINUTE).look().at == [(Phase.APPLYING, 1), (Phase.APPLYING, 1)]
    both.until((Phase.WATCHING, 2), (Phase.SOAKING, 2)).look(MINUTE)
    assert both.at == [(Phase.WATCHING, 2), (Phase.SOAKING, 2)]
    for _ in range(6):
        both.look(MINUTE)
    assert [one.rollout.outcome for one in both.plays] == [Outcome.SUCCEEDED, Outcome.SUCCEEDED]


def test_one_with_fewer_steps_keeps_nobody_waiting() -> None:
    """Its last step counts for all that come after it."""
    both = group(STEPS, (step(100),)).until((Phase.SOAKING, 2), (Phase.WATCHING, 0))
    both.look(SECOND).look(SECOND)
    assert [one.rollout.outcome for one in both.plays] == [Outcome.SUCCEEDED, Outcome.SUCCEEDED]


def test_steps_that_only_make_room_count_for_nobody() -> None:
    """One defines subsets and routes first: at 10 %, 50 % and 100 % both are together all the same."""
    quiet = step(100, quiet=True)
    both = group(STEPS, (quiet, quiet, *STEPS, quiet))
    for _ in range(60):
        both.look(5 * SECOND)
        plain, routed = (one.rollout.way.asked(one.rollout.step) for one in both.plays)
        assert abs(plain - routed) <= 1
    assert [one.rollout.outcome for one in both.plays] == [Outcome.SUCCEEDED, Outcome.SUCCEEDED]


def test_one_that_has_not_begun_keeps_the_others_in_their_first_step() -> None:
    """They begin when there is room, and go on together."""
    both = group(STEPS, STEPS)
    for _ in range(5):
        both.look(15 * SECOND, unit=1, place=False)
    assert both.at == [(Phase.SOAKING, 0), (Phase.WAITING, 0)]


def test_harm_in_one_undoes_all() -> None:
    """Wherever the others are, paused by a person or by their policy included."""
    for on_harm in (OnHarm.UNDO, OnHarm.PAUSE):
        three = group(STEPS, STEPS, STEPS, on_harm=on_harm)
        three.plays[1].rollout = replace(three.plays[1].rollout, policy=policy(group="checkout"))
        three.until((Phase.SOAKING, 0), (Phase.SOAKING, 0), (Phase.SOAKING, 0))
        three.plays[2].say(Word.PAUSE)
        three.look(harmed=1).look()
        assert [phase for phase, _ in three.at] == [Phase.UNDOING] * 3


def test_one_that_is_already_undone_takes_its_group_along_but_no_new_attempt() -> None:
    """Even where nobody saw it on its way; an attempt that began after it is another matter."""
    undone = rollout(id="r2", phase=Phase.IDLE, outcome=Outcome.UNDONE, ended=NOON + MINUTE, policy=policy(group="checkout"))
    mine = Play(rollout(*STEPS, policy=policy(group="checkout"))).begun()
    assert mine.look(group=(undone,)).rollout.phase is Phase.UNDOING
    later = replace(rollout(*STEPS, policy=policy(group="checkout")), began=NOON + 2 * MINUTE)
    after, _ = advance(later, Seen(written=True, group=(undone,)), NOON + 3 * MINUTE, PACE)
    assert after.phase is Phase.APPLYING


def test_one_that_falls_back_to_a_step_keeps_the_others_there_and_undoes_none() -> None:
    """Its policy says back, not undo."""
    steps = (step(10), step(50, hold=MINUTE), step(100))
    both = group(steps, steps, on_harm=OnHarm.BACK).until((Phase.SOAKING, 1), (Phase.SOAKING, 1))
    both.look(harmed=1)
    both.plays[1].way_back(*way().steps[1:])
    both.until((Phase.SOAKING, 1), (Phase.PAUSED, 0)).look(MINUTE).look(MINUTE)
    assert both.at == [(Phase.SOAKING, 1), (Phase.PAUSED, 0)]


def test_one_that_falls_back_from_a_step_that_it_had_passed_has_not_passed_it_any_more() -> None:
    """Harm may show while it waits for the others: they must not go on from there."""
    quick, slow = (step(10), step(50, hold=SECOND), step(100)), (step(10), step(50, hold=5 * MINUTE), step(100))
    both = group(slow, quick, on_harm=OnHarm.BACK).until((Phase.SOAKING, 1), (Phase.SOAKING, 1)).look(SECOND).look(SECOND)
    assert [one.rollout.passed for one in both.plays] == [0, 1]
    both.look(harmed=1)
    assert both.plays[1].rollout.passed == 0
    for _ in range(6):
        both.look(MINUTE, unit=1, written=False)
    assert both.at == [(Phase.SOAKING, 1), (Phase.UNDOING, 1)]
