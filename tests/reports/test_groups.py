"""What comes from groups of VMs is told apart from Git's in every form of the report."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.core.changes import Origin
from reconciler.core.report import Report, Verdict
from reconciler.cycle.status import Status
from reconciler.ports import CycleRecord
from reconciler.reports import as_json, html, markdown
from tests.reports import samples
from tests.reports.drawing import drawn

ORIGIN = "from group web, VMs that joined"


def test_a_terminal_says_where_an_object_comes_from() -> None:
    """Those of one group on one line, Git's with its place in Git on another; then who joined, and where he stands."""
    text = drawn(samples.grouped(), 160)
    assert f"+ create WorkloadEntry shop/web-10-0-0-7, web-10-0-0-8  join  {ORIGIN}" in text
    assert f"+ create WorkloadEntry shop/billing-vm-1  join  {samples.FILE}:4" in text
    assert "shop/web-10-0-0-7 from group web, joined at 2026-11-23T03:10:00Z, in" in text
    assert "shop/web-10-0-0-9 from group web, joined at 2026-11-23T03:10:00Z, waiting: waiting for VM" in text


@pytest.mark.parametrize("form", [markdown.text, html.text])
def test_pages_do_so_too(form: Callable[[Report], str]) -> None:
    """A table of those who joined, and at each object where it comes from."""
    text = form(samples.grouped())
    assert ORIGIN in text
    assert "From groups, not in Git" in text


def test_programs_get_it_in_fields() -> None:
    """Null for what is Git's."""
    document = as_json.document(samples.grouped())
    origin = {"group": "web", "vm": "web-10-0-0-7", "joined": "2026-11-23T03:10:00Z"}
    assert [one["origin"] for one in document["differences"]][::2] == [origin, None]
    assert [(one["name"], one["standing"]) for one in document["members"]][1:] == [
        ("web-10-0-0-8", "in"),
        ("web-10-0-0-9", "waiting"),
    ]


def test_one_alone_is_told_in_full() -> None:
    """With the moment of its join."""
    assert str(Origin("web", "vm", "2026-11-23T03:10:00Z")) == "from group web, VM vm joined at 2026-11-23T03:10:00Z"


def test_the_status_tells_them_too() -> None:
    """As the last run has seen them, those that are in last, and not thousands of them."""
    report = samples.grouped()
    report = replace(report, members=(report.members[0],) * 60 + report.members[1:])
    last = CycleRecord(1, samples.AT, "", "", Verdict.CHANGES, 0, as_json.document(report))
    status = Status("production", "s", None, None, "nobody ever", 0, 0, {}, last)
    told = [text for name, text in status.rows() if name == "from a group"]
    assert told[0].startswith("shop/web-10-0-0-9 of group web, joined at 2026-11-23T03:10:00Z, waiting: waiting for VM")
    assert told[1] == "shop/web-10-0-0-7 of group web, joined at 2026-11-23T03:10:00Z, in"
    assert (len(told), told[-1]) == (51, "and 12 VMs more")
