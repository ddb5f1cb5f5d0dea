"""Drive rollouts to their end in the foreground: look again as things change or are due, until none goes on by itself."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Event

from reconciler.core.report import Report, Verdict
from reconciler.cycle.run import Cycle
from reconciler.cycle.target import Progress, Request
from reconciler.errors import Rejected, Unavailable

#: Seconds between two looks at least, and at most: a stopped run is noticed within the latter.
_SOONEST, _LATEST = 0.2, 1.0

_ENDED = (Verdict.FAILED, Verdict.UNAVAILABLE, Verdict.INVALID)


def drive(cycle: Cycle, first: Report, request: Request, progress: Progress, tell: Callable[[Report], None]) -> Report:
    """Go on from a first report; returns the last one, with the writes of all. `tell` hears every report in between.

    Ends when no rollout goes on without a person, when the run is stopped, or when something is out of reach: what is stored
    goes on with the next run. Raises Unavailable.
    """
    report, results = first, first.results
    nudged = Event()
    cycle.subscribe(nudged.set)
    tell(report)
    while _goes_on(report) and not cycle.authority.stopped:
        nudged.wait(max(cycle.due_in(_LATEST), _SOONEST))
        nudged.clear()
        with suppress(Rejected, Unavailable):
            cycle.authority.fence()  # a step may be held for hours; if the lease is lost, the next run says so
        if cycle.nothing_new():
            continue
        report = cycle.run("apply", write=True, request=_still(request, report), progress=progress)
        results += report.results
        tell(report)
    verdict = Verdict.APPLIED if results and report.verdict is Verdict.IN_SYNC else report.verdict
    return replace(report, results=results, verdict=verdict)


def _goes_on(report: Report) -> bool:
    """Tell whether any rollout moves that no guard holds until a person says its name."""
    units = report.plan.units if report.plan else ()
    held = {unit.name for unit in units if any(guard.until is None for guard in unit.guards)}
    return (
        not report.reason
        and report.verdict not in _ENDED
        and any(one.moves and one.unit not in held for one in report.rollouts)
    )


def _still(request: Request, report: Report) -> Request:
    """Return what still counts of what a person said: overrides are for one plan, and that may be another one by now."""
    same = not request.digest or (report.plan is not None and report.plan.digest == request.digest)
    return replace(request, digest="", allow=request.allow if same else frozenset())
