"""What the registry's answers mean."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.agent.conversation import (
    LEAST,
    MOST,
    PATIENCE,
    SLOW,
    USUAL,
    Answer,
    Fate,
    Standing,
    Step,
    Workload,
    after_join,
    after_report,
)

BILLING: dict[str, Any] = {"namespace": "shop", "name": "billing-1", "epoch": 3, "probe": None, "draining": False}
WELL = {"nextIn": 10.0, "credential": None, "workloads": [BILLING]}
KNOWN = Standing("first", workloads=(Workload("shop", "billing-1"),))


def texts(step: Step) -> list[str]:
    """What a person is told, debugging left out."""
    return [text for level, text in step.said if level > logging.DEBUG]


def test_joining() -> None:
    """A join brings a credential and workloads; the token is spent, and the first report is soon."""
    step = after_join(Standing(), Answer(201, {**WELL, "nextIn": 5.0, "credential": "first"}))
    assert step.successor == "first"
    assert step.token is Fate.SPENT
    assert (step.earliest, step.latest) == (4.5, 5.5)
    assert step.standing.workloads == (Workload("shop", "billing-1"),)
    assert texts(step) == ["reporting for shop/billing-1"]


def test_a_further_workload() -> None:
    """A token for another workload adds it to what one credential reports; the answer needs no new credential."""
    ledger = {**BILLING, "name": "ledger-1", "probe": {"tcpSocket": {"port": 1}}}
    step = after_join(KNOWN, Answer(201, {**WELL, "workloads": [BILLING, ledger]}))
    assert (step.standing.credential, step.successor, step.token) == ("first", "", Fate.SPENT)
    assert texts(step) == ["reporting for shop/ledger-1"]


def test_a_report_that_is_taken() -> None:
    """Nothing is said of the usual; a successor comes to be stored, and the standing still has the old credential."""
    step = after_report(KNOWN, Answer(200, {**WELL, "credential": "second"}))
    assert (step.standing.credential, step.successor, step.calm) == ("first", "second", True)
    assert (step.earliest, step.latest, step.said) == (9.0, 11.0, ())


def test_draining_is_told_once() -> None:
    """A person at the VM sees that it is being drained."""
    draining = Answer(200, {**WELL, "workloads": [{**BILLING, "draining": True}]})
    step = after_report(KNOWN, draining)
    assert texts(step) == ["shop/billing-1 is being drained"]
    assert texts(after_report(step.standing, draining)) == []


@pytest.mark.parametrize("code", ["credential-unknown", "credential-copied"])
def test_a_credential_that_is_refused(code: str) -> None:
    """It is kept and tried again, slowly; the operator is told once what to do, and told when it is good again."""
    refusal = Answer(401 if code == "credential-unknown" else 403, {"code": code})
    step = after_report(KNOWN, refusal)
    assert (step.standing.credential, step.standing.refused) == ("first", code)
    assert step.standing.workloads == KNOWN.workloads
    assert step.earliest == 0.9 * SLOW
    assert "reconciler vm token" in texts(step)[0]
    assert texts(after_report(step.standing, refusal)) == []
    again = after_report(step.standing, Answer(200, WELL))
    assert texts(again) == ["the registry takes our reports again"]
    assert again.standing == KNOWN


def test_a_new_token_beside_a_credential_that_is_refused() -> None:
    """The join says so and is tried again without the credential; what then comes takes its place."""
    step = after_join(KNOWN, Answer(401, {"code": "credential-unknown"}))
    assert (step.token, step.latest) == (Fate.KEPT, 1.1 * LEAST)
    joined = after_join(step.standing, Answer(201, {**WELL, "credential": "other"}))
    assert (joined.successor, joined.standing.refused) == ("other", "")


@pytest.mark.case("V-02")
@pytest.mark.parametrize(
    ("status", "code"), [(409, "token-used"), (410, "token-expired"), (403, "address-not-allowed"), (401, ""), (422, "")]
)
def test_a_token_that_is_not_accepted(status: int, code: str) -> None:
    """It is set aside and not sent again; whatever credential there was stays good."""
    step = after_join(KNOWN, Answer(status, {"code": code}))
    assert (step.token, step.successor, step.standing) == (Fate.USELESS, "", KNOWN)
    assert "not accepted" in texts(step)[0]


@pytest.mark.case("V-05")
@pytest.mark.parametrize("status", [429, 503])
def test_told_to_come_later(status: int) -> None:
    """Never sooner than asked, and not all at once; the token is kept."""
    for step in (after_report(KNOWN, Answer(status, {}, 30.0)), after_join(Standing(), Answer(status, {}, 30.0))):
        assert (step.earliest, step.latest, step.calm) == (30.0, 37.0, False)
        assert step.token is Fate.KEPT
    assert after_report(KNOWN, Answer(503, {}, 1e9)).earliest == MOST


@pytest.mark.case("L-07")
def test_an_outage() -> None:
    """Pauses grow up to a bound, spread by half, and only the first failure is a warning; the credential stays."""
    standing, lines, pauses = KNOWN, 0, []
    for _ in range(12):
        step = after_report(standing, Answer(0, reason="Connection refused"))
        standing, lines = step.standing, lines + len(texts(step))
        pauses.append(step.latest)
        assert step.earliest == step.latest / 2
    assert pauses[:6] == [2, 4, 8, 16, PATIENCE, PATIENCE]
    assert pauses[-1] == PATIENCE
    assert lines == 1
    assert after_report(standing, Answer(200, WELL)).standing == KNOWN


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"workloads": {}},
        {"workloads": [1]},
        {"workloads": [{"namespace": "shop", "name": "a\nERROR b"}]},
        {"workloads": [BILLING] * 257},
        {"workloads": [], "credential": "two words"},
        {"workloads": [], "credential": "x\r\nX-Other: y"},
    ],
)
def test_answers_that_make_no_sense(document: dict[str, Any]) -> None:
    """They count as none: workloads and credential stay as they were."""
    step = after_report(KNOWN, Answer(200, document))
    assert step.standing == Standing("first", failures=1, workloads=KNOWN.workloads)
    assert (step.successor, step.calm) == ("", False)
    assert after_join(Standing(), Answer(201, document)).token is Fate.KEPT


def test_the_first_join_must_bring_a_credential() -> None:
    """Without one nothing could be said afterwards."""
    assert after_join(Standing(), Answer(201, WELL)).standing.failures == 1


@given(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3))
def test_whatever_pause_is_asked_for(pause: Any) -> None:
    """A pause is between a second and an hour, whatever the registry says."""
    step = after_report(KNOWN, Answer(200, {**WELL, "nextIn": pause}))
    assert 0.9 * LEAST <= step.earliest <= step.latest <= 1.1 * MOST
    if pause is None or isinstance(pause, str | bool):
        assert step.earliest == 0.9 * USUAL


def test_codes_that_are_none() -> None:
    """Nothing that a stranger wrote gets into the log."""
    assert str(Answer(400, {"code": "x\nERROR all is lost", "detail": "secret"})) == "HTTP status 400"
    assert str(Answer(409, {"code": "token-used"})) == "HTTP status 409 (token-used)"
