"""Gates in RolloutPolicies: what is refused while a commit is checked, and what its gates become."""

from datetime import time, timedelta
from typing import Any

import pytest

from reconciler.core.gates.people import People, Person
from reconciler.core.gates.reading import Library, Template, gate_of, gates_of
from reconciler.core.gates.spec import (
    Approve,
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
    Threshold,
    Webhook,
)
from reconciler.core.manifests.shape import shape_problems

RATIO = 'sum(rate(x{code!~"5.."}[$window])) / sum(rate(x[$window]))'
OFFICE = {"days": ["mon", "fri"], "from": "09:00", "to": "17:30", "timezone": "Europe/Berlin"}
HOOK = {"url": "https://hooks.example.org/may-we"}


def problems(gate: dict[str, Any]) -> list[tuple[str, str]]:
    """Return field and message of each problem of a policy with this one gate, read as a gate too where there is none."""
    spec = {"serviceEntry": "billing", "gates": [{"name": "g", **gate}]}
    metadata = {"name": "billing", "namespace": "shop"}
    document = {"apiVersion": "mesh-reconciler.io/v1alpha1", "kind": "RolloutPolicy", "metadata": metadata, "spec": spec}
    found = shape_problems("RolloutPolicy", document)
    if not found:
        gates_of(spec, Library())
    return [(one.field.removeprefix("spec.gates[0]").removeprefix("."), one.message) for one in found]


GOOD: list[tuple[dict[str, Any], Any]] = [
    ({"prometheus": {"query": "depth", "max": 5}}, Threshold("depth", Bounds(high=5))),
    (
        {"prometheus": {"query": "depth", "min": 1, "max": 5, "samples": 10, "samplesQuery": "count(depth)"}},
        Threshold("depth", Bounds(1, 5), 10, "count(depth)"),
    ),
    ({"prometheus": {"template": "istio-success-rate", "min": 0.99}}, Ready(Metric.ERRORS, Bounds(low=0.99))),
    (
        {
            "prometheus": {
                "template": "istio-latency",
                "max": 250,
                "samples": 1000,
                "quantile": 0.99,
                "of": "all",
                "reporter": "destination",
            }
        },
        Ready(Metric.LATENCY, Bounds(high=250), 1000, Of.ALL, 0.99, Reporter.DESTINATION),
    ),
    ({"compare": {"metric": "errors"}}, Compare(Metric.ERRORS)),
    (
        {
            "compare": {
                "metric": "latency",
                "margin": 3,
                "samples": 50,
                "quantile": 0.9,
                "canary": {"version": "v2"},
                "stable": {"version": "v1"},
            }
        },
        Compare(Metric.LATENCY, 3, 50, quantile=0.9, canary={"version": "v2"}, stable={"version": "v1"}),
    ),
    (
        {"webhook": {**HOOK, "timeout": "1.5s", "headers": {"X-Team": "shop"}, "secret": "shop"}},
        Webhook(HOOK["url"], timedelta(seconds=1.5), {"X-Team": "shop"}, "shop"),
    ),
    ({"approval": {}}, Approve()),
    (
        {"approval": {"role": "admin", "count": 2, "expires": "1h30m", "notAuthor": True}},
        Approve(Role.ADMIN, 2, timedelta(minutes=90), not_author=True),
    ),
    ({"hours": OFFICE}, Hours(frozenset({0, 4}), time(9), time(17, 30), "Europe/Berlin")),
    (
        {"hours": {"from": "22:00", "to": "06:00", "timezone": "UTC"}},
        Hours(frozenset(range(7)), time(22), time(6), "UTC"),
    ),
    ({"health": {}}, Health()),
]


@pytest.mark.parametrize(("gate", "ask"), GOOD)
def test_each_kind_of_gate_is_read(gate: dict[str, Any], ask: Any) -> None:
    """With what it says, and otherwise with what the value has."""
    assert problems(gate) == []
    admins = People(tuple(Person(name, Role.ADMIN) for name in ("Ann", "Bob")))
    assert gate_of({"name": "g", **gate}, Library(people=admins)).ask == ask


def test_how_a_gate_is_asked_is_read() -> None:
    """Numbers are looked at three times, endpoints every ten seconds, unless the policy says otherwise."""
    assert gate_of({"name": "a", "approval": {}}, Library()) == Gate("a", Approve())
    usual = gate_of({"name": "n", "prometheus": {"query": "depth", "max": 5}}, Library())
    assert (usual.consecutive, usual.failures, usual.interval) == (3, 3, timedelta(minutes=1))
    assert gate_of({"name": "h", "health": {}}, Library()).interval == timedelta(seconds=10)
    said = {
        "mode": "observe",
        "warmup": "5s",
        "interval": "30s",
        "consecutive": 5,
        "failures": 2,
        "deadline": "2h",
        "staleAfter": "90s",
        "onNoData": "pause",
        "onError": "wait",
        "onInconclusive": "pause",
    }
    gate = {"health": {}, **said}
    assert problems(gate) == []
    assert gate_of({"name": "g", **gate}, Library()) == Gate(
        "g",
        Health(),
        GateMode.OBSERVE,
        timedelta(seconds=5),
        timedelta(seconds=30),
        5,
        2,
        timedelta(hours=2),
        timedelta(seconds=90),
        Patience.PAUSE,
        Patience.WAIT,
        Patience.PAUSE,
    )


