"""What reports say of rollouts, in every form."""

import json
import logging
from dataclasses import replace

import pytest

from reconciler.core.report import Report, Verdict
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.core.rollouts.values import ArmFigures
from reconciler.reports import as_json, html, markdown, rollouts
from reconciler.reports.logged import Log
from tests.reports import extremes, samples
from tests.reports.drawing import drawn
from tests.reports.samples import outlook

NARROW = """\
rollout  shop/billing  soaking, step 2 of 3  commit 1a2b3c4d5e
  ━━━━━━━━━━━━             50 %
  ✓  1    5.0 %  traffic: 1 ServiceEntry, 3 WorkloadEntry
                 predicted vm 95.0 % (2), pod 5.0 % (2)
                 needs     1 (2 ready, HPA 2-10)
                 then      15 min, endpoints, success
  →  2   50.0 %  traffic: 1 ServiceEntry, 3 WorkloadEntry
                 predicted vm 50.0 % (2), pod 50.0 % (2)
                 needs     4 (2 ready, HPA 2-10)
                 then      15 min, endpoints, success, office
     3  100.0 %  traffic: 1 ServiceEntry, 3 WorkloadEntry
                 predicted pod 100.0 % (2)
                 needs     7 (2 ready, HPA 2-10)
                 then      15 min, endpoints
  held     update WorkloadEntry shop/billing-vm-1
           spec.weight  Git 5, now 37  cluster 37
  held     delete WorkloadEntry shop/billing-vm-3
  before   vm 100.0 % (2)
  because  step 2 is in force
  waits    6 min more of 15 min
  waits    success: 340 more requests
  share    shop/billing: planned vm 50.0 %, pod 50.0 %; written vm 52.0 %, pod
           48.0 %; observed vm 77.8 %, pod 22.2 %, by the endpoints that are
           ready
  alone    with the reconciler stopped and hpa/billing of shop/billing at its
           maximum of 10 Pods: step 2 83.3 % instead of 50.0 %; strategy subsets
           keeps shares however many run
  arms     shop/billing: gates tell canary (billing) from stable (billing-vm-1,
           billing-vm-2) by workload
  note     an undo would wait: 1 ready Pod would get all of it
"""


