"""What every state store promises about rollouts."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.core.rollouts.records import Change, Evidence, EvidenceKind, Refusal
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Hold, Word
from reconciler.errors import Conflict
from reconciler.ports import Store
from tests.core.rollouts.play import DIGEST, rollout

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: Texts that databases like to spoil.
AWKWARD = "Zoë \U0001f980 '\"\\ \u0000 \ud800"


def stored(store: Store, *rollouts: Rollout) -> tuple[Rollout, ...]:
    """These rollouts, as they are once they are stored."""
    return store.rollouts.save([Change(one) for one in rollouts])


def several(count: int, **parts: Any) -> list[Rollout]:
    """Rollouts of one unit each."""
    return [rollout(id=f"r{number}", unit=f"shop/{number}", **parts) for number in range(count)]


def ended(one: Rollout, outcome: Outcome = Outcome.SUCCEEDED, at: datetime = NOON) -> Rollout:
    """The same rollout at its end."""
    return replace(one, phase=Phase.IDLE, outcome=outcome, ended=at)


def piece(number: int = 0, **parts: Any) -> Evidence:
    """A piece of evidence."""
    return Evidence(NOON, EvidenceKind.QUERY, number, "errors", AWKWARD, {"value": 0.5, "n": number}, **parts)


def command(number: int = 0, rollout: str = "r0", word: Word = Word.PAUSE) -> Command:
    """A command with an id of its own."""
    return Command(f"c{number}", rollout, word, AWKWARD, "because", NOON, digest=DIGEST)


def refusal(of: Rollout, **parts: Any) -> Refusal:
    """The refusal of a rollout's content."""
    given = {"reason": AWKWARD, "at": NOON, **parts}
    return Refusal(of.unit, of.content, of.commit, of.id, **given)


