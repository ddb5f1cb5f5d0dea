"""A rollout that was stored is the rollout that was stored."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.resources import Key
from reconciler.core.rollouts.codec import VERSION, from_json, plain, read, to_json
from reconciler.core.rollouts.platforms import Platforms
from reconciler.core.rollouts.policy import OnHarm, PolicyStep, RolloutPolicy, Strategy, Unreachable
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Hold, Word
from reconciler.core.rollouts.stopwatch import Stopwatch
from reconciler.core.rollouts.values import (
    Approval,
    Carried,
    Figures,
    LeftAlone,
    Leg,
    LegKind,
    RolloutStep,
    ShareFigures,
    Stage,
    Way,
)
from reconciler.errors import InvalidInput
from tests.core.rollouts.play import DIGEST, NOON, SERVICE, rollout, way

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
KEYS = st.builds(Key, st.sampled_from(["ServiceEntry", "WorkloadEntry", "Namespace"]), st.just("") | NAMES, NAMES)
TEXTS = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=2)
DOCUMENTS = st.dictionaries(KEYS, st.none() | OBJECTS, max_size=3)
MOMENTS = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
)
LENGTHS = st.timedeltas(timedelta(0), timedelta(days=9_999))
SHARES = st.fractions(0, 1)
TUPLE_OF_TEXTS = st.lists(TEXTS, max_size=2).map(tuple)

STEPS = st.builds(
    RolloutStep,
    st.integers(0, 3),
    SHARES,
    st.lists(st.sampled_from(Stage), min_size=1, max_size=3).map(tuple),
    switched=st.frozensets(KEYS, max_size=3),
    hold=LENGTHS,
    gates=TUPLE_OF_TEXTS,
    approval=st.booleans(),
    cover=LENGTHS,
    merged=st.lists(SHARES, max_size=2).map(tuple),
    notes=TUPLE_OF_TEXTS,
    quiet=st.booleans(),
)
LEGS = st.builds(Leg, st.sampled_from(LegKind), DOCUMENTS, DOCUMENTS)
WAYS = st.builds(
    Way,
    st.lists(LEGS, max_size=2).map(tuple),
    st.lists(STEPS, max_size=2).map(tuple),
    DOCUMENTS,
    DOCUMENTS,
    st.tuples(st.none() | SHARES, st.none() | SHARES),
    TUPLE_OF_TEXTS,
    TEXTS,
    by=st.none() | st.builds(Platforms, TEXTS, TEXTS, TEXTS),
    culprit=st.none() | KEYS,
    armed=st.booleans(),
)
POLICIES = st.builds(
    RolloutPolicy,
    st.lists(st.builds(PolicyStep, SHARES, LENGTHS, TUPLE_OF_TEXTS, st.booleans(), LENGTHS), max_size=2).map(tuple),
    split=st.none() | SHARES,
    strategy=st.sampled_from(Strategy),
    on_harm=st.sampled_from(OnHarm),
    gradual=st.booleans(),
    watch=LENGTHS,
    group=TEXTS,
    unreachable=st.sampled_from(Unreachable),
    max_load=st.fractions(0, 9),
    spill=SHARES,
    expect_pods=st.none() | st.integers(0, 9),
    gates=st.dictionaries(TEXTS, OBJECTS, max_size=2),
    notes=TUPLE_OF_TEXTS,
)
LEFT_ALONE = st.builds(LeftAlone, TEXTS, TEXTS, st.integers(0, 9), SHARES, SHARES, st.integers(0, 9))
ROLLOUTS = st.builds(
    Rollout,
    *[TEXTS] * 5,
    attempt=st.integers(1, 9),
    policy=POLICIES,
    origin=DOCUMENTS,
    way=WAYS,
    began=MOMENTS,
    base=TEXTS,
    phase=st.sampled_from(Phase),
    entered=st.none() | MOMENTS,
    reason=TEXTS,
    step=st.integers(0, 9),
    stage=st.integers(0, 2),
    passed=st.integers(-1, 9),
    started=st.none() | MOMENTS,
    in_force=st.none() | MOMENTS,
    time=st.builds(Stopwatch, st.none() | MOMENTS, st.none() | LENGTHS, LENGTHS, LENGTHS),
    approvals=st.lists(st.builds(Approval, TEXTS, TEXTS, TEXTS, MOMENTS, TEXTS), max_size=2).map(tuple),
    gate_state=st.dictionaries(TEXTS, JSON, max_size=2),
    population=TEXTS,
    loads=st.dictionaries(TEXTS, st.integers(), max_size=2),
    carried=st.lists(st.builds(Carried, KEYS, st.integers(0, 9), SHARES), max_size=2).map(tuple),
    let=st.integers(0, 9),
    figures=st.none()
    | st.builds(
        Figures,
        MOMENTS,
        TUPLE_OF_TEXTS,
        TEXTS,
        st.lists(st.builds(ShareFigures, TEXTS, *[st.none() | SHARES] * 3), max_size=2).map(tuple),
        st.lists(LEFT_ALONE, max_size=2).map(tuple),
    ),
    cause=st.sampled_from(Cause),
    returns_to=st.sampled_from(Phase),
    overrules=st.booleans(),
    held=st.booleans(),
    back=st.none() | WAYS,
    goal=st.integers(-1, 9),
    at_once=st.booleans(),
    replan=st.booleans(),
    refused=st.booleans(),
    outcome=st.sampled_from(Outcome),
    ended=st.none() | MOMENTS,
    successor=TEXTS,
    heard=st.integers(0, 10**12),
    turn=st.integers(0, 9),
)


@given(ROLLOUTS)
@settings(deadline=None)
def test_a_rollout_survives_being_stored(one: Rollout) -> None:
    """Through JSON as text, whatever it holds: every field, exactly, and of the same types."""
    again = from_json(json.loads(json.dumps(to_json(one))))
    assert again == one
    assert repr(type(again.policy.max_load)) == repr(Fraction)
    assert isinstance(again.phase, Phase)
    assert isinstance(again.time.held, timedelta)
    assert all(isinstance(stage, Stage) for step in again.way.steps for stage in step.stages)


def test_no_field_is_left_out_of_the_proof() -> None:
    """A new one has to be drawn above."""
    drawn = repr(ROLLOUTS)
    assert [one.name for one in fields(Rollout)[5:] if f"{one.name}=" not in drawn] == []


def test_a_document_stands_once_however_often_it_is_meant() -> None:
    """Origin, way and legs are mostly the same documents."""
    large = {SERVICE: {"spec": {"text": "x" * 10_000}}}
    there = Way((Leg(LegKind.WHOLE, large, large),), way().steps, dict(large), dict(large))
    text = json.dumps(to_json(replace(rollout(), way=there, back=there, origin=dict(large))))
    assert text.count("x" * 10_000) == 1


def test_documents_that_only_seem_equal_stay_apart() -> None:
    """One, one and a half tenths of ten, and true are equal to Python and not to JSON."""
    values: list[Any] = [1, 1.0, True]
    origin = {Key("A", "n", str(place)): {"v": value} for place, value in enumerate(values)}
    again = from_json(json.loads(json.dumps(to_json(replace(rollout(), origin=origin)))))
    assert [type((document or {})["v"]) for document in again.origin.values()] == [int, float, bool]


def test_a_field_that_came_later_takes_its_default() -> None:
    """So that a store of yesterday is read today."""
    record = to_json(rollout())
    del record["rollout"]["turn"], record["rollout"]["policy"]["spill"], record["rollout"]["time"]
    assert from_json(record) == rollout()


def test_what_a_newer_program_wrote_is_refused() -> None:
    """By its number, or by a field that nobody knows here: half understood it would be stored back halved."""
    record = to_json(rollout())
    with pytest.raises(InvalidInput, match="upgrade"):
        from_json({**record, "version": VERSION + 1})
    with pytest.raises(InvalidInput, match="teleports"):
        from_json({**record, "rollout": {**record["rollout"], "teleports": True}})


def test_commands_and_holds_are_stored_by_the_same_rules() -> None:
    """They have no documents."""
    said = Command("c1", "r1", Word.ABORT, "Zoë", "it hurts", NOON, digest=DIGEST)
    hold = Hold("shop/billing", NOON, "ann", "")
    assert read(Command, json.loads(json.dumps(plain(said)))) == said
    assert read(Hold, json.loads(json.dumps(plain(hold)))) == hold
