"""Verdicts on a workload, from the outcomes of its probes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.agent.health import Health, Outcome, State
from reconciler.agent.probe import Probe, TcpSocket


def probe(successes: int, failures: int) -> Probe:
    """A probe of which only the thresholds matter."""
    return Probe(TcpSocket("localhost", 1), successes=successes, failures=failures)


def verdicts(outcomes: str, successes: int, failures: int) -> str:
    """The verdict after each outcome (+ or -), by its initial: u for unknown, h for healthy, i for ill."""
    health, found = Health(), ""
    for one in outcomes:
        health = health.after(Outcome(one == "+", "" if one == "+" else "down"), probe(successes, failures))
        found += {State.UNKNOWN: "u", State.HEALTHY: "h", State.UNHEALTHY: "i"}[health.state]
    return found


def test_so_many_in_a_row() -> None:
    """A threshold counts outcomes in a row; one of the other kind begins anew."""
    assert verdicts("+-+", 1, 1) == "hih"
    assert verdicts("++-+++", 3, 1) == "uuiiih"
    assert verdicts("+--+---", 1, 3) == "hhhhhhi"
    assert verdicts("--+-", 2, 2) == "uiii"


def test_the_reason_is_that_of_the_last_failure() -> None:
    """A person wants to know what is wrong now; once it is well, nothing is."""
    ill = Health().after(Outcome(well=False, reason="HTTP status 503"), probe(1, 1))
    assert ill.after(Outcome(well=False, reason="no answer within 1 s"), probe(1, 1)).reason == "no answer within 1 s"
    assert ill.after(Outcome(well=True), probe(1, 1)).reason == ""
    assert ill.after(Outcome(well=True), probe(2, 1)).reason == "HTTP status 503"


@given(st.text("+-", max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_as_istios_agent_counts(outcomes: str, successes: int, failures: int) -> None:
    """Once healthy was said, we agree with `PerformApplicationHealthCheck`, which never says unhealthy first."""
    healthy, good, bad, said = False, 0, 0, ""
    for one in outcomes:
        good, bad = (good + 1, 0) if one == "+" else (0, bad + 1)
        if one == "+" and good == successes and not healthy:
            healthy, good = True, 0
        elif one == "-" and bad == failures and healthy:
            healthy, bad = False, 0
        said += "h" if healthy else "i"
    ours = verdicts(outcomes, successes, failures)
    begins = ours.find("h")
    assert begins == said.find("h")
    assert begins < 0 or ours[begins:] == said[begins:]
