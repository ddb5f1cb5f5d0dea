"""The report as lines of a service's log."""

import logging
from dataclasses import replace

import pytest

from reconciler.core.plans import Mode
from reconciler.core.report import Report, Verdict, Written
from reconciler.errors import Problem, Severity
from reconciler.reports.logged import MOST, Log, lines
from tests.reports import extremes, samples
from tests.reports.samples import DIGEST, report

SAMPLES = [pytest.param(replace(report, command="serve"), id=name) for name, report in extremes.everything()]


def texts(given: Report, least: int = logging.NOTSET) -> list[str]:
    """Return the lines of at least this level."""
    return [line.text for line in lines(given, ("--target", "a")) if line.level >= least]


def test_what_was_written_is_named() -> None:
    """Alike writes on one line, with their cause; nothing of a good run is a warning."""
    found = texts(samples.applied())
    assert found[0] == "1a2b3c4d5e: Applied: 5 writes done; cluster and registry hold what Git says."
    assert "done: update WorkloadEntry shop/billing-vm-1, billing-vm-2 (for git)" in found
    assert texts(samples.applied(), logging.WARNING) == []


def test_what_was_not_written_is_told_with_its_reason() -> None:
    """Each failure alone; what was not begun by reason."""
    assert texts(replace(samples.failed(), command="serve"), logging.WARNING) == [
        "failed: create WorkloadEntry shop/billing-vm-3: admission webhook denied the request: label team is missing",
        "unknown: delete WorkloadEntry shop/ledger-vm-9: no answer within 30 s",
        "not started: 2 writes: create of WorkloadEntry shop/billing-vm-3 was not carried out",
    ]


def test_what_waits_is_told_with_the_command_that_ends_it() -> None:
    """The whole digest, since the command takes no shorter one; the time stands still from pass to pass.

    Adoption is said in Git.
    """
    found = texts(samples.migration("serve"), logging.WARNING)
    assert f"next: reconciler approve --target a {DIGEST} --allow wholesale:shop/billing --reason WHY" in found[-1]
    assert found[-2].endswith("goes on with the first run after 2026-11-23 03:34:44Z")
    assert not any("next: " in text for text in texts(replace(samples.every_state(), command="serve")))


def test_errors_in_git_have_their_place() -> None:
    """And their weight."""
    levels = {line.text.partition(": ")[0]: line.level for line in lines(samples.invalid("serve"))}
    assert levels["production/shop/billing/service-entry.yaml:12:15"] == logging.ERROR
    assert levels["production/shop/billing/virtual-service.yaml:31:9"] == logging.WARNING


def test_what_holds_on_is_said_once() -> None:
    """And again when it comes back; how a pass ended that wrote something is always said."""
    log, waiting, calm = Log(), samples.migration("serve"), report("serve", Verdict.IN_SYNC)
    first = [line.text for line in log.news(waiting)]
    assert len(first) > 3
    assert log.news(waiting) == []
    assert [len(log.news(calm)), len(log.news(calm))] == [1, 0]
    assert [line.text for line in log.news(waiting)] == first
    assert [line.text for line in log.news(samples.applied())] == [line.text for line in log.news(samples.applied())]


def test_a_thousand_problems_are_counted() -> None:
    """Errors stay."""
    problems = [Problem("MR1", f"m{number}", Severity.WARNING) for number in range(MOST)]
    problems.append(Problem("MR2", "the one that matters"))
    found = texts(report("serve", Verdict.INVALID, problems=tuple(problems)))
    assert len(found) == MOST + 2
    assert found[1] == "error: the one that matters [MR2]"
    assert found[-1] == "… and 1 more: `reconciler history -o json` has them all"


def test_in_observe_mode_nothing_is_proposed() -> None:
    """No word would make it write."""
    assert not [text for text in texts(replace(samples.drift(), command="serve", mode=Mode.OBSERVE)) if text.startswith("next")]


@pytest.mark.case("W-17")
@pytest.mark.parametrize("given", SAMPLES)
def test_no_text_of_others_makes_a_line_of_its_own(given: Report) -> None:
    """Whoever writes manifests does not write our log."""
    assert all(text.isprintable() for text in texts(given))


def test_every_failed_write_is_there_or_counted() -> None:
    """Whatever the size."""
    failed = tuple(replace(one, written=Written.FAILED, message="no") for one in samples.applied().results)
    found = texts(replace(samples.applied(), verdict=Verdict.FAILED, results=failed * 20), logging.ERROR)
    assert len(found) == MOST
