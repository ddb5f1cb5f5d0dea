"""The queries behind counts and durations, from Istio's standard metrics.

`istio_requests_total` and `istio_request_duration_milliseconds` carry the destination's workload: for a Pod the name of its
owner, for a VM that of its WorkloadEntry (as istiod tells callers) or of its WorkloadGroup (as its own proxy says). See
https://istio.io/latest/docs/reference/config/metrics/.
"""

from collections.abc import Iterable

from reconciler.core.gates.answers import Arm, Window
from reconciler.core.gates.promql import duration, pattern, quoted
from reconciler.core.gates.spec import Reporter

REQUESTS = "istio_requests_total"
DURATIONS = "istio_request_duration_milliseconds_bucket"

#: What counts as failed: 5xx, no answer at all (0), and gRPC's words for the server's fault (2 unknown, 4 deadline exceeded,
#: 13 internal, 14 unavailable, 15 data loss), which travel in an answer of status 200.
_FAILED = ('response_code=~"5..|0"', 'grpc_response_status=~"2|4|13|14|15"')
#: Requests that never reached an endpoint (UH: none is healthy, NC: no cluster, NR: no route) have no workload.
_NOWHERE = ('destination_workload="unknown"', 'response_flags=~"(.*,)?(UH|NC|NR)(,.*)?"')


def requests(arm: Arm, window: Window, reporter: Reporter) -> str:
    """Return the query for how many requests of an arm ended in a window; it is asked at the window's end."""
    return _total([_selector(REQUESTS, *matchers) for matchers in _arm(arm, reporter)], window)


def errors(arm: Arm, window: Window, reporter: Reporter) -> str:
    """Return the query for how many of them failed."""
    failed = [_selector(REQUESTS, *matchers, one) for matchers in _arm(arm, reporter) for one in _FAILED]
    return _total(failed, window)


def durations(arm: Arm, window: Window, reporter: Reporter) -> str:
    """Return the query for how many took at most how long: one series for each bound, label ``le``, in milliseconds."""
    return _total([_selector(DURATIONS, *_reached(arm, reporter))], window, by="le")


def newest(arm: Arm, reporter: Reporter, metric: str = REQUESTS) -> str:
    """Return the query for the time (UNIX seconds) of an arm's newest sample."""
    return f"max(timestamp({_selector(metric, *_reached(arm, reporter))}))"


def _arm(arm: Arm, reporter: Reporter) -> list[tuple[str, ...]]:
    reached = _reached(arm, reporter)
    return [reached, (*_common(arm, reporter), *_NOWHERE)] if arm.lost and arm.workloads else [reached]


def _reached(arm: Arm, reporter: Reporter) -> tuple[str, ...]:
    common = _common(arm, reporter)
    if arm.labels:
        return (*common, *(f"{name}={quoted(value)}" for name, value in sorted(arm.labels.items())))
    if not arm.workloads:
        return common
    return (
        *common,
        f"destination_workload_namespace={quoted(arm.namespace)}",
        f"destination_workload=~{pattern(*sorted(arm.workloads))}",
    )


def _common(arm: Arm, reporter: Reporter) -> tuple[str, ...]:
    return (f"reporter={quoted(reporter)}", f"destination_service=~{pattern(*sorted(arm.hosts))}")


def _selector(metric: str, *matchers: str) -> str:
    return f"{metric}{{{','.join(matchers)}}}"


def _total(selectors: Iterable[str], window: Window, by: str = "") -> str:
    """Sum what counters have grown by in a window, exactly: every request is in one window, since the next begins at its end.

    Three kinds of series: one that has grown counts by its growth; one that has fallen (a reset) is a gap; one that is new
    counts from zero where its target was being scraped when the window opened (the first failure that a proxy sees), and not
    at all where it was not, since nobody knows since when it has been counting. `increase` estimates all of this instead.
    """
    selectors = list(selectors)
    length = duration(window.length)
    now = " or ".join(selectors)
    before = " or ".join(f"{one} offset {length}" for one in selectors)
    grown = f"(({now}) - ({before}) >= 0)"
    born = f"((({now}) unless ({before})) and on (job, instance) (up offset {length} == 1))"
    return f"sum{f' by ({by}) ' if by else ''}({grown} or {born})"
