"""The report as lines of a service's log: how it ended, what was written, what is wrong, what waits and for whom.

What holds on is said once: a log in which each pass repeats forty warnings hides the one that is new.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.core.report import Report, Written
from reconciler.core.resources import Key
from reconciler.errors import Problem, Severity
from reconciler.reports import layout, rollouts, safe, words
from reconciler.reports.advice import advice

#: Lines of one sort in one pass; the history has all of it.
MOST = 50
_LEVELS = {Severity.ERROR: logging.ERROR, Severity.WARNING: logging.WARNING, Severity.INFO: logging.INFO}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log. `lasts` tells what holds on from what happened just now."""

    level: int
    text: str
    lasts: bool = True


@dataclass(slots=True)
class Log:
    """Knows what it said last. `options` are those that named the target, for the commands that reports propose."""

    options: Sequence[str] = ()
    _said: frozenset[str] = field(default=frozenset(), init=False)
    _rolled: dict[str, str] = field(default_factory=dict, init=False)

    def news(self, report: Report) -> list[Line]:
        """Return the lines of a report that the one before it had not."""
        found = list(lines(report, self.options))
        said, self._said = self._said, frozenset(line.text for line in found if line.lasts)
        return [*(line for line in found if not line.lasts or line.text not in said), *self._moved(report)]

    def _moved(self, report: Report) -> Iterator[Line]:
        for one in rollouts.news(report, self._rolled):
            yield Line(logging.WARNING if one.urgent else logging.INFO, f"rollout {one}", lasts=False)


def lines(report: Report, options: Sequence[str] = ()) -> Iterator[Line]:
    """Yield everything that a report has to say to a log."""
    commit = report.revision.short if report.revision else "no commit"
    yield Line(logging.INFO, f"{commit}: {words.headline(report)}", lasts=not report.results)
    yield from (Line(logging.INFO, safe.clean(note)) for note in report.notes)
    yield from _bounded(Line(_LEVELS[one.severity], safe.clean(str(one))) for one in words.by_weight(_problems(report)))
    yield from _bounded(_done(report))
    yield from _bounded(_not_done(report))
    for guard in report.guards:
        yield Line(logging.WARNING, f"waits: {safe.clean(guard.message)}; goes on {words.goes_on(guard)}")
    yield from (Line(logging.WARNING, f"next: {one.command}  # {one.effect}") for one in advice(report, options))


def _problems(report: Report) -> list[Problem]:
    objects = [problem for one in report.differences for problem in one.problems]
    units = [problem for unit in (report.plan.units if report.plan else ()) for problem in unit.problems]
    return [*report.problems, *objects, *units]


def _done(report: Report) -> Iterator[Line]:
    """Writes of one sort are one line."""
    alike: dict[tuple[str, str, str, str], list[Key]] = {}
    for one in report.results:
        if one.written is Written.DONE:
            alike.setdefault((one.action, one.cause, one.key.kind, one.key.namespace), []).append(one.key)
    for (action, cause, _, _), keys in alike.items():
        yield Line(logging.INFO, f"done: {action} {layout.names(keys)} (for {cause})", lasts=False)


def _not_done(report: Report) -> Iterator[Line]:
    waiting: dict[str, int] = {}
    for one in report.results:
        if one.written is Written.NOT_STARTED:
            waiting[one.message] = waiting.get(one.message, 0) + 1
        elif one.written is not Written.DONE:
            text = safe.clean(f"{one.written}: {one.action} {one.key}: {one.message}")
            yield Line(logging.ERROR, text, lasts=False)
    for reason, count in waiting.items():
        yield Line(logging.WARNING, safe.clean(f"not started: {words.counted(count, 'write')}: {reason}"), lasts=False)


def _bounded(found: Iterable[Line]) -> Iterator[Line]:
    listed = list(found)
    yield from listed[:MOST]
    if len(listed) > MOST:
        yield Line(logging.WARNING, f"… and {len(listed) - MOST} more: `reconciler history -o json` has them all")
