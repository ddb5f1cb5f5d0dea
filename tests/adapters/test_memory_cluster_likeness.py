"""The cluster in memory does to objects what the real API server does: the same operations, the same results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.core.ownership import Path, declared, hand_back, owned, take_over
from reconciler.core.resources import Document, FieldOwner, Key, LiveObject
from reconciler.errors import Rejected
from tests.adapters.cluster_kubernetes.worlds import RealWorld
from tests.adapters.test_memory_cluster import MemoryWorld
from tests.contracts.cluster import OURS, World
from tests.real.apiserver import ApiServer
from tests.real.kube import Refused

maybe = st.none() | st.sampled_from([{"a": "1"}, {"a": "2", "b.c/d": "3"}])
port = st.fixed_dictionaries(
    {"name": st.sampled_from(["http", "tcp"]), "number": st.sampled_from([80, 81])}, optional={"targetPort": st.just(8080)}
)
ports = st.lists(port, max_size=2, unique_by=(lambda one: one["name"], lambda one: one["number"]))
endpoints = st.lists(st.sampled_from([{"address": "10.0.0.1"}, {"address": "10.0.0.2", "weight": 2}]), max_size=2)
service_entries = st.fixed_dictionaries(
    {"hosts": st.just(["a.b"]), "resolution": st.just("STATIC")},
    optional={
        "ports": ports,
        "endpoints": endpoints,
        "workloadSelector": st.fixed_dictionaries({"labels": st.sampled_from([{"x": "1"}, {"x": "1", "y": "2"}])}),
        "subjectAltNames": st.just(["spiffe://a"]),
    },
)
# A port's mode is never changed here: an item of this map that two managers own in parts, and one of them drops, is something
# that the server's library turns into a null and its validation into 422; the twin does not imitate that.
PORT_80, PORT_81 = {"80": {"mode": "STRICT"}}, {"81": {"mode": "DISABLE"}}
policies = st.fixed_dictionaries(
    {"selector": st.just({"matchLabels": {"a": "b"}})},
    optional={
        "mtls": st.just({"mode": "STRICT"}),
        "portLevelMtls": st.sampled_from([PORT_80, PORT_81, {**PORT_80, **PORT_81}]),
    },
)


def documents(kind: str, api_version: str, specs: st.SearchStrategy[Document]) -> st.SearchStrategy[Document]:
    """Documents of one kind, all of one name."""

    def build(spec: Document, labels: Any, annotations: Any) -> Document:
        metadata = {"name": "one", "labels": labels, "annotations": annotations}
        kept = {name: value for name, value in metadata.items() if value is not None}
        return {"apiVersion": api_version, "kind": kind, "metadata": kept, "spec": spec}

    return st.builds(build, specs, maybe, maybe)


def operations(kind: str, api_version: str, specs: st.SearchStrategy[Document]) -> st.SearchStrategy[list[tuple[str, Any]]]:
    """What a few people do to one object."""
    document = documents(kind, api_version, specs)
    patch = st.fixed_dictionaries({}, optional={"metadata": st.fixed_dictionaries({"labels": maybe}), "spec": specs})
    status = st.fixed_dictionaries({"status": st.fixed_dictionaries({"conditions": st.sampled_from([[], [{"type": "T"}]])})})
    one = st.one_of(
        st.tuples(st.just("apply"), document),
        st.tuples(st.just("helm"), document),
        st.tuples(st.just("helm forces"), document),
        st.tuples(st.just("create"), document),
        st.tuples(st.just("edit"), patch),
        st.tuples(st.just("status"), status),
        st.tuples(st.just("take over"), document),
        st.tuples(st.just("hand back"), st.none()),
        st.tuples(st.just("remove"), st.none()),
    )
    return st.lists(one, min_size=2, max_size=8)


histories = st.one_of(
    operations("ServiceEntry", "networking.istio.io/v1", service_entries),
    operations("PeerAuthentication", "security.istio.io/v1", policies),
)


@settings(
    max_examples=60,
    derandomize=True,  # the server has quirks that no one run can exclude; longer random runs are for who changes the twin
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
def test_the_same_history_leaves_the_same_object(api_server: ApiServer, namespace: str, history: list[tuple[str, Any]]) -> None:
    """Content, owners with their fields, generation, and what is refused are the same after each operation."""
    worlds: tuple[World, World] = (RealWorld(api_server, namespace), MemoryWorld())
    kind = next((given["kind"] for _, given in history if given and "kind" in given), "ServiceEntry")
    try:
        for number, (name, given) in enumerate(history):
            told = [perform(world, Key(kind, world.namespace, "one"), name, given) for world in worlds]
            note = f"after {history[: number + 1]}"
            assert told[0] == told[1], note
            assert shown(worlds[0], kind) == shown(worlds[1], kind), note
    finally:
        perform(worlds[0], Key(kind, namespace, "one"), "remove", None)


def perform(world: World, key: Key, name: str, given: Any) -> str:
    """Do one thing to the object; returns how it ended."""
    if given and "kind" in given:
        given = {**given, "metadata": {**given["metadata"], "namespace": key.namespace}}
    try:
        act(world, world.cluster.get(key), name, given)
    except Rejected as error:
        return f"refused: {error.status} {getattr(error, 'managers', ())}"
    except Refused as error:
        causes = error.answer.get("details", {}).get("causes", ())
        managers = {cause["message"].split('"')[1] for cause in causes if cause["reason"] == "FieldManagerConflict"}
        return f"refused: {error.status} {tuple(sorted(managers))}"
    return "done"


def act(world: World, live: LiveObject | None, name: str, given: Any) -> None:
    """Do one thing; what needs an object, or needs that there is none, is left out otherwise."""
    match name, live:
        case "apply", _:
            world.cluster.apply(given)
        case "helm", _:
            world.apply_as(given, "helm")
        case "helm forces", _:
            world.apply_as(given, "helm", force=True)
        case "create", None:
            world.create(given, "kubectl-create")
        case "edit", LiveObject(key=key):
            world.edit(key, given, "kubectl-edit")
        case "status", LiveObject(key=key):
            world.edit(key, given, "istiod", subresource="status")
        case "take over", LiveObject():
            set_owners(world, live, take_over(live.owners, {"helm"}, declared(given), OURS))
        case "hand back", LiveObject():
            set_owners(world, live, hand_back(live.owners, OURS, "helm"))
        case "remove", LiveObject(key=key):
            world.remove(key)


def set_owners(world: World, live: LiveObject, owners: Sequence[FieldOwner]) -> None:
    """Hand an object over; an empty list of owners would be a reset."""
    if owners:
        world.cluster.set_owners(live.key, owners, uid=live.uid, resource_version=live.resource_version)


def shown(world: World, kind: str) -> Any:
    """What should be equal of an object in both clusters."""
    live = world.cluster.get(Key(kind, world.namespace, "one"))
    if live is None:
        return None
    document = {name: part for name, part in live.document.items() if name != "metadata"}
    metadata = {name: part for name, part in live.document["metadata"].items() if name != "namespace"}
    spec = dict(document.get("spec", {}))
    if "ports" in spec:
        spec["ports"] = sorted(spec["ports"], key=lambda one: str(one["name"]))
    owners: set[tuple[str, str, str, frozenset[Path]]] = {
        (o.manager, o.operation, o.subresource, owned(o)) for o in live.owners
    }
    return {**document, "spec": spec}, metadata, owners, live.generation
