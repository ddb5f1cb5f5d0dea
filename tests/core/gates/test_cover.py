"""Cover: requests in every part of the day."""

from datetime import timedelta

from reconciler.core.gates.answers import AnswerTo, Counts, Unanswered
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.spec import Cover, Gate
from reconciler.core.gates.verdict import Reason, Verdict
from tests.core.gates.scenes import NOON, scene

GATE = Gate("cover", Cover(timedelta(hours=24), samples=100))
EVERY = timedelta(minutes=5)


def covered(gate: Gate, hours: int, *, quiet: range = range(0), every: timedelta = EVERY) -> Verdict:
    """Return the verdict after so many hours from noon on, with 2 requests a look outside of the quiet hours of the day."""
    memory, verdict = Memory(), None
    for number in range(1, hours * (timedelta(hours=1) // every) + 1):
        moment = scene(number * every)
        asked = questions(gate, moment, memory)
        answer = Counts(0 if moment.now.hour in quiet else 2, 0, moment.now)
        verdict, memory = judge(gate, moment, Memory.of(memory.to_json()), dict.fromkeys(asked, answer))
    assert verdict is not None
    return verdict


def test_a_day_with_requests_in_each_quarter_passes() -> None:
    """From noon to noon."""
    assert covered(GATE, 24) == Verdict.passing("1 d covered")


def test_time_alone_does_not_cover() -> None:
    """A night without requests was never seen."""
    verdict = covered(GATE, 30, quiet=range(6))
    assert (verdict.reason, verdict.needs) == (Reason.SOAKING, "100 requests between 0:00 and 6:00 UTC")


def test_requests_alone_do_not_cover() -> None:
    """The time has to pass."""
    verdict = covered(GATE, 23)
    assert (verdict.reason, verdict.needs) == (Reason.SOAKING, "1 h")


def test_a_shorter_cover_asks_for_the_quarters_that_it_touches() -> None:
    """From noon on for seven hours: afternoon and evening."""
    gate = Gate("cover", Cover(timedelta(hours=7), samples=10))
    assert covered(gate, 7).passes
    assert covered(gate, 8, quiet=range(18, 24)).needs == "10 requests between 18:00 and 24:00 UTC"


def test_time_that_nobody_watched_is_not_covered() -> None:
    """A reconciler that was off for the night has not seen it."""
    moment, memory = scene(timedelta(hours=25)), Memory()
    verdict, _ = judge(GATE, moment, memory, {"requests": Counts(10_000, 0, moment.now)})
    assert verdict.reason is Reason.SOAKING


def test_no_answer_counts_nothing() -> None:
    """And says so."""
    answers: list[tuple[AnswerTo, Reason]] = [
        (Unanswered("refused"), Reason.PROVIDER_ERROR),
        (Counts(0, 0, None), Reason.NO_DATA),
    ]
    for answer, reason in answers:
        verdict, memory = judge(GATE, scene(EVERY), Memory(), {"requests": answer})
        assert (verdict.reason, memory.opened) == (reason, NOON)
    assert judge(GATE, scene(canary=None, whole=None), Memory(), {})[0].reason is Reason.INCONCLUSIVE
