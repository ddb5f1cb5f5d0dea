"""Sentences that several renderers share."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.plans import Guard
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Signature
from reconciler.errors import Problem
from reconciler.reports import words
from tests.reports import samples
from tests.reports.samples import AT, checked, migration, report, split


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (checked(), "Valid: 96 files, 214 objects, 4 skipped by kind, 1 warning, 1.8 s."),
        (
            checked(Verdict.INVALID, samples.PROBLEMS),
            "Invalid: 96 files, 214 objects, 4 skipped by kind, 2 errors, 1 warning, 1.8 s.",
        ),
        (report("diff", Verdict.IN_SYNC), "In sync: cluster and registry hold what Git says (214 objects)."),
        (samples.applied(), "Applied: 5 writes done; cluster and registry hold what Git says."),
        (samples.drift(), "Changes are due: 1 to update, 213 in sync."),
        (migration(), "Refused: 2 guards, 2 writes held back (3 to create, 3 to update, 1 to delete, 207 in sync)."),
        (
            report("apply", Verdict.REFUSED, reason="pod-7:1 is the writer."),
            "Refused: pod-7:1 is the writer; nothing was changed.",
        ),
        (samples.invalid(), "Invalid: 2 errors in Git; nothing was changed."),
        (samples.misconfigured(), "Invalid: 1 error; nothing was changed."),
        (
            report("diff", Verdict.UNAVAILABLE, reason="no answer within 30 s"),
            "Cannot observe: no answer within 30 s; nothing was changed, and what could not be read counts as unknown.",
        ),
        (samples.failed(), "Failed: 2 writes done, 4 not."),
        (
            report("apply", Verdict.FAILED, reason="the lease may not be read"),
            "Failed: the lease may not be read; nothing was changed.",
        ),
        (
            samples.applied_in_part(Verdict.CHANGES),
            "Applied in part: 5 writes done. Changes are due: 1 to update, 1 to delete, 212 in sync.",
        ),
        (
            samples.applied_in_part(Verdict.REFUSED),
            "Applied in part: 5 writes done. Refused: 2 guards, 2 writes held back (1 to update, 1 to delete, 212 in sync).",
        ),
    ],
)
def test_the_headline_says_how_it_ended(given: Report, sentence: str) -> None:
    """One sentence, with the numbers that matter."""
    assert words.headline(given) == sentence


def test_a_guard_says_when_and_how_it_goes_on() -> None:
    """By itself, by a name, by both, or once its cause is gone."""
    later = AT + timedelta(hours=2, minutes=5)
    assert words.goes_on(Guard("g", "m", until=later), AT) == "with the first run after 2026-11-23 05:17:44Z (in 2 h 5 min)"
    assert (
        words.goes_on(Guard("g", "m", "x:y", AT), AT)
        == "with the first run after 2026-11-23 03:12:44Z (any moment now), or with --allow x:y"
    )
    assert words.goes_on(Guard("g", "m"), AT) == "once its cause is gone"


def test_a_split_is_told_by_platform() -> None:
    """Shares in per cent, endpoints in brackets; no endpoint and no service are not the same."""
    assert words.split(split([9, 9], 2)) == "vm 90.0 % (2), pod 10.0 % (2)"
    assert words.split(split([])) == "no healthy endpoint"
    assert words.split(None) == "no such service"


def test_traffic_that_stays_is_told_from_traffic_that_moves() -> None:
    """By address: a swap between two VMs moves traffic, though the platform's share stays; another name moves nothing."""
    assert not words.Traffic("s:80", split([1, 1]), split([5, 5])).moves
    one = split([1])
    renamed = replace(one, endpoints=(replace(one.endpoints[0], name="other"),))
    assert not words.Traffic("s:80", one, renamed).moves
    assert words.Traffic("s:80", split([1, 1]), split([1, 2])).moves
    assert words.Traffic("s:80", None, split([1])).moves
    assert words.Traffic("s:80", None, split([])).moves


def test_what_it_was_about_names_the_commit_in_force_only_if_it_is_another() -> None:
    """And a signature that is not good."""
    told = dict(words.about(samples.invalid()))
    assert told["in force"] == "9999999999 Raise the weights of billing"
    assert "in force" not in dict(words.about(migration()))
    unsigned = replace(samples.COMMIT, signature=Signature.MISSING)
    assert dict(words.about(report("diff", Verdict.IN_SYNC, revision=unsigned)))["commit"].endswith(
        "(Jo Doe, signature missing)"
    )


def test_problems_by_weight() -> None:
    """Errors first, in their order."""
    assert [one.code for one in words.by_weight(samples.PROBLEMS[::-1])] == ["MR1005", "MR2021", "MR2422", "MR3002"]


def test_a_problem_is_placed_at_its_object_where_there_is_no_file() -> None:
    """As problems of live objects are."""
    assert words.place(Problem("MR5104", "m", object="ServiceEntry shop/a")) == "ServiceEntry shop/a"
    assert words.subject(Problem("c", "m", field="spec.x", object="ServiceEntry shop/a"), "ServiceEntry shop/a") == "spec.x"
