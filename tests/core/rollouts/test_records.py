"""What is kept of a look beside the rollout, and what tells content from other content."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.resources import Key
from reconciler.core.rollouts.actions import Call, PlanBack
from reconciler.core.rollouts.policy import OnHarm
from reconciler.core.rollouts.records import Evidence, EvidenceKind, Refusal, change_of, content_of
from reconciler.core.rollouts.seen import Word
from reconciler.core.rollouts.values import Documents
from tests.core.rollouts.play import HARM, NOON, SECOND, SERVICE, Play, policy, rollout

OTHER = Key("VirtualService", "shop", "billing")


def test_every_transition_and_every_word_becomes_evidence() -> None:
    """With why, by whom, and whether it had its effect; what the look itself brought comes first."""
    play = Play(rollout()).begun()
    pause, again = play.command(Word.PAUSE), play.command(Word.PAUSE, by="bob")
    play.look(SECOND, pause, again)
    query = Evidence(NOON, EvidenceKind.QUERY, 0, "errors")
    change = change_of(play.rollout, play.last, play.now, [query])
    kinds = [(one.kind, one.name, one.data.get("by"), one.data.get("done")) for one in change.evidence]
    assert kinds == [
        (EvidenceKind.QUERY, "errors", None, None),
        (EvidenceKind.WORD, "pause", "ann", True),
        (EvidenceKind.MOVE, "pause", None, None),
        (EvidenceKind.WORD, "pause", "bob", False),
    ]
    assert change.evidence[2].data == {"source": "soaking", "target": "paused"}
    assert change.evidence[3].says.startswith("it is paused already")
    assert change.handled == (pause.id, again.id)
    assert (change.refusal, change.forgiven) == (None, False)


def test_harm_leaves_a_refusal_of_the_content_and_a_retry_takes_it_back() -> None:
    """Kept with the rollout, in one transaction."""
    play = Play(rollout()).begun().look(SECOND, gates={"errors": HARM})
    change = change_of(play.rollout, play.last, play.now)
    assert change.refusal == Refusal("shop/billing", "c" * 64, "a" * 40, "r1", play.rollout.reason, play.now)
    play.way_back().say(Word.RETRY)
    change = change_of(play.rollout, play.last, play.now)
    assert (change.refusal, change.forgiven) == (None, True)


def test_the_last_word_on_content_counts() -> None:
    """A resume forgives, and an abort in the same moment refuses again."""
    play = Play(rollout(policy=policy(on_harm=OnHarm.PAUSE))).begun().look(SECOND, gates={"errors": HARM})
    play.look(SECOND, play.command(Word.RESUME), play.command(Word.ABORT))
    change = change_of(play.rollout, play.last, play.now)
    assert change.refusal is not None
    assert not change.forgiven


def test_a_wish_and_a_call_are_no_evidence() -> None:
    """They are done, not kept."""
    assert change_of(rollout(), (PlanBack(-1, at_once=True), Call("see")), NOON).evidence == ()


def test_content_is_what_a_unit_becomes_and_how_it_is_split() -> None:
    """In any order of objects and fields, whatever the commit; an object that goes is content too."""
    one: Documents = {SERVICE: {"a": 1, "b": 2}, OTHER: None}
    digest = content_of(one, None)
    assert digest == content_of({OTHER: None, SERVICE: {"b": 2, "a": 1}}, None)
    others = {content_of({SERVICE: {"a": 1, "b": 2}}, None), content_of({**one, OTHER: {}}, None)}
    others |= {content_of(one, Fraction(1, 2)), content_of(one, Fraction(0))}
    assert len({digest, *others}) == 5


@given(st.dictionaries(st.sampled_from([SERVICE, OTHER]), st.none() | st.dictionaries(st.text(max_size=3), st.integers())))
def test_a_digest_fits_where_it_is_stored(after: dict[Key, dict[str, int] | None]) -> None:
    """64 hexadecimal digits."""
    digest = content_of(after, None)
    assert len(digest) == 64
    assert set(digest) <= set("0123456789abcdef")
