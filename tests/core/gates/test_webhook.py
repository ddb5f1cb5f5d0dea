"""Webhook as a gate: a plain word, or no answer."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.gates.answers import AskHook, Reply, Unanswered
from reconciler.core.gates.judging import questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.spec import Gate, Webhook
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from reconciler.core.gates.webhook import LONGEST
from tests.core.gates.scenes import MINUTE, NOON, looks, scene

HOOK = Webhook("https://hooks.example.org/may-we", timedelta(seconds=3), {"X-Team": "shop"}, "shop")
GATE = Gate("may-we", HOOK)


def said(body: Any, status: int = 200) -> Verdict:
    """Return the verdict on one reply."""
    return looks(GATE, {"reply": Reply(status, body)})[0]


def test_the_question_says_who_asks_and_about_what() -> None:
    """Enough to decide on: rollout, commit, digest, step and exposure."""
    moment = scene(rollout="r1", unit="billing", commit="abc", step=0, steps=3)
    assert questions(GATE, moment, Memory()) == {
        "reply": AskHook(
            HOOK.url,
            {
                "gate": "may-we",
                "rollout": "r1",
                "unit": "billing",
                "commit": "abc",
                "digest": "d1",
                "step": 1,
                "steps": 3,
                "exposure": "0.000%",
                "inForce": NOON.isoformat(),
            },
            HOOK.timeout,
            HOOK.headers,
            "shop",
            NOON + MINUTE,
        )
    }


def test_pass_wait_and_fail_are_words() -> None:
    """With the message that comes with them."""
    assert said({"answer": "pass"}) == Verdict.passing("the webhook says pass")
    assert said({"answer": "pass", "message": "load test is green"}) == Verdict.passing("load test is green")
    assert said({"answer": "fail", "message": "load test is red"}) == Verdict.failing(Reason.HARM, "load test is red")
    assert said({"answer": "wait"}).reason is Reason.INCONCLUSIVE


@pytest.mark.case("C-03")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 200),
        ({"answer": "PASS"}, 200),
        ({"answer": True}, 200),
        ({"answer": None}, 200),
        ({"pass": True}, 200),
        (None, 200),
        ({"answer": "pass"}, 201),
        ({"answer": "pass"}, 302),
        ({"answer": "pass"}, 500),
        (None, 204),
    ],
)
def test_anything_else_is_no_answer(body: dict[str, Any] | None, status: int) -> None:
    """Not every 200 is a yes, and no other status is."""
    verdict = said(body, status)
    assert (verdict.answer, verdict.reason) == (Answer.WAIT, Reason.PROVIDER_ERROR)


@pytest.mark.case("C-03")
def test_no_answer_is_a_providers_error() -> None:
    """With the reason for people."""
    (verdict,) = looks(GATE, {"reply": Unanswered("hooks.example.org did not answer within 3 s")})
    assert verdict == Verdict.waiting(Reason.PROVIDER_ERROR, "hooks.example.org did not answer within 3 s")


def test_a_foreign_message_is_one_bounded_line() -> None:
    """It may be long, or hold what turns a terminal over."""
    assert said({"answer": "pass", "message": "a\n\x1b[31mb\u202ec"}).says == "a [31mb c"
    assert len(said({"answer": "pass", "message": "x" * 10_000}).says) == LONGEST
    assert said({"answer": "pass", "message": {"no": "text"}}).says == "the webhook says pass"
