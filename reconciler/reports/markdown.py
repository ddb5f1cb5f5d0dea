"""The report as Markdown for a pull request: how it ended, what waits, where traffic goes, and, folded, what differs.

Nothing that others wrote becomes markup: values stand in code, other texts are escaped, and neither mentions, references nor
links come of them (a comment that pings a thousand people is an attack too).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from reconciler.core.report import Report, Written
from reconciler.core.rollouts.outlook import Outlook
from reconciler.reports import layout, rollouts, safe, words
from reconciler.reports.advice import advice

#: A comment on GitHub holds 65,536 characters. What is longer is cut between rows, and says so.
LONGEST = 60_000
#: Kept free for what closes a table or a fold.
_RESERVE = 1_000

#: What begins a mention or a reference (users, issues, merge requests, labels, milestones, snippets, epics), then Markdown's
#: own characters, then what begins a link by itself.
_SPECIAL = re.compile(r"[@#!~%$&](?=\w)|[\\`*_\[\]<>|~$&]|://|\bwww\.", re.IGNORECASE)
#: In a code span of a table these would end the span or the cell.
_NOT_IN_SPAN = re.compile(r"[`|\\]|^ | $")
_PUNCTUATION = re.compile(r"[!-+./:<-@\[-`{-~]")


def text(report: Report) -> str:
    """Return the report as GitHub-flavoured Markdown, which GitLab reads alike."""
    page = Page()
    page.add(f"### mesh-reconciler: {prose(words.headline(report))}", "")
    for name, told in words.about(report):
        page.add(f"- {name}: {prose(told)}")
    page.add("")
    _next(page, report)
    _problems(page, report)
    page.table("Written on the way", ("write",), ([prose(told)] for told in layout.earlier(report)))
    _unfinished(page, report)
    _waiting(page, report)
    _rollouts(page, report)
    _traffic(page, report)
    _members(page, report)
    _units(page, report)
    return "\n".join(page.lines)


def prose(raw: str) -> str:
    """Return text that Markdown shows as it is."""
    return _SPECIAL.sub(lambda found: _inert(found.group(), found.string[found.end() : found.end() + 1]), safe.clean(raw))


def _inert(special: str, following: str) -> str:
    if len(special) > 1:
        return special.replace(":", "&#58;").replace(".", "&#46;")
    if special in "@#!~%$&" and (following.isalnum() or following == "_"):
        return f"`{special}`"
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(special, f"\\{special}")


def code(raw: str) -> str:
    """Return text as code, also in a table."""
    cleaned = safe.clean(raw)
    if not cleaned:
        return ""
    if not _NOT_IN_SPAN.search(cleaned):
        return f"`{cleaned}`"
    return f"<code>{_PUNCTUATION.sub(lambda found: f'&#{ord(found.group())};', cleaned)}</code>"


@dataclass(slots=True)
class Page:
    """Lines, as long as there is room."""

    lines: list[str] = field(default_factory=list)
    room: int = LONGEST - _RESERVE

    def add(self, *lines: str) -> bool:
        """Add these lines if all of them fit."""
        size = sum(len(line) + 1 for line in lines)
        if size > self.room:
            return False
        self.room -= size
        self.lines += lines
        return True

    def close(self, *lines: str) -> None:
        """Add lines that end something; room was kept for them."""
        self.lines += lines

    def table(self, title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a table of cells that are Markdown already, as many rows as fit; nothing where there is no row."""
        all_rows = [f"| {' | '.join(row)} |" for row in rows]
        if not all_rows or not self.add(
            *([f"**{title}**", ""] if title else []), f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"
        ):
            return
        for number, row in enumerate(all_rows):
            if not self.add(row):
                self.close("", f"… and {words.counted(len(all_rows) - number, 'row')} more; the JSON report has them all.")
                break
        self.close("")


def _next(page: Page, report: Report) -> None:
    lines = [part for one in advice(report) for part in (f"# {one.effect}", one.command)]
    # A fence is longer than any that a text inside could close.
    fence = "`" * max(3, *(len(run) + 1 for line in lines for run in re.findall("`+", line)), 3)
    if lines:
        page.add("Next, with the options of the target:", "", f"{fence}sh", *lines, fence, "")


def _problems(page: Page, report: Report) -> None:
    rows = (
        (prose(one.severity), code(words.place(one)), code(one.field), prose(one.message), code(one.code))
        for one in words.by_weight(report.problems)
    )
    page.table("Problems", ("", "where", "field", "what to do", "code"), rows)


def _unfinished(page: Page, report: Report) -> None:
    rows = (
        (prose(one.written), f"{one.action} {code(str(one.key))}", prose(one.message))
        for one in report.results
        if one.written is not Written.DONE
    )
    page.table("Not done", ("outcome", "write", "why"), rows)


def _waiting(page: Page, report: Report) -> None:
    rows = (
        (code(unit.name), prose(guard.message), prose(words.goes_on(guard, report.ended)))
        for unit in (report.plan.units if report.plan else ())
        for guard in unit.guards
    )
    page.table("Waiting", ("unit", "why", "goes on"), rows)


