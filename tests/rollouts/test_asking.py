"""Questions of gates, carried to those who answer."""

from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from reconciler.adapters.memory_hook import MemoryHook
from reconciler.adapters.memory_metrics import MemoryMetrics, Traffic
from reconciler.core.gates.answers import (
    Arm,
    AskCounts,
    AskDurations,
    AskHook,
    AskQuery,
    Counts,
    Durations,
    Question,
    Reply,
    Sample,
    Series,
    Unanswered,
    Window,
)
from reconciler.core.gates.spec import Reporter
from reconciler.errors import InvalidInput, ReconcilerError, Rejected, Unavailable
from reconciler.rollouts.asking import AT_ONCE, answer, answers
from tests.contracts.clock import SetClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
URL = "https://hooks.example.org/may-we"
HOOK = AskHook(URL, {}, timedelta(seconds=1), {}, "", NOON)
QUERY = AskQuery("up", NOON)
ARM, WINDOW = Arm(("billing",)), Window(NOON, NOON + timedelta(minutes=1))
COUNTS = AskCounts(ARM, WINDOW, Reporter.SOURCE)


@pytest.fixture
def metrics() -> MemoryMetrics:
    """Metrics in memory that know one query."""
    one = MemoryMetrics(SetClock())
    one.tell("up", Sample(1, NOON))
    return one


def test_each_kind_of_question_goes_to_whom_it_is_for(metrics: MemoryMetrics) -> None:
    """And comes back under its gate and name."""
    hook = MemoryHook()
    hook.reply(URL, 200, {"answer": "pass"})
    metrics.serve(Traffic("other", "shop", "w"), 1)
    durations = AskDurations(ARM, WINDOW, Reporter.SOURCE)
    asked: dict[str, dict[str, Question]] = {"a": {"reply": HOOK, "value": QUERY}, "b": {"n": COUNTS, "d": durations}, "c": {}}
    assert answers(asked, metrics, hook) == {
        "a": {"reply": Reply(200, {"answer": "pass"}), "value": Series((Sample(1, NOON),))},
        "b": {"n": Counts(0, 0, None), "d": Durations((), None)},
        "c": {},
    }


@pytest.mark.case("C-03")
@pytest.mark.parametrize("error", [Unavailable("it is down"), Rejected("no"), InvalidInput("not allowed")])
def test_what_goes_wrong_is_an_answer(metrics: MemoryMetrics, error: ReconcilerError) -> None:
    """With the reason; the other questions are answered all the same."""
    hook = MemoryHook()
    hook.reply(URL, 200, {})
    metrics.break_down(error)
    asked: dict[str, dict[str, Question]] = {"g": {"value": QUERY, "n": COUNTS, "reply": HOOK}}
    got = answers(asked, metrics, hook)["g"]
    assert got["value"] == got["n"] == Unanswered(str(error))
    assert got["reply"] == Reply(200, {})


def test_nobody_to_ask_is_no_answer() -> None:
    """It says what to set."""
    assert answer(QUERY, None, None) == Unanswered("no Prometheus is known: set `gates.prometheus`")
    assert answer(COUNTS, None, None) == answer(QUERY, None, None)
    assert answer(HOOK, None, None) == Unanswered("no webhook may be asked: set `gates.webhooks`")


def test_questions_are_asked_at_the_same_time() -> None:
    """A slow one does not hold up the others: all of these wait for one another."""

    class Meeting(MemoryHook):
        together = Barrier(AT_ONCE)

        def ask(self, question: AskHook) -> Reply:
            self.together.wait(30)
            return Reply(200, {"at": question.url})

    hook = Meeting()
    urls = [f"{URL}/{number}" for number in range(AT_ONCE)]
    asked: dict[str, dict[str, Question]] = {
        url: {"reply": AskHook(url, {}, timedelta(seconds=1), {}, "", NOON)} for url in urls
    }
    assert answers(asked, None, hook) == {url: {"reply": Reply(200, {"at": url})} for url in urls}
