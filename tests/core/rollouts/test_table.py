"""The table of transitions is complete, keeps its own laws, and is what the README shows."""

from __future__ import annotations

import pytest

from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Word
from reconciler.core.rollouts.table import LEFT, TABLE, WHY_NOT, Event, Happening, target
from tests import rollout_diagram
from tests.settings_table import README


def targets(phase: Phase, happening: Happening) -> tuple[Phase, ...]:
    """Where a happening may lead."""
    found = TABLE[phase][happening]
    return (found,) if isinstance(found, Phase) else found


def reached(start: Phase) -> set[Phase]:
    """All phases that a phase may lead to in the end."""
    found: set[Phase] = set()
    new = {start}
    while new:
        found |= new
        new = {one for phase in new for happening in TABLE[phase] for one in targets(phase, happening)} - found
    return found


@pytest.mark.parametrize("phase", list(Phase))
def test_every_word_has_a_line_or_a_reason_why_not(phase: Phase) -> None:
    """One of both in every phase, and never both."""
    with_effect = {word for word in Word if word in TABLE[phase]}
    assert with_effect.isdisjoint(WHY_NOT[phase])
    assert with_effect | WHY_NOT[phase].keys() == set(Word)


def test_every_event_leads_somewhere() -> None:
    """There is none that no phase knows."""
    assert {happening for line in TABLE.values() for happening in line} == {*Event, *Word}


def test_every_phase_is_reached_and_every_rollout_can_end() -> None:
    """From the beginning, and from wherever it is."""
    assert reached(Phase.WAITING) == set(Phase)
    assert all(Phase.IDLE in reached(phase) for phase in Phase)


def test_only_a_word_leads_out_of_what_has_ended_or_halted() -> None:
    """Time and looks do not."""
    for phase in (Phase.IDLE, Phase.HALTED):
        assert all(isinstance(happening, Word) for happening in TABLE[phase])


def test_nothing_goes_forward_from_a_pause() -> None:
    """Whoever leaves one is first where it was."""
    forward = {Event.STARTED, Event.STAGED, Event.IN_FORCE, Event.PASSED, Event.FINISHED, Event.OVER}
    for phase in (Phase.PAUSED, Phase.HALTED, Phase.IDLE):
        assert forward.isdisjoint(TABLE[phase])


def test_from_everywhere_on_the_way_a_person_can_pause_and_take_back() -> None:
    """Whatever else is going on."""
    for phase in (Phase.WAITING, Phase.APPLYING, Phase.SOAKING, Phase.WATCHING):
        assert targets(phase, Word.PAUSE) == (Phase.PAUSED,)
        assert targets(phase, Word.ABORT) == targets(phase, Word.UNDO) == (Phase.UNDOING,)


@pytest.mark.parametrize("left", LEFT)
def test_a_resume_leads_to_what_was_left(left: Phase) -> None:
    """And to nothing that cannot be left by a pause."""
    assert target(Phase.PAUSED, Word.RESUME, left) is left
    assert Phase.PAUSED in targets(left, Word.PAUSE)
    for other in set(Phase) - set(LEFT):
        with pytest.raises(ValueError, match="not in tuple"):
            target(Phase.PAUSED, Word.RESUME, other)


def test_what_the_table_does_not_have_is_a_bug() -> None:
    """It is never silently ignored."""
    with pytest.raises(KeyError):
        target(Phase.IDLE, Event.STARTED, Phase.APPLYING)


def test_the_readme_shows_the_table() -> None:
    """Every line of it, drawn."""
    readme = README.read_text("utf-8")
    assert rollout_diagram.written(readme) == readme, "run `make phases-diagram`"
    drawn = rollout_diagram.diagram()
    for phase, line in TABLE.items():
        for happening in line:
            for one in targets(phase, happening):
                arrow = next(row for row in drawn.splitlines() if row.strip().startswith(f"{phase} --> {one}: "))
                assert happening.lower() in arrow.lower()