class RolloutContract:
    """Derive from it and give a fixture `store`."""

    def test_a_store_knows_of_no_rollout_at_first(self, store: Store) -> None:
        """Nor of anything else about them."""
        kept = store.rollouts
        assert (kept.standing(), kept.history(), kept.get("r0"), kept.evidence("r0")) == ((), [], None, [])
        assert (kept.commands(), kept.refusals(), kept.holds()) == ((), (), ())

    def test_a_rollout_is_returned_as_it_was_stored(self, store: Store) -> None:
        """And counts how often that was."""
        first = replace(rollout(id="r0"), reason=AWKWARD, gate_state={"errors": {"text": AWKWARD}})
        (saved,) = stored(store, first)
        assert saved == replace(first, turn=1)
        assert store.rollouts.get("r0") == saved
        assert store.rollouts.standing() == (saved,)
        (again,) = stored(store, replace(saved, step=1))
        assert store.rollouts.standing() == (replace(saved, step=1, turn=2),) == (again,)

    def test_what_stands_is_what_says_what_is_wanted_now(self, store: Store) -> None:
        """Undone ones too, until something took over; those that have succeeded do not."""
        running, well, undone, gone = stored(store, *several(4))
        stored(store, ended(well), ended(undone, Outcome.UNDONE), replace(ended(gone, Outcome.SUPERSEDED), successor="r9"))
        assert [one.id for one in store.rollouts.standing()] == [running.id, undone.id]
        stored(store, replace(well, turn=2, phase=Phase.UNDOING))
        assert [one.id for one in store.rollouts.standing()] == [running.id, well.id, undone.id]

    @pytest.mark.case("L-06")
    def test_history_is_paged_newest_first(self, store: Store) -> None:
        """Of all units or of one, without gaps or repetitions, in the order in which rollouts began."""
        made = stored(store, *several(7), rollout(id="r7", unit="shop/3"))
        stored(store, replace(made[2], step=1))
        pages = [store.rollouts.history(3)]
        while pages[-1]:
            pages.append(store.rollouts.history(3, before=pages[-1][-1].id))
        assert [one.id for page in pages for one in page] == [f"r{number}" for number in range(7, -1, -1)]
        assert [one.id for one in store.rollouts.history(unit="shop/3")] == ["r7", "r3"]
        assert [one.id for one in store.rollouts.history(unit="shop/3", before="r7")] == ["r3"]
        assert store.rollouts.history(before="never-there") == []

    def test_evidence_is_kept_in_order_with_its_rollout(self, store: Store) -> None:
        """It can be read on from any piece, and belongs to one rollout."""
        one, other = several(2)
        (saved, _) = store.rollouts.save([Change(one, (piece(0), piece(1))), Change(other, (piece(7),))])
        store.rollouts.save([Change(saved, (piece(2),))])
        found = store.rollouts.evidence("r0")
        assert [replace(each, id=0) for each in found] == [piece(0), piece(1), piece(2)]
        assert [each.id for each in found] == sorted({each.id for each in found})
        assert store.rollouts.evidence("r0", after=found[0].id) == found[1:]
        assert store.rollouts.evidence("r0", limit=2) == found[:2]
        assert [each.step for each in store.rollouts.evidence("r1")] == [7]

    @pytest.mark.case("C-06")
    def test_a_command_is_kept_once_and_handled_once(self, store: Store) -> None:
        """Whoever says it again, before or after, says nothing; whoever handles it again is refused as a whole."""
        assert store.rollouts.say(command(1))
        assert store.rollouts.say(command(0))
        assert not store.rollouts.say(replace(command(1), word=Word.ABORT))
        assert store.rollouts.commands() == (command(1), command(0))
        (saved,) = store.rollouts.save([Change(rollout(id="r0"), handled=("c1",))])
        assert store.rollouts.commands() == (command(0),)
        assert not store.rollouts.say(command(1))
        assert store.rollouts.commands() == (command(0),)
        with pytest.raises(Conflict, match="c1"):
            store.rollouts.save([Change(replace(saved, step=1), (piece(),), handled=("c0", "c1"))])
        with pytest.raises(Conflict, match="c0"):
            store.rollouts.save([Change(replace(saved, step=1), (piece(),), handled=("c0", "c0"))])
        assert (store.rollouts.get("r0"), store.rollouts.evidence("r0")) == (saved, [])
        assert store.rollouts.commands() == (command(0),)

    @pytest.mark.case("C-06")
    def test_of_many_that_say_and_handle_one_command_one_does(self, store: Store) -> None:
        """At the same moment, from several threads."""
        (saved,) = stored(store, rollout(id="r0"))

        def say(_: int) -> bool:
            return store.rollouts.say(command())

        def handle(number: int) -> bool:
            with suppress(Conflict):
                store.rollouts.save([Change(replace(saved, step=number), (piece(number),), handled=("c0",))])
                return True
            return False

        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(say, range(6))) == 1
            assert sum(threads.map(handle, range(6))) == 1
        kept = store.rollouts.get("r0")
        assert kept is not None
        assert [one.step for one in store.rollouts.evidence("r0")] == [kept.step]

    @pytest.mark.case("C-02")
    def test_nobody_stores_over_what_he_has_not_seen(self, store: Store) -> None:
        """A late writer is refused, and nothing of what came with it is kept."""
        (seen,) = stored(store, rollout(id="r0"))
        (newer,) = stored(store, replace(seen, step=1))
        late = [Change(rollout(id="r1")), Change(replace(seen, step=2), (piece(),), refusal=refusal(seen))]
        with pytest.raises(Conflict, match="r0"):
            store.rollouts.save(late)
        with pytest.raises(Conflict, match="r0"):
            stored(store, rollout(id="r0"))
        assert store.rollouts.standing() == (newer,)
        assert (store.rollouts.evidence("r0"), store.rollouts.refusals()) == ([], ())

    def test_one_rollout_takes_over_from_another_in_one_stroke(self, store: Store) -> None:
        """There is no moment at which none of them says what is wanted."""
        (old,) = stored(store, rollout(id="r0"))
        stored(store, replace(ended(old, Outcome.SUPERSEDED), successor="r1"), rollout(id="r1"))
        assert [one.id for one in store.rollouts.standing()] == ["r1"]

    @pytest.mark.case("C-10")
    def test_refused_content_is_kept_until_it_is_forgiven(self, store: Store) -> None:
        """Of each unit by itself; refused again the newer reason counts; its rollout stays as long, to be spoken to."""
        one, other = several(2)
        store.rollouts.save([Change(one, refusal=refusal(one)), Change(other, refusal=refusal(other))])
        (saved,) = store.rollouts.save([Change(replace(one, turn=1), refusal=refusal(one, reason="again"))])
        assert [(each.unit, each.reason) for each in store.rollouts.refusals()] == [("shop/0", "again"), ("shop/1", AWKWARD)]
        (saved,) = stored(store, replace(ended(saved), turn=2))
        store.forget(NOON + HOUR)
        assert store.rollouts.get("r0") == saved
        assert [each.unit for each in store.rollouts.refusals()] == ["shop/0", "shop/1"]
        store.rollouts.save([Change(replace(one, id="r5"), forgiven=True)])
        assert store.rollouts.refusals() == (refusal(other),)
        store.forget(NOON + HOUR)
        assert store.rollouts.get("r0") is None

    def test_a_hold_is_one_of_each_unit(self, store: Store) -> None:
        """Said again it is replaced; it can be ended, and whoever asks judges whether it is over."""
        hold = Hold("shop/billing", NOON, "ann", AWKWARD)
        store.rollouts.hold(hold)
        store.rollouts.hold(Hold("shop/a", NOON + HOUR, "bob", ""))
        store.rollouts.hold(replace(hold, until=NOON + HOUR))
        assert store.rollouts.holds() == (Hold("shop/a", NOON + HOUR, "bob", ""), replace(hold, until=NOON + HOUR))
        assert store.rollouts.unhold("shop/a")
        assert not store.rollouts.unhold("shop/a")
        assert [one.unit for one in store.rollouts.holds()] == ["shop/billing"]

    @pytest.mark.case("L-06")
    def test_the_past_can_be_forgotten(self, store: Store) -> None:
        """Rollouts that ended go with their evidence and commands; what stands stays, however old, and so do others' ids."""
        made = several(4)
        saved = store.rollouts.save([Change(one, (piece(number),)) for number, one in enumerate(made)])
        for number in range(4):
            store.rollouts.say(command(number, f"r{number}"))
        store.rollouts.hold(Hold("shop/0", NOON - HOUR, "ann", "over"))
        store.rollouts.hold(Hold("shop/1", NOON + HOUR, "ann", "not over"))
        stored(store, ended(saved[0]), ended(saved[1], Outcome.UNDONE), ended(saved[2], at=NOON + HOUR))
        store.forget(NOON + HOUR)
        assert self.ids(store.rollouts.history()) == ["r3", "r2", "r1"]
        assert [bool(store.rollouts.evidence(f"r{number}")) for number in range(4)] == [False, True, True, True]
        assert self.ids(store.rollouts.commands()) == ["c1", "c2", "c3"]
        assert [one.unit for one in store.rollouts.holds()] == ["shop/1"]

    def test_nothing_to_save_is_fine(self, store: Store) -> None:
        """An empty batch changes nothing."""
        assert store.rollouts.save([]) == ()

    @staticmethod
    def ids(found: Sequence[Rollout | Command]) -> list[str]:
        """The ids of what was found."""
        return [one.id for one in found]
