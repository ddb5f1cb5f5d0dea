"""The report as Markdown for a pull request: what changes, what holds it, where traffic goes, what is wrong."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.changes import ObjectDiff
from reconciler.core.report import Report
from reconciler.reports import words

#: A comment on GitHub holds 65,536 characters; longer reports are cut between objects and say so.
LONGEST = 60_000

_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]<>()#+!|~@"} | {"\n": " ", "\r": " "})


def text(report: Report) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    lines = [
        f"### mesh-reconciler: {escape(words.headline(report))}",
        "",
        *_about(report),
        *_problems(report),
        *_guards(report),
    ]
    lines += _traffic(report)
    size = sum(len(line) + 1 for line in lines)
    for number, difference in enumerate(report.differences):
        block = list(_object(difference))
        size += sum(len(line) + 1 for line in block)
        if size > LONGEST:
            lines += [f"… and {len(report.differences) - number} more objects; the JSON report has them all.", ""]
            break
        lines += block
    return "\n".join(lines)


def escape(raw: str) -> str:
    """Return text that Markdown shows as it is; mentions, links and HTML in it stay inert."""
    return words.clean(raw).translate(_SPECIAL)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, nothing where there is no row."""
    body = [f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows]
    if body:
        yield from (f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *body, "")


def _about(report: Report) -> Iterator[str]:
    if report.revision:
        yield f"Commit `{report.revision.short}` {escape(report.revision.subject)} by {escape(report.revision.author)}; "
        yield f"target `{report.target}`, mode {report.mode}." + (f" Plan `{report.plan.digest[:12]}`." if report.plan else "")
        yield ""
    yield from (f"> {escape(note)}" for note in report.notes)
    yield ""


def _problems(report: Report) -> Iterator[str]:
    yield from table(
        ("", "where", "field", "what to do", "code"),
        ((p.severity, str(p.place or p.object), p.field, p.message, p.code) for p in report.problems),
    )


def _guards(report: Report) -> Iterator[str]:
    rows = words.waiting(report.plan)
    if rows:
        yield "**Waiting**"
        yield ""
        yield from table(("unit", "why", "goes on"), rows)


def _traffic(report: Report) -> Iterator[str]:
    if report.plan is None:
        return
    rows = [row for unit in report.plan.units if unit.steps or unit.held for row in words.splits(unit)]
    if rows:
        yield "**Predicted traffic**"
        yield ""
        yield from table(("service", "before", "after"), rows)
        caveats = dict.fromkeys(note for unit in report.plan.units for note in words.caveats(unit))
        yield from (f"- {escape(note)}" for note in caveats)
        yield ""


def _object(difference: ObjectDiff) -> Iterator[str]:
    symbol = words.SYMBOLS[difference.state]
    place = f" ({difference.place})" if difference.place else ""
    yield f"<details><summary><code>{symbol}</code> {difference.state} <b>{difference.key}</b>{place}</summary>"
    yield ""
    yield from table(
        ("field", "Git", "last written", "cluster", "registry", "owned by"),
        ((field.path, *words.cells(field), ", ".join(field.managers)) for field in difference.fields),
    )
    yield from (f"- {escape(problem.message)}" for problem in difference.problems)
    yield "</details>"
    yield ""
