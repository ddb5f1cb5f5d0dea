"""Gates' questions, carried to whoever can answer them: all at once, and whatever goes wrong is an answer too."""

from collections.abc import Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, assert_never

from reconciler.core.gates.answers import (
    Answers,
    AnswerTo,
    AskCounts,
    AskDurations,
    AskHook,
    AskQuery,
    Question,
    Unanswered,
)
from reconciler.errors import ReconcilerError
from reconciler.ports import Hook, Metrics

#: Questions that are asked at the same time. Each has a time limit of its own.
AT_ONCE = 8

Who = TypeVar("Who", bound=Hashable)


def answers(asked: Mapping[Who, Mapping[str, Question]], metrics: Metrics | None, hook: Hook | None) -> dict[Who, Answers]:
    """Return the answers to the questions of several gates, in the same shape.

    A slow one holds up the others no longer than its own limit. None of this raises but for a bug.
    """
    every = [(who, name, question) for who, questions in asked.items() for name, question in questions.items()]
    found: dict[Who, dict[str, AnswerTo]] = {who: {} for who in asked}
    if every:
        with ThreadPoolExecutor(min(AT_ONCE, len(every)), thread_name_prefix="gate") as pool:
            replies = pool.map(lambda one: answer(one[2], metrics, hook), every)
            for (who, name, _), reply in zip(every, replies, strict=True):
                found[who][name] = reply
    return dict(found)


def answer(question: Question, metrics: Metrics | None, hook: Hook | None) -> AnswerTo:
    """Return the answer to one question; `Unanswered` where nobody is there to ask, or none came."""
    try:
        match question:
            case AskHook():
                return hook.ask(question) if hook else Unanswered("no webhook may be asked: set `gates.webhooks`")
            case _ if metrics is None:
                return Unanswered("no Prometheus is known: set `gates.prometheus`")
            case AskQuery(query, at):
                return metrics.query(query, at)
            case AskCounts(arm, window, reporter):
                return metrics.counts(arm, window, reporter)
            case AskDurations(arm, window, reporter):
                return metrics.durations(arm, window, reporter)
            case _:
                assert_never(question)
    except ReconcilerError as error:
        return Unanswered(str(error))