def test_comparisons_share_the_chance_of_a_false_alarm() -> None:
    """What a good release risks is a matter of the rollout, however many gates compare."""
    gates = [{"name": name, "compare": {"metric": name}} for name in ("errors", "latency")]
    found = gates_of({"gates": [*gates, {"name": "a", "approval": {}}]}, Library())
    assert [one.ask.alpha for one in found if isinstance(one.ask, Compare)] == [0.005, 0.005]
    assert gates_of({}, Library()) == ()


def test_samples_of_a_free_query_are_counted_by_its_counters() -> None:
    """The one that has grown most is the whole of a share."""
    ask = gate_of({"name": "g", "prometheus": {"query": RATIO, "min": 0.99, "samples": 500}}, Library()).ask
    assert isinstance(ask, Threshold)
    assert ask.samples_query == (
        'max(label_replace(sum(increase(x{code!~"5.."}[$window])), "part", "0", "", "")'
        ' or label_replace(sum(increase(x[$window])), "part", "1", "", ""))'
    )


@pytest.mark.parametrize(
    ("gate", "field", "message"),
    [
        ({}, "", "a gate needs one of prometheus, compare, webhook, approval, hours, health"),
        ({"approval": {}, "health": {}}, "", "only one of approval and health"),
        ({"prometheus": {"min": 1}}, "prometheus", "needs query or template"),
        ({"prometheus": {"query": "up", "template": "x", "min": 1}}, "prometheus", "only one of query and template"),
        ({"prometheus": {"query": "up"}}, "prometheus", "needs min or max"),
        ({"prometheus": {"query": "up", "min": 2, "max": 1}}, "prometheus", "min is above max"),
        ({"prometheus": {"query": "vector(1)", "min": 1}}, "prometheus.query", "asks for no series"),
        ({"prometheus": {"query": "up @ 5", "min": 1}}, "prometheus.query", "asks for a fixed moment"),
        ({"prometheus": {"query": "rate(x[$w])", "min": 1}}, "prometheus.query", "has the parameter $w"),
        ({"prometheus": {"query": "up", "min": 1, "samples": 5}}, "prometheus", "no range of a counter"),
        ({"prometheus": {"query": "up", "min": 1, "samplesQuery": "x"}}, "prometheus", "samplesQuery counts the samples of"),
        ({"prometheus": {"query": "up", "min": 1, "of": "all"}}, "prometheus", "of is only for the templates istio-"),
        ({"prometheus": {"template": "istio-success-rate", "min": 99}}, "prometheus", "from 0 to 1"),
        (
            {"prometheus": {"template": "istio-success-rate", "min": 0.9, "quantile": 0.5}},
            "prometheus",
            "only for istio-latency",
        ),
        ({"prometheus": {"template": "istio-latency", "max": 1, "quantile": 1}}, "prometheus.quantile", "less than 1"),
        ({"prometheus": {"template": "istio-latency", "max": 1, "parameters": {"a": "b"}}}, "prometheus", "has no parameters"),
        ({"compare": {"metric": "errors", "canary": {"a": "b"}}}, "compare", "canary and stable go together"),
        ({"compare": {"metric": "errors", "canary": {"a": "b"}, "stable": {"a": "b"}}}, "compare", "the same labels"),
        ({"compare": {"metric": "errors", "quantile": 0.9}}, "compare", "quantile is only for latency"),
        ({"compare": {"metric": "errors", "margin": 1}}, "compare.margin", "greater than 1"),
        ({"webhook": {"url": "ftp://x"}}, "webhook.url", "http or https"),
        ({"webhook": {**HOOK, "timeout": "5m"}}, "webhook.timeout", "within seconds"),
        ({"webhook": {**HOOK, "headers": {"X-A": "a\nX-B: b"}}}, "webhook.headers.X-A", "printable ASCII"),
        ({"approval": {"role": "viewer"}}, "approval.role", "must be one of 'operator', 'admin'"),
        ({"approval": {"count": 0}}, "approval.count", "at least 1"),
        ({"hours": {**OFFICE, "timezone": "Mars/Base"}}, "hours.timezone", "no time zone of the IANA database"),
        ({"hours": {**OFFICE, "timezone": "../../etc/passwd"}}, "hours.timezone", "no time zone of the IANA database"),
        ({"hours": {**OFFICE, "to": "24:00"}}, "hours.to", "time of day such as 09:00"),
        ({"hours": {**OFFICE, "to": "09:00"}}, "hours", "the same time"),
        ({"hours": {**OFFICE, "days": ["monday"]}}, "hours.days[0]", "must be one of 'mon'"),
        ({"approval": {}, "onNoData": "undo"}, "onNoData", "only proven harm undoes"),
        ({"approval": {}, "onError": "undo"}, "onError", "only proven harm undoes"),
        ({"approval": {}, "onInconclusive": "undo"}, "onInconclusive", "only proven harm undoes"),
        ({"approval": {}, "consecutive": 0}, "consecutive", "at least 1"),
    ],
)
def test_gates_that_make_no_sense_are_refused(gate: dict[str, Any], field: str, message: str) -> None:
    """In a sentence that says what to do, at the field."""
    found = problems(gate)
    assert any(where == field and message in said for where, said in found), found