def stripped(text: str) -> str:
    """Return text without blanks at the ends of its lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def only(phase: Phase, **rest: object) -> Report:
    """Return a report of one rollout."""
    return samples.report("serve", Verdict.CHANGES, plan=samples.plan(), rollouts=(outlook(phase, **rest),))


def test_a_narrow_terminal_has_the_steps_below_one_another() -> None:
    """At 80 columns nothing is broken in the middle."""
    assert NARROW in stripped(drawn(samples.rolling(), 80))


def test_a_wide_terminal_has_them_in_a_table() -> None:
    """The steps that have passed and the current one are marked."""
    found = stripped(drawn(samples.rolling(), 160))
    assert "  ✓  1     5.0 %     traffic: 1 ServiceEntry, 3 WorkloadEntry  vm 95.0 % (2), pod 5.0 % (2)" in found
    assert "  →  2     50.0 %    traffic: 1 ServiceEntry, 3 WorkloadEntry  vm 50.0 % (2), pod 50.0 % (2)" in found


@pytest.mark.case("D-10")
def test_many_units_and_steps_are_cut_and_counted() -> None:
    """Around the current step; the others are there in few words, or as a number."""
    found = drawn(extremes.many_steps(units=40, steps=60), 120)
    assert len(found.splitlines()) < 250
    assert found.count("soaking, step 31 of 60") == 25
    assert "… and 52 more steps; the JSON report has them all" in found
    assert "… and 15 rollouts more: -o html has them all" in found


def test_those_that_want_a_person_are_never_cut() -> None:
    """They stand last, whatever their number."""
    many = extremes.many_steps(units=40)
    halted = outlook(Phase.HALTED, id="bad", unit="shop/zoo", reason="the way back failed", back=True)
    found = drawn(replace(many, rollouts=(halted, *many.rollouts)), 100)
    assert "shop/zoo  halted on the way back, step 2 of 3" in found
    assert found.index("shop/zoo") > found.index("rollouts more")


def test_whether_gates_can_tell_the_arms_apart_is_in_every_form() -> None:
    """By which workloads they do, few of them named, or why they cannot; in a plan too."""
    apart = ArmFigures("shop/billing", ("vm3",), ("a", "b", "c", "d"))
    alike = ArmFigures("shop/orders", ("orders",), ("orders",), "both sides are the workload orders")
    figures = replace(samples.FIGURES, shares=(), left_alone=(), arms=(apart, alike))
    told = (
        "shop/billing: gates tell canary (vm3) from stable (a, b, c and 1 more) by workload",
        "shop/orders: gates cannot tell canary from stable: both sides are the workload orders",
    )
    for foreseen in (True, False):
        report = only(Phase.SOAKING, figures=figures, foreseen=foreseen)
        assert rollouts.figures(report.rollouts[0]) == tuple(("arms", text) for text in told)
        for text in (markdown.text(report), html.text(report)):
            assert all(one in text for one in told)
    (found,) = as_json.document(report)["rollouts"]
    assert [(one["service"], one["apart"], one["stable"][-1]) for one in found["figures"]["arms"]] == [
        ("shop/billing", True, "d"),
        ("shop/orders", False, "orders"),
    ]


@pytest.mark.parametrize(
    ("phase", "rest", "title", "gone"),
    [
        (Phase.SOAKING, {}, "soaking, step 2 of 3", "50 %"),
        (Phase.WATCHING, {}, "watching", "50 %"),
        (Phase.PAUSED, {}, "paused, step 2 of 3", "50 %"),
        (Phase.PAUSED, {"back": True}, "paused on the way back, step 2 of 3", "50 % of the way back"),
        (Phase.UNDOING, {"back": True}, "undoing, step 2 of 3", "50 % of the way back"),
        (Phase.IDLE, {"outcome": Outcome.UNDONE}, "undone", ""),
    ],
)
def test_where_a_rollout_is(phase: Phase, rest: dict[str, object], title: str, gone: str) -> None:
    """In a few words, with how far it has come."""
    one = outlook(phase, **rest)
    assert (rollouts.title(one), rollouts.gone(one)) == (title, gone)


def test_markdown_has_a_table_of_rollouts_and_their_steps_in_folds() -> None:
    """A reviewer sees at once where each one is."""
    found = markdown.text(samples.rolling())
    above = found[: found.index("<details>")]
    row = "| soaking, step 2 of 3 | 50 % | step 2 is in force; 6 min more of 15 min; success: 340 more requests |"
    assert row in above
    assert "<details><summary><code>shop/cart</code> <code>steps, commit 1a2b3c4d5e, attempt 2</code></summary>" in found
    assert "| → | 2 | 50.0 % | traffic: 1 ServiceEntry, 3 WorkloadEntry | vm 50.0 % (2), pod 50.0 % (2) |" in found


def test_the_page_has_a_bar_for_each_rollout() -> None:
    """One that wants a person in another colour, one that has ended without."""
    found = html.text(samples.rolling())
    assert found.count('<i class="gone" style="width:50.000%">') == 1
    assert found.count('<i class="stopped" style="width:50.000%">') == 2
    assert '<tr class="current"><td>→</td><td>2</td><td>50.0 %</td>' in found


def test_what_is_held_back_is_shown_in_every_form() -> None:
    """Git's value beside the one that is wanted now."""
    assert "| update | `WorkloadEntry shop/billing-vm-1` | `spec.weight` | `5, now 37` |" in markdown.text(samples.rolling())
    assert '<td class="value">5, now 37</td>' in html.text(samples.rolling())
    (update, delete) = as_json.document(samples.rolling())["rollouts"][1]["held"]
    assert (update["fields"][0]["git"], update["fields"][0]["wanted"], delete["state"]) == (5, 37, "delete")


def test_what_is_known_of_shares_is_in_every_form() -> None:
    """Planned, written and observed beside each other, the Pods that a step needs beside the HPA's bounds."""
    for text in (markdown.text(samples.rolling()), html.text(samples.rolling())):
        assert "planned vm 50.0 %, pod 50.0 %; written vm 52.0 %, pod 48.0 %; observed vm 77.8 %, pod 22.2 %" in text
        assert "at its maximum of 10 Pods: step 2 83.3 % instead of 50.0 %" in text
        assert "7 (2 ready, HPA 2-10)" in text
    found = as_json.document(samples.rolling())["rollouts"][1]
    assert found["figures"]["shares"] == [{"service": "shop/billing", "planned": 0.5, "written": 0.52, "observed": 0.777778}]
    assert [(one["step"], one["exposure"]) for one in found["figures"]["leftAlone"]] == [(2, 0.833333), (3, 1.0)]
    assert [one["needs"][0]["pods"] for one in found["steps"]] == [1, 4, 7]


