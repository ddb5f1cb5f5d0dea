"""Gates as RolloutPolicies write them -> gates as values.

A document has passed its model (`core/manifests/models/rollout_policy.py`). What only the operator's settings decide, which
templates there are, whether Git may write queries itself and who has which role, makes a gate that cannot be asked or passed,
never an error: a rollout that goes on must not fall over a setting.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from fractions import Fraction
from typing import Any

from reconciler.core.gates.hours import DAYS
from reconciler.core.gates.people import People
from reconciler.core.gates.promql import bound, fault, growth, parameters
from reconciler.core.gates.spec import (
    READY_MADE,
    Approve,
    Ask,
    Bounds,
    Compare,
    Gate,
    GateMode,
    Health,
    Hours,
    Metric,
    Of,
    Patience,
    Ready,
    Refused,
    Reporter,
    Role,
    Share,
    Threshold,
    Webhook,
)
from reconciler.core.resources import EMPTY, Document
from reconciler.core.validation.durations import nanoseconds


@dataclass(frozen=True, slots=True)
class Template:
    """A query that the operator owns: ``$name`` stands for a quoted parameter, ``$window`` for the length of the window.

    `samples` is the query for how many samples the value rests on; without it the growth of the query's counters is.
    """

    query: str
    samples: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """What the operator offers to gates in Git: templates by name, whether queries may be written in Git at all, and people."""

    templates: Mapping[str, Template] = field(default_factory=lambda: EMPTY)
    free_queries: bool = True
    people: People = field(default_factory=People)


def gates_of(spec: Document, library: Library) -> tuple[Gate, ...]:
    """Return the gates of a RolloutPolicy's spec. Those that compare share the chance of a false alarm among them."""
    documents = spec.get("gates") or ()
    comparisons = sum(one.get("compare") is not None for one in documents)
    return tuple(gate_of(one, library, comparisons=comparisons) for one in documents)


def gate_of(document: Document, library: Library, *, comparisons: int = 1) -> Gate:
    """Return one gate; `comparisons` is how many gates of its rollout compare."""
    kind = next(name for name in _READERS if document.get(name) is not None)
    ask = _READERS[kind](document[kind], library)
    if isinstance(ask, Compare):
        ask = replace(ask, alpha=ask.alpha / comparisons)
    return replace(Gate(document["name"], ask, **_USUAL.get(kind, {})), **_told(document, _SETTINGS))


def hopeless(gate: Gate) -> str:
    """Say why a gate can never pass as the operator's settings are, empty where it can or where it only observes."""
    match gate.ask:
        case _ if gate.mode is GateMode.OBSERVE:
            return ""
        case Refused(why):
            return why
        case Approve():
            return gate.ask.lacking
        case _:
            return ""


def by_workload(gate: Document) -> bool:
    """Tell whether a gate of a policy looks at the requests to one side, and finds them by workload."""
    compare, ready = gate.get("compare"), gate.get("prometheus") or EMPTY
    if compare is not None:
        return not (compare.get("canary") and compare.get("stable"))
    return ready.get("template") in READY_MADE and ready.get("of") != Of.ALL


def share_of(tolerance: Fraction, document: Document, library: Library) -> Share | Refused:
    """Return the question for the share that is observed. `document` names a query or a template, empty: Istio's metrics."""
    if not document:
        return Share(tolerance)
    asked = _prometheus({**document, "max": 1}, library)
    return Share(tolerance, asked.query) if isinstance(asked, Threshold) else Refused(getattr(asked, "why", ""))


def _prometheus(ask: Document, library: Library) -> Ask:
    bounds, name = Bounds(ask.get("min"), ask.get("max")), ask.get("template")
    if name in READY_MADE:
        return Ready(READY_MADE[name], bounds, **_told(ask, _READY))
    if name is not None:
        return _from_template(name, ask, bounds, library)
    if not library.free_queries:
        return Refused("queries in Git are not allowed here: use a template of the operator's")
    samples, query = ask.get("samples") or 0, ask["query"]
    return Threshold(query, bounds, samples, (ask.get("samplesQuery") or growth(query)) if samples else "")


