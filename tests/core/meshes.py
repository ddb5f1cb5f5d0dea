"""Meshes and plans for tests: documents in, a plan out, by the very comparison that the cycle makes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.changes import Action, Change, ObjectDiff
from reconciler.core.diff import Differ
from reconciler.core.owned import Rules
from reconciler.core.plan import make_plan
from reconciler.core.plans import Guard, Plan, PlanSettings, Split, UnitPlan
from reconciler.core.resources import DesiredState, Document, Key, Manifest, ObservedState, Pod, Service, ServicePort
from reconciler.core.wanted import wanted_now
from reconciler.core.world import World
from reconciler.errors import Place
from tests.building import TARGET, desired, document, observed, service_entry, workload_entry, written

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=2)
SETTINGS = PlanSettings(target=TARGET)


def entry(
    name: str = "billing", *, app: str = "", endpoints: Iterable[Any] = (), namespace: str = "shop", **spec: Any
) -> Document:
    """A ServiceEntry with a selector for `app`, or with inline endpoints (addresses, or whole ones)."""
    inline = [{"address": one} if isinstance(one, str) else one for one in endpoints]
    fields: dict[str, Any] = {"endpoints": inline or None} | spec
    if app:
        fields["workloadSelector"] = {"labels": {"app": app}}
    return in_namespace(service_entry(name, **fields), namespace)


def vm(name: str, address: str, *, app: str = "billing", namespace: str = "shop", labels: Any = None, **spec: Any) -> Document:
    """A WorkloadEntry."""
    found = workload_entry(name, address=address, labels={"app": app, **(labels or {})}, **spec)
    return in_namespace(found, namespace)


def rule(
    name: str = "billing", host: str = "billing.internal", subsets: Any = None, namespace: str = "shop", **spec: Any
) -> Document:
    """A DestinationRule; `subsets` maps names to labels."""
    listed = [{"name": one, "labels": labels} for one, labels in (subsets or {}).items()]
    return document("DestinationRule", name, namespace, spec={"host": host, **({"subsets": listed} if listed else {}), **spec})


def route(
    name: str = "billing", *, to: Iterable[tuple[str, str, int]], hosts: Collection[str] = (), namespace: str = "shop"
) -> Document:
    """A VirtualService with one HTTP route to (host, subset, weight)."""
    targets: list[dict[str, Any]] = [
        {"destination": {"host": host, **({"subset": subset} if subset else {})}, "weight": weight}
        for host, subset, weight in to
    ]
    found = list(hosts) or [targets[0]["destination"]["host"]]
    return document("VirtualService", name, namespace, spec={"hosts": found, "http": [{"route": targets}]})


def record(of: Document, *, health: str = "", address: str = "") -> Document:
    """The VM registry's record of a WorkloadEntry."""
    metadata = {part: of["metadata"][part] for part in ("name", "namespace")}
    status = {name: value for name, value in (("health", health), ("address", address)) if value}
    found: Document = {
        "apiVersion": "mesh-reconciler.io/v1alpha1",
        "kind": "VirtualMachine",
        "metadata": metadata,
        "spec": {"address": of["spec"]["address"]},
    }
    return {**found, "status": status} if status else found


def namespace(name: str = "shop") -> Document:
    """A Namespace."""
    return document("Namespace", name, "")


def pod(
    name: str, *, app: str = "billing", ready: bool = True, namespace: str = "shop", labels: Any = None, **attributes: Any
) -> Pod:
    """A Pod."""
    return Pod(namespace, name, f"10.1.0.{sum(map(ord, name)) % 250}", {"app": app, **(labels or {})}, ready, **attributes)


def service(name: str = "web", *, app: str = "billing", target: int | str = 8080, namespace: str = "shop") -> Service:
    """A Kubernetes Service with one port 80."""
    return Service(namespace, name, {"app": app}, (ServicePort("http", 80, target),))


def in_namespace(one: Document, name: str) -> Document:
    """The document in another namespace."""
    return {**one, "metadata": {**one["metadata"], "namespace": name}}


def there(*documents: Document, pods: Iterable[Pod] = (), services: Iterable[Service] = ()) -> ObservedState:
    """Both stores after we have written these documents, statuses added."""
    found = []
    for one in documents:
        status = one.get("status")
        live = written({name: part for name, part in one.items() if name != "status"})
        found.append(replace(live, document={**live.document, "status": status}) if status else live)
    return replace(observed(*found), pods=tuple(pods), services=tuple(services))


def world(*documents: Document, pods: Iterable[Pod] = (), services: Iterable[Service] = ()) -> World:
    """The world in which these documents are live."""
    return World.of(there(*documents, pods=pods, services=services))


def commit(*documents: Document, policies: Iterable[Document] = ()) -> DesiredState:
    """What Git says, without statuses."""
    git = desired(*({name: part for name, part in one.items() if name != "status"} for one in documents))
    found = {Key.of(one): Manifest(Key.of(one), one, Place("policy.yaml")) for one in policies}
    return replace(git, policies=found)


def differences(git: DesiredState, live: ObservedState) -> tuple[ObjectDiff, ...]:
    """What differs, as the cycle finds it."""
    inventory = frozenset({*live.objects, *live.machines})
    return Differ().diff(git, wanted_now(git, TARGET), live, Rules(TARGET), inventory)


def plan(git: DesiredState, live: ObservedState, **options: Any) -> Plan:
    """The plan; deletions have been due for long unless told otherwise."""
    found = differences(git, live)
    seen = {one.key: LONG_AGO for one in found}
    given: dict[str, Any] = {"now": NOW, "settings": SETTINGS, "first_seen": seen, **options}
    return make_plan(git, live, found, **given)


def approved(git: DesiredState, live: ObservedState, **options: Any) -> Plan:
    """The plan with every override given that it asks for."""
    return plan(git, live, overrides=asked(plan(git, live, **options)), **options)


def asked(made: Plan) -> frozenset[str]:
    """The names of the overrides that a plan asks for."""
    return frozenset(guard.override for guard in guards(made) if guard.override)


def guards(made: Plan, code: str = "") -> list[Guard]:
    """All guards of a plan, or those with a code."""
    return [guard for unit in made.units for guard in unit.guards if code in ("", guard.code)]


def unit(made: Plan, name: str) -> UnitPlan:
    """The unit with this name."""
    return next(one for one in made.units if one.name == name)


def waves(of: UnitPlan) -> list[list[str]]:
    """What a unit writes: ``action Kind/name``, wave by wave, sorted within a wave."""
    return [sorted(f"{one.action} {one.key.kind}/{one.key.name}" for one in wave) for step in of.steps for wave in step.waves]


def shares(found: Iterable[Split], host: str = "billing.internal", port: int = 80) -> dict[str, Any]:
    """The shares of a service port by endpoint."""
    return {each.name: each.share for one in found if (one.service, one.port) == (host, port) for each in one.endpoints}


def creating(one: Document) -> Change:
    """A write that creates a document."""
    return Change(Key.of(one), Action.CREATE, None, one)


def updating(before: Document, after: Document) -> Change:
    """A write that makes one document of another."""
    return Change(Key.of(after), Action.UPDATE, before, after)


def deleting(one: Document) -> Change:
    """A write that deletes a document."""
    return Change(Key.of(one), Action.DELETE, one, None)