def test_a_share_that_proxies_may_not_have_is_not_observed() -> None:
    """Nor is one where there is no endpoint left."""
    unknown = replace(
        samples.FIGURES, shares=(replace(samples.FIGURES.shares[0], written=None, observed=None),), left_alone=(), arms=()
    )
    assert rollouts.figures(outlook(Phase.APPLYING, figures=unknown)) == (
        ("share", "shop/billing: planned vm 50.0 %, pod 50.0 %; written no endpoint; not yet in force at the proxies"),
    )


@pytest.mark.parametrize(
    ("phase", "rest", "title", "gone"),
    [
        (Phase.APPLYING, {}, "would begin step 2 of 3", "5 %"),
        (Phase.SOAKING, {}, "would be soaking, step 2 of 3", "50 %"),
        (Phase.PAUSED, {}, "would be paused, step 2 of 3", "50 %"),
        (Phase.UNDOING, {"back": True}, "would be undoing, step 2 of 3", "50 % of the way back"),
    ],
)
def test_what_a_plan_foresees_has_not_happened(phase: Phase, rest: dict[str, object], title: str, gone: str) -> None:
    """It says what would be; the step that would begin counts for nothing yet."""
    one = outlook(phase, foreseen=True, **rest)
    assert (rollouts.title(one), rollouts.gone(one)) == (title, gone)


def test_json_has_all_steps() -> None:
    """Also those that people are spared."""
    found = as_json.document(extremes.many_steps(units=1, steps=60))["rollouts"]
    assert len(found[0]["steps"]) == 60
    assert json.loads(as_json.text(samples.rolling()))["rollouts"][1]["waits"] == [
        "6 min more of 15 min",
        "success: 340 more requests",
    ]


def test_each_move_of_a_rollout_is_news_once() -> None:
    """What it waits for changes by the second and is none; what stops is a warning."""
    log = Log()

    def heard(report: Report) -> list[tuple[int, str]]:
        return [(one.level, one.text) for one in log.news(report) if one.text.startswith("rollout ")]

    assert heard(only(Phase.SOAKING)) == [(logging.INFO, "rollout shop/billing: soaking, step 2 of 3, 50 %")]
    assert heard(only(Phase.SOAKING, waits=("4 s more of 15 min",))) == []
    assert heard(only(Phase.PAUSED, reason="harm")) == [
        (logging.WARNING, "rollout shop/billing: paused, step 2 of 3, 50 %: harm")
    ]
    assert heard(only(Phase.PAUSED, reason="harm")) == []
    assert heard(replace(only(Phase.WATCHING), plan=None, rollouts=())) == [], "a run that saw nothing knows nothing"
    assert heard(replace(only(Phase.WATCHING), rollouts=())) == [(logging.INFO, "rollout shop/billing: through")]


def test_that_a_person_is_asked_is_news() -> None:
    """Whoever watches an apply sees why it stays where it is; it is told once."""
    told: dict[str, str] = {}
    asks = only(Phase.SOAKING, asked="a person must approve what comes next (plan 3f2a61c09b7e)")
    found = list(rollouts.news(asks, told))
    assert [(one.text, one.urgent) for one in found] == [
        ("shop/billing: soaking, step 2 of 3, 50 %; a person must approve what comes next (plan 3f2a61c09b7e)", True)
    ]
    assert list(rollouts.news(asks, told)) == []


def test_one_that_another_took_over_from_is_not_through() -> None:
    """The next commit goes on from where traffic is."""
    told: dict[str, str] = {}
    list(rollouts.news(only(Phase.SOAKING), told))
    found = [str(one) for one in rollouts.news(only(Phase.APPLYING, id="r-9"), told)]
    assert found == ["shop/billing: applying, step 2 of 3, 50 %", "shop/billing: another one took over"]