@pytest.mark.case("T8", "A5")
@pytest.mark.parametrize("name", ['a="b"} or up{x', "a b", "1a", "ä", "", "a\n"])
def test_names_of_labels_cannot_leave_their_place(name: str) -> None:
    """Unlike values they are never quoted."""
    for gate in (
        {"compare": {"metric": "errors", "canary": {name: "x"}, "stable": {"a": "y"}}},
        {"prometheus": {"template": "t", "min": 1, "parameters": {name: "x"}}},
    ):
        assert any("name of a label of metrics" in message for _, message in problems(gate))


@pytest.mark.parametrize("name", ["Host", "content-length", "Authorization", "X-Mesh-Reconciler-Signature"])
def test_headers_that_are_ours_are_not_for_policies(name: str) -> None:
    """In any spelling."""
    assert any("is not for policies to set" in said for _, said in problems({"webhook": {**HOOK, "headers": {name: "x"}}}))


OWNED = Library(
    {
        "errors": Template("sum(rate(bad{app=$app}[$window])) / sum(rate(all{app=$app}[$window]))"),
        "broken": Template("vector(1)"),
    }
)


@pytest.mark.case("A5")
def test_templates_of_the_operator_take_bound_parameters() -> None:
    """A value is a quoted string wherever it stands."""
    hostile = 'x"} or vector(0) #'
    ask = {"template": "errors", "max": 0.01, "samples": 10, "parameters": {"app": hostile}}
    assert problems({"prometheus": ask}) == []
    gate = gate_of({"name": "g", "prometheus": ask}, OWNED)
    assert isinstance(gate.ask, Threshold)
    app = '"x\\"} or vector(0) #"'
    assert gate.ask.query == f"sum(rate(bad{{app={app}}}[$window])) / sum(rate(all{{app={app}}}[$window]))"
    assert f"sum(increase(all{{app={app}}}[$window]))" in gate.ask.samples_query


@pytest.mark.case("A5")
@pytest.mark.parametrize(
    ("ask", "why"),
    [
        ({"template": "other"}, "the operator has no template `other`"),
        ({"template": "errors"}, "the template `errors` has the parameters app, and none are given"),
        ({"template": "errors", "parameters": {"app": "a", "x": "y"}}, "has the parameters app, and app, x are given"),
        ({"template": "broken", "samples": 5}, "the template `broken` counts no samples"),
        ({"template": "broken"}, "the template `broken` asks for no series: name a metric"),
    ],
)
def test_a_template_that_does_not_fit_makes_a_gate_that_cannot_be_asked(ask: dict[str, Any], why: str) -> None:
    """It never passes, and says why; a rollout that goes on does not fall over it."""
    gate = gate_of({"name": "g", "prometheus": {"max": 1, **ask}}, OWNED)
    assert isinstance(gate.ask, Refused)
    assert why in gate.ask.why


@pytest.mark.case("A5")
def test_queries_in_git_can_be_switched_off() -> None:
    """Once several teams share a repository; what is ready-made and the operator's templates stay."""
    closed = Library(OWNED.templates, free_queries=False)
    free = gate_of({"name": "g", "prometheus": {"query": "up", "min": 1}}, closed)
    assert free.ask == Refused("queries in Git are not allowed here: use a template of the operator's")
    ready = gate_of({"name": "g", "prometheus": {"template": "istio-latency", "max": 1}}, closed)
    assert isinstance(ready.ask, Ready)
    owned = {"template": "errors", "max": 1, "parameters": {"app": "a"}}
    assert isinstance(gate_of({"name": "g", "prometheus": owned}, closed).ask, Threshold)
