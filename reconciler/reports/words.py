"""Sentences and cells that several renderers share, so that all of them say the same."""

import json
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reconciler.core.changes import ABSENT, FieldDiff, State
from reconciler.core.plan import Plan, Split, UnitPlan
from reconciler.core.report import Report, Verdict, Written

#: Longest value shown in a cell; the JSON report has it in full.
LONGEST = 160

#: Symbol and word of each state that is shown.
SYMBOLS = {
    State.CREATE: "+",
    State.UPDATE: "~",
    State.DELETE: "-",
    State.ADOPT: "@",
    State.NOT_ADOPTED: "?",
    State.FOREIGN_TOOL: "!",
    State.CO_OWNED: "!",
    State.FIGHT: "!",
    State.LEFT: "!",
    State.TERMINATING: "…",
    State.UNREADABLE: "?",
}

COLUMNS = ("git", "written", "cluster", "registry")


def clean(text: str) -> str:
    """Return text without control, format and bidirectional characters: nothing of Git's may steer a terminal or a page."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def value(data: Any) -> str:
    """Return one cell: ``-`` where the column has no such field, JSON otherwise, cut to `LONGEST`."""
    if data is ABSENT:
        return "-"
    text = clean(data if isinstance(data, str) and data else json.dumps(data, ensure_ascii=False, sort_keys=True))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def cells(field: FieldDiff) -> tuple[str, ...]:
    """Return the four columns of a field: Git, last written, cluster, registry."""
    return tuple(value(getattr(field, column)) for column in COLUMNS)


def moment(at: datetime | None) -> str:
    """Return a time in UTC to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%SZ") if at else "-"


def percent(share: Any) -> str:
    """Return a share (0 to 1) as a percentage with one digit."""
    return f"{float(share) * 100:.1f} %"


def split(one: Split | None) -> str:
    """Return a predicted split in a line: ``vm 75.0 % (3), pod 25.0 % (1)``."""
    if one is None:
        return "no such service"
    if not one.endpoints:
        return "no healthy endpoint"
    platforms = sorted({endpoint.platform for endpoint in one.endpoints}, reverse=True)
    return ", ".join(
        f"{platform} {percent(one.share(platform))} ({sum(endpoint.platform == platform for endpoint in one.endpoints)})"
        for platform in platforms
    )


def splits(unit: UnitPlan) -> Iterator[tuple[str, str, str]]:
    """Yield (service and port, before, after) of a unit's services."""
    before = {(one.service, one.port): one for one in unit.before}
    after = {(one.service, one.port): one for one in unit.after}
    for service, port in sorted(before.keys() | after.keys()):
        yield f"{service}:{port}", split(before.get((service, port))), split(after.get((service, port)))


def caveats(unit: UnitPlan) -> tuple[str, ...]:
    """Return what weakens the predictions of a unit, each once."""
    return tuple(dict.fromkeys(note for one in (*unit.before, *unit.after) for note in one.notes))


def tally(report: Report) -> str:
    """Return the counts in a line, Terraform's way."""
    changing = (State.CREATE, State.UPDATE, State.DELETE, State.ADOPT)
    parts = [f"{report.count(state)} to {state}" for state in changing]
    rest = [state for state in State if state not in (State.IN_SYNC, *changing)]
    others = [f"{count} {state}" for state in rest if (count := report.count(state))]
    return ", ".join([*parts, *others, f"{report.count(State.IN_SYNC)} in sync"])


def headline(report: Report) -> str:
    """Return the sentence that says how the run ended."""
    done = report.written(Written.DONE)
    match report.verdict:
        case Verdict.IN_SYNC:
            return f"In sync: cluster and registry hold what Git says ({report.objects} objects)."
        case Verdict.APPLIED:
            return f"Applied: {done} writes; cluster and registry hold what Git says."
        case Verdict.CHANGES:
            return f"Changes are due: {tally(report)}."
        case Verdict.REFUSED:
            return f"Refused by a guard: {tally(report)}."
        case Verdict.INVALID:
            return f"Invalid: {len(report.errors)} errors in Git; nothing was changed."
        case Verdict.UNAVAILABLE:
            return "Cannot observe: nothing was changed, and nothing is concluded from what could not be read."
        case Verdict.FAILED:
            return f"Failed: {done} writes done, {len(report.results) - done} not."


def waiting(plan: Plan | None) -> tuple[tuple[str, str, str], ...]:
    """Return (unit, what holds it, how to go on) of every guard."""
    if plan is None:
        return ()
    rows = []
    for unit in plan.units:
        for guard in unit.guards:
            how = f"--allow {guard.override}" if guard.override else "change it in Git"
            rows.append((unit.name, guard.message, f"by itself at {moment(guard.until)}" if guard.until else how))
    return tuple(rows)
