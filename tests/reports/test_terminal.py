"""The report on a terminal and in a pipeline's log."""

import re
from dataclasses import replace

import pytest

from reconciler.core.report import Report
from reconciler.reports import html as as_html
from reconciler.reports import markdown as as_markdown
from reconciler.reports import terminal
from tests.reports import extremes, samples
from tests.reports.drawing import drawn, filed

#: Colours and nothing else: ``ESC [ numbers m``.
COLOUR = re.compile("\x1b\\[[0-9;]*m")
SAMPLES = [pytest.param(report, id=name) for name, report in extremes.everything()]

DRIFT = """\
commit    1a2b3c4d5e Let Pods join billing (Jo Doe)
target    production, enforce, 2026-11-23 03:12:44Z, 1.8 s

shop/billing
  ~ update WorkloadEntry shop/billing-vm-1  drift
      production/shop/billing/service-entry.yaml:3:1
                           Git  last written  cluster  owned by
      spec.weight          9    9             90       kubectl-edit
      spec.labels.version  v2   v2            v1       kubectl-edit

Changes are due: 1 to update, 213 in sync.

# shows the writes in order, and where traffic goes
reconciler plan --path production
"""

MIGRATION = """\
shop/billing (after base)
  ~ update WorkloadEntry shop/billing-vm-1, billing-vm-2  production/shop/billing/workload-entries.yaml:3:1
      spec.weight  Git 9  last written 1  cluster 1
  ~ update ServiceEntry shop/billing  production/shop/billing/service-entry.yaml:1:1
                                           Git      last written                 cluster                      owned by
      spec.endpoints                       -        [{"address": "10.20.1.31"}]  [{"address": "10.20.1.31"}]  -
      spec.workloadSelector.labels["app"]  billing  -                            -                            -
      spec.ports[name=http].targetPort     8080     8080                         80                           kubectl-edit
  + create WorkloadEntry shop/billing-vm-3  production/shop/billing/workload-entries.yaml:27:1
  + create VirtualMachine shop/billing-vm-3  production/shop/billing/workload-entries.yaml:27:1
  order  1 create VirtualMachine shop/billing-vm-3 (in the registry)
         2 create WorkloadEntry shop/billing-vm-3
         3 update WorkloadEntry shop/billing-vm-1, billing-vm-2
  held     update ServiceEntry shop/billing
  traffic  billing.shop.internal:80  vm 100.0 % (2) → vm 90.0 % (3), pod 10.0 % (3)
           note: approximate: the client side balances by LEAST_REQUEST
  waits    every client gets the new targetPort of port http at once; there is no gradual step.
           goes on with --allow wholesale:shop/billing
"""

FAILED = """\
failed create WorkloadEntry shop/billing-vm-3: admission webhook denied the request: label team is missing
unknown delete WorkloadEntry shop/ledger-vm-9: no answer within 30 s
2 writes not started: create of WorkloadEntry shop/billing-vm-3 was not carried out

Failed: 2 writes done, 4 not.
plan 3f9ac2d17be04c55
# goes on with what was not done (writes whose outcome is unknown are read back first)
reconciler apply
"""


def stripped(text: str) -> str:
    """Return text without blanks at the ends of its lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_drift_at_80_columns() -> None:
    """What a person sees at night: where, what, who; then how it ended and what to type."""
    assert stripped(drawn(samples.drift(), 80, options=("--path", "production"))) == DRIFT


def test_a_unit_with_everything_at_160_columns() -> None:
    """Changes, order, what is held, where traffic goes, what it waits for: in one place."""
    assert MIGRATION in stripped(drawn(samples.migration(), 160))


def test_a_failure_is_told_at_the_end() -> None:
    """The reasons stand next to the sentence that counts them."""
    assert stripped(drawn(samples.failed(), 160)).endswith(FAILED)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("report", SAMPLES)
def test_nothing_is_wider_than_the_terminal(report: Report, width: int) -> None:
    """Only commands are, since a broken line cannot be copied."""
    wide = [line for line in drawn(report, width).splitlines() if len(line) > width]
    assert all(line.startswith(("reconciler ", "# also lets ", "# lets ", "plan ")) for line in wide)


@pytest.mark.case("W-17", "D-11")
@pytest.mark.parametrize("report", SAMPLES)
def test_nothing_of_others_steers_the_terminal(report: Report) -> None:
    """Apart from our own colours every character is one that can be seen."""
    lines = COLOUR.sub("", drawn(report, 80, colours=True)).split("\n")
    assert all(line.isprintable() for line in lines)
    assert all(line.isprintable() for line in filed(report).split("\n"))


def test_markup_of_rich_in_texts_is_text() -> None:
    """``[bold red]`` is what somebody wrote, not a colour."""
    assert "[bold red]rich[/bold red]" in COLOUR.sub("", drawn(extremes.hostile(), 400, colours=True))


@pytest.mark.case("D-11")
def test_secrets_are_hidden() -> None:
    """Whatever the form."""
    assert "s3cr3t" not in drawn(extremes.hostile(), 400)


@pytest.mark.case("D-10")
@pytest.mark.parametrize(("name", "lines"), [("large", 200), ("huge", 120)])
def test_a_large_report_stays_readable(name: str, lines: int) -> None:
    """Hundreds of objects, a megabyte in one: a few screens, with counts of what is not shown."""
    text = drawn(dict(extremes.everything())[name], 100)
    assert len(text.splitlines()) < lines
    assert "… and" in text


def test_what_wants_a_person_is_never_left_out() -> None:
    """Guards of the last of many units are still shown, below the others."""
    large = extremes.large(60)
    assert large.plan
    *calm, last = large.plan.units
    guarded = replace(last, guards=(samples.WHOLESALE,))
    text = drawn(replace(large, plan=replace(large.plan, units=(guarded, *calm))), 100)
    assert text.index("more like these") < text.index("waits")


def test_problems_beyond_the_bound_are_counted_and_errors_are_kept() -> None:
    """An error is not lost among a thousand warnings."""
    error, _, warning, _ = samples.PROBLEMS
    text = drawn(samples.checked(problems=(*[warning] * 1_000, error)), 200)
    assert text.count("[MR2422]") == terminal.MAX_PROBLEMS - 1
    assert "[MR2021]" in text
    assert "… and 901 problems more" in text


def test_a_log_has_one_line_for_each_problem() -> None:
    """For grep, and for editors: file, line and column first, never broken."""
    lines = filed(samples.invalid()).splitlines()
    assert (
        "production/shop/billing/service-entry.yaml:12:15: error: ServiceEntry shop/billing spec.ports[0].number: "
        "is 70000: use 1 to 65535 [MR2021]"
    ) in lines


def test_errors_stand_last() -> None:
    """Next to the sentence that counts them, since that is what stays on the screen."""
    text = filed(samples.invalid())
    assert text.index("MR3002") < text.index("MR2422") < text.index("MR2021") < text.index("Invalid:")


def test_what_was_written_on_the_way_is_told() -> None:
    """A run that led rollouts to their end has nothing left to show but that."""
    text = stripped(drawn(replace(samples.applied(), differences=(), plan=None), 100))
    assert "\ndone     create ServiceAccount shop/billing\n         create VirtualMachine shop/billing-vm-3\n" in text
    for form in (as_markdown.text, as_html.text):
        assert "Written on the way" in form(replace(samples.applied(), differences=()))
        assert "Written on the way" not in form(samples.applied())
