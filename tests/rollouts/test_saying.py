"""What people say to rollouts reaches the right one, once, for the plan that they have looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.resources import Key
from reconciler.core.rollouts.records import Change
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Hold, Word
from reconciler.errors import InvalidInput
from reconciler.rollouts.saying import Said, chosen, hold, plan_of, running, say
from tests.core.rollouts.play import DIGEST, HOUR, NOON, rollout

SAID = Said(Word.PAUSE, "ann", "lunch", NOON)


def store_of(*rollouts: Rollout) -> MemoryStore:
    """A store that holds these."""
    store = MemoryStore()
    store.rollouts.save([Change(one) for one in rollouts])
    return store


def ended(one: Rollout, outcome: Outcome) -> Rollout:
    """A rollout at its end."""
    return replace(one, phase=Phase.IDLE, outcome=outcome, ended=NOON)


def test_a_rollout_is_found_by_its_id_or_its_unit() -> None:
    """By its unit the one in force, where none is the newest; an id finds any of them."""
    old, new = ended(rollout(id="r1"), Outcome.SUCCEEDED), ended(rollout(id="r2"), Outcome.SUCCEEDED)
    kept = store_of(old, new).rollouts
    assert (chosen(kept, "shop/billing").id, chosen(kept, "r1").id) == ("r2", "r1")
    kept.save([Change(rollout(id="r3")), Change(rollout(id="r4", unit="shop/a")), Change(replace(old, id="r5"))])
    assert chosen(kept, "shop/billing").id == "r3"
    with pytest.raises(InvalidInput, match="there is no rollout 'shop/b'"):
        chosen(kept, "shop/b")


def test_those_under_way_are_the_ones_that_have_not_ended() -> None:
    """What was undone says what is wanted, and is at its end all the same."""
    kept = store_of(rollout(id="r1"), ended(rollout(id="r2"), Outcome.UNDONE), rollout(id="r3", phase=Phase.HALTED)).rollouts
    assert [one.id for one in running(kept)] == ["r1", "r3"]


def test_an_approval_is_for_the_plan_that_was_looked_at() -> None:
    """A unit may have another one by now, so some digits are needed; an id names one plan for good."""
    one = rollout(id="r1")
    assert plan_of(one, "r1", "") == DIGEST
    assert plan_of(one, "shop/billing", DIGEST[:12]) == plan_of(one, "shop/billing", DIGEST) == DIGEST
    assert plan_of(one, "shop/billing", "e" * 12) == "e" * 12
    with pytest.raises(InvalidInput, match="it is dddddddddddd now, of rollout r1"):
        plan_of(one, "shop/billing", "")
    with pytest.raises(InvalidInput, match="at least 12 digits"):
        plan_of(one, "r1", "ddd")


def test_a_word_is_kept_for_the_next_look_and_the_person_is_told() -> None:
    """Also that it would have no effect as things stand; whether it has one is decided then."""
    store = store_of(rollout(id="r1"))
    (one,) = store.rollouts.standing()
    assert say(store.rollouts, one, SAID) == "noted for shop/billing (rollout r1, waiting, step 1 of 2): pause"
    told = say(store.rollouts, one, replace(SAID, word=Word.RESUME))
    assert told.endswith("step 1 of 2): resume, after pause, which no look has seen yet")
    kept = store.rollouts.commands()
    assert [(each.rollout, each.word, each.by, each.reason, each.at) for each in kept] == [
        ("r1", Word.PAUSE, "ann", "lunch", NOON),
        ("r1", Word.RESUME, "ann", "lunch", NOON),
    ]
    assert kept[0].id != kept[1].id


def test_whoever_says_what_has_no_effect_as_things_stand_is_told() -> None:
    """By what was said before: after a pause and a resume, which nobody has carried out yet, it is paused no more."""
    store = store_of(rollout(id="r1"))
    (one,) = store.rollouts.standing()
    resume = replace(SAID, word=Word.RESUME)
    assert say(store.rollouts, one, resume).endswith(
        "as things stand it will have no effect: it is not paused; it waits for its turn"
    )
    say(store.rollouts, one, SAID)
    say(store.rollouts, one, resume)
    told = say(store.rollouts, one, resume)
    assert "resume, after resume, pause, resume, which no look has seen yet; as things stand it will have no effect" in told


def test_only_a_service_of_the_target_can_be_held() -> None:
    """A mistyped name would protect nothing while everybody thinks it does."""
    store = store_of()
    store.widen([Key("ServiceEntry", "shop", "billing")])
    assert hold(store, "shop/billing", HOUR, "ann", "look", NOON) == Hold("shop/billing", NOON + HOUR, "ann", "look")
    assert store.rollouts.holds() == (Hold("shop/billing", NOON + HOUR, "ann", "look"),)
    for name in ("shop/biling", "billing", "", "a/b/c"):
        with pytest.raises(InvalidInput, match="there is no service"):
            hold(store, name, HOUR, "ann", "look", NOON)