def _rollouts(page: Page, report: Report) -> None:
    """What is under way as one table, each rollout's steps in a fold of its own further down."""
    rows = (
        (code(one.unit), prose(rollouts.title(one)), rollouts.gone(one), prose("; ".join(_why(one)))) for one in report.rollouts
    )
    page.table("Rollouts", ("unit", "state", "way gone", "why, and what it waits for"), rows)
    for number, one in enumerate(report.rollouts):
        title = f"<code>{escape(safe.clean(one.unit))}</code> <code>steps, {escape(rollouts.about(one))}</code>"
        if not page.add(f"<details><summary>{title}</summary>", ""):
            page.close(f"… and the steps of {len(report.rollouts) - number} more; the JSON report has them all.", "")
            return
        page.table("", ("", *rollouts.HEADS), _steps(one))
        page.table("Held back", ("", "object", "field", *words.COLUMNS), _held(one))
        told = (_before(one), rollouts.left_out(one), *(text for _, text in rollouts.figures(one)), *rollouts.notes(one))
        lines = [f"- {prose(text)}" for text in filter(None, told)]
        page.add(*lines, *([""] if lines else []))
        page.close("</details>", "")


def _why(one: Outlook) -> Iterator[str]:
    yield from filter(None, (one.reason, *rollouts.waits(one)))


def _before(one: Outlook) -> str:
    return f"traffic before the first step: {told}" if (told := rollouts.before(one)) else ""


def _steps(one: Outlook) -> Iterator[list[str]]:
    for row in rollouts.rows(one)[rollouts.window(one)]:
        yield [rollouts.MARKS[row.standing].strip(), *map(prose, row.cells)]


def _held(one: Outlook) -> Iterator[list[str]]:
    for group in layout.alike(one.held):
        rows = [[code(row.path), *map(code, layout.cells(row))] for row in group.rows[: layout.ROWS]]
        for row in rows or [[""] * 5]:
            yield [prose(group.state), code(group.name), *row]


def _traffic(page: Page, report: Report) -> None:
    if report.plan is None or report.command == "diff":
        return
    ports = [port for unit in report.plan.units for port in words.traffic(unit) if port.moves]
    rows = ((code(port.service), prose(words.split(port.before)), prose(words.after(port))) for port in ports)
    page.table("Predicted traffic (endpoints)", ("service", "before", "after"), rows)
    notes = [f"- {prose(note)}" for note in words.caveats(report.plan.units)]
    if notes:
        page.add(*notes, "")


def _members(page: Page, report: Report) -> None:
    rows = (
        (code(f"{one.key.namespace}/{one.key.name}"), code(one.group), prose(one.at), prose(one.standing), prose(one.why))
        for one in report.members
    )
    page.table("From groups, not in Git", ("VM", "group", "joined", "stands", "why"), rows)


def _units(page: Page, report: Report) -> None:
    units = layout.units(report)
    for number, unit in enumerate(units):
        told = "; ".join(filter(None, (unit.counts, unit.remarks)))
        # Inside HTML nothing but code keeps a name from being a mention.
        title = f"<code>{escape(unit.title)}</code> <code>{escape(told)}</code>"
        if not page.add(f"<details><summary>{title}</summary>", ""):
            page.close(f"… and {words.counted(len(units) - number, 'unit')} more; the JSON report has them all.", "")
            return
        _objects(page, unit)
        if report.command != "diff":
            _order(page, unit)
        page.close("</details>", "")


def _objects(page: Page, unit: layout.Unit) -> None:
    """What is made or deleted as a list, what changes as one table without the columns that nothing stands in."""
    whole = [f"- {_state(group)} {code(group.name)}{_origin(group)}" for group in unit.groups if not group.rows]
    page.add(*whole, *([""] if whole else []))
    rows = [row for group in unit.groups if group.rows for row in _rows(group)]
    used = [at for at in range(len(_HEADS)) if at < 3 or any(row[at] not in ("", "`-`") for row in rows)]
    page.table("", [_HEADS[at] for at in used], ([row[at] for at in used] for row in rows))
    problems = [(group.first.key, problem) for group in unit.groups for problem in group.first.problems]
    for key, problem in problems:
        page.add(f"- {code(str(key))} {prose(problem.message)}")
    if problems:
        page.close("")


_HEADS = ("", "object", "field", *words.COLUMNS, "owned by")


def _state(group: layout.Alike) -> str:
    told = ", ".join(filter(None, (group.state, group.cause, group.outcome)))
    return f"{code(words.SYMBOLS[group.state])}&nbsp;{told}"


def _origin(group: layout.Alike) -> str:
    return f" {prose(group.origin)}" if group.origin else ""


def _rows(group: layout.Alike) -> Iterator[list[str]]:
    first = [_state(group), f"{code(group.name)}{_origin(group)}"]
    for row in group.rows[: layout.ROWS]:
        yield [*first, code(row.path), *map(code, layout.cells(row)), code(", ".join(row.managers))]
        first = ["", ""]
    if len(group.rows) > layout.ROWS:
        yield [*first, f"… and {len(group.rows) - layout.ROWS} more", *[""] * (len(_HEADS) - 3)]


def _order(page: Page, unit: layout.Unit) -> None:
    """Numbers by hand: writes of one wave share theirs."""
    writes = unit.writes
    if writes and writes[-1].wave > 1:
        page.add("Order:", "", *(f"- {write.wave}: {write.action} {code(write.name)}" for write in writes), "")
    if unit.held:
        page.add("Held:", "", *(f"- {write.action} {code(write.name)}" for write in unit.held), "")