def _from_template(name: str, ask: Document, bounds: Bounds, library: Library) -> Ask:
    template, values = library.templates.get(name), ask.get("parameters") or EMPTY
    if template is None:
        return Refused(f"the operator has no template `{name}`")
    wanted = parameters(template.query) | parameters(template.samples)
    if wanted != values.keys():
        return Refused(f"the template `{name}` has the parameters {_listed(wanted)}, and {_listed(values)} are given")
    samples = ask.get("samples") or 0
    query = bound(template.query, values)
    counted = (bound(template.samples, values) or growth(query)) if samples else ""
    if samples and not counted:
        return Refused(f"the template `{name}` counts no samples")
    wrong = fault(query) or (counted and fault(counted))
    return Refused(f"the template `{name}` {wrong}") if wrong else Threshold(query, bounds, samples, counted)


def _compare(ask: Document, _library: Library) -> Ask:
    return Compare(**_told(ask, _COMPARE))


def _webhook(ask: Document, _library: Library) -> Ask:
    return Webhook(**_told(ask, _WEBHOOK))


def _approval(ask: Document, library: Library) -> Ask:
    asked = Approve(**_told(ask, _APPROVAL))
    return replace(asked, lacking=library.people.lacking(asked.role, asked.count))


def _hours(ask: Document, _library: Library) -> Ask:
    days = frozenset(DAYS.index(day) for day in ask.get("days") or DAYS)
    return Hours(days, time.fromisoformat(ask["from"]), time.fromisoformat(ask["to"]), ask["timezone"])


def _health(_ask: Document, _library: Library) -> Ask:
    return Health()


def _length(text: str) -> timedelta:
    return timedelta(microseconds=(nanoseconds(text) or 0) / 1000)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


#: Where a field of a document goes, and how it is read.
_Fields = Mapping[str, tuple[str, Callable[[Any], Any]]]


def _told(document: Document, fields: _Fields) -> dict[str, Any]:
    """Return what a document says; what it does not is as the value has it."""
    return {name: read(document[key]) for key, (name, read) in fields.items() if document.get(key) is not None}


_SETTINGS: _Fields = {
    "mode": ("mode", GateMode),
    "warmup": ("warmup", _length),
    "interval": ("interval", _length),
    "consecutive": ("consecutive", int),
    "failures": ("failures", int),
    "deadline": ("deadline", _length),
    "staleAfter": ("stale_after", _length),
    "onNoData": ("on_no_data", Patience),
    "onError": ("on_error", Patience),
    "onInconclusive": ("on_inconclusive", Patience),
}
_READY: _Fields = {
    "samples": ("samples", int),
    "quantile": ("quantile", float),
    "of": ("of", Of),
    "reporter": ("reporter", Reporter),
}
_COMPARE: _Fields = {
    "metric": ("metric", Metric),
    "margin": ("margin", float),
    "samples": ("samples", int),
    "quantile": ("quantile", float),
    "canary": ("canary", dict),
    "stable": ("stable", dict),
    "reporter": ("reporter", Reporter),
}
_WEBHOOK: _Fields = {
    "url": ("url", str),
    "timeout": ("timeout", _length),
    "headers": ("headers", dict),
    "secret": ("secret", str),
}
_APPROVAL: _Fields = {
    "role": ("role", Role),
    "count": ("count", int),
    "expires": ("expires", _length),
    "notAuthor": ("not_author", bool),
}
_READERS: Mapping[str, Callable[[Document, Library], Ask]] = {
    "prometheus": _prometheus,
    "compare": _compare,
    "webhook": _webhook,
    "approval": _approval,
    "hours": _hours,
    "health": _health,
}
#: What is usual for a kind: one look at numbers proves nothing, and endpoints flap.
_USUAL: Mapping[str, Mapping[str, Any]] = {
    "prometheus": {"consecutive": 3, "failures": 3},
    "health": {"failures": 3, "interval": timedelta(seconds=10)},
}
