"""What every cluster promises: server-side apply, owners, preconditions, generations, complete reads, watches."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Protocol

import pytest

from reconciler.core.namespaces import Inside
from reconciler.core.ownership import declared, hand_back, owned, owners_of, show, take_over
from reconciler.core.resources import Autoscaler, Controller, Document, Key, LiveObject
from reconciler.errors import Conflict, Rejected
from reconciler.ports import NEW, Cluster
from tests.waiting import SOON

NOTE = "mesh-reconciler.io/checkpoint"
OURS = "mesh-reconciler"
#: A namespace that the adapter may write to and that does not exist.
MISSING = "no-such-namespace-here"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class World(Protocol):
    """A cluster under test, one namespace of it, and everybody else's hands."""

    namespace: str

    @property
    def cluster(self) -> Cluster: ...

    def create(self, document: Document, manager: str) -> None: ...

    def edit(self, key: Key, patch: Document, manager: str, *, subresource: str = "") -> None: ...

    def apply_as(self, document: Document, manager: str, *, force: bool = False) -> None: ...

    def remove(self, key: Key) -> None: ...

    def put_pod(self, name: str, ip: str, labels: Mapping[str, str], *, ready: bool = True) -> None: ...

    def put_service(self, name: str, selector: Mapping[str, str]) -> None: ...

    def put_deployment(self, name: str, replicas: int, labels: Mapping[str, str]) -> None: ...

    def put_autoscaler(self, name: str, target: str, bounds: tuple[int, int], *, current: int, desired: int) -> None: ...


def service_entry(namespace: str, name: str = "billing", **spec: Any) -> Document:
    """A ServiceEntry with two inline endpoints; None takes a field of the spec away."""
    fields = {
        "hosts": [f"{name}.internal"],
        "ports": [{"name": "http", "number": 80, "protocol": "HTTP"}],
        "resolution": "STATIC",
        "endpoints": [{"address": "10.0.0.1"}, {"address": "10.0.0.2"}],
        **spec,
    }
    metadata = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "shop"}}
    kept = {field: value for field, value in fields.items() if value is not None}
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": metadata, "spec": kept}


def selecting(namespace: str, name: str = "billing") -> Document:
    """The same ServiceEntry with a workloadSelector instead of endpoints."""
    return service_entry(namespace, name, endpoints=None, workloadSelector={"labels": {"app": name}})


def workload_entry(namespace: str, name: str = "vm-1", **spec: Any) -> Document:
    """A WorkloadEntry."""
    content = {"address": "10.0.0.1", "labels": {"app": "billing"}, "ports": {"http": 8080}, **spec}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry", "metadata": metadata, "spec": content}


HEALTHY = {"type": "Healthy", "status": "True", "reason": "A", "message": "b", "lastTransitionTime": "2026-03-01T12:00:00Z"}


def set_conditions(world: World, live: LiveObject, *conditions: Document) -> LiveObject:
    """Set the conditions of an object as it was read."""
    return world.cluster.set_conditions(live.key, conditions, resource_version=live.resource_version)


def managers(live: LiveObject) -> set[tuple[str, str]]:
    """Who owns anything of an object, and how."""
    return {(owner.manager, owner.operation) for owner in live.owners}


def ours(live: LiveObject) -> set[str]:
    """The fields that we own, as texts."""
    return {show(path) for owner in live.owners if owner.manager == OURS for path in owned(owner)}


def read(world: World, document: Document) -> LiveObject:
    """The object as the server holds it now."""
    live = world.cluster.get(Key.of(document))
    assert live is not None
    return live


class Signal:
    """Counts calls of a watch, and waits for what they should bring."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.calls = 0

    def __call__(self) -> None:
        with self._changed:
            self.calls += 1
            self._changed.notify_all()

    def until(self, check: Callable[[], bool]) -> bool:
        """Whether the check holds, now or after one of the calls to come."""
        with self._changed:
            return self._changed.wait_for(check, SOON)


class ClusterContract:
    """Derive from it and give a fixture `world`."""

    def test_what_is_applied_is_observed_and_owned_by_us(self, world: World) -> None:
        """An apply makes the whole document ours, and a read shows it under the version that we compare under."""
        document = service_entry(world.namespace)
        live = world.cluster.apply(document)
        state = world.cluster.observe()
        assert state.objects[Key.of(document)] == live
        assert live.document == document
        assert live.uid
        assert live.generation == 1
        assert not live.deleting
        assert ours(live) == {show(path) for path in declared(document)}
        assert managers(live) == {(OURS, "Apply")}

    def test_a_read_holds_no_other_fields_of_the_server(self, world: World) -> None:
        """What the server keeps for itself stands in attributes, not in the document."""
        metadata = world.cluster.apply(workload_entry(world.namespace)).document["metadata"]
        assert metadata == {"name": "vm-1", "namespace": world.namespace}

    def test_applying_the_same_again_moves_nothing(self, world: World) -> None:
        """The version of the object stays, and so does the version of the whole."""
        document = service_entry(world.namespace)
        first = world.cluster.apply(document)
        before = world.cluster.observe()
        again = world.cluster.apply(document)
        assert again == first
        assert world.cluster.observe().version == before.version

    def test_the_version_moves_with_content(self, world: World) -> None:
        """Every change of content gives the observation another version."""
        versions = [world.cluster.observe().version]
        live = world.cluster.apply(service_entry(world.namespace))
        versions.append(world.cluster.observe().version)
        world.edit(live.key, {"metadata": {"labels": {"x": "y"}}}, "kubectl-label")
        versions.append(world.cluster.observe().version)
        world.cluster.delete(live.key, uid=live.uid, resource_version="")
        versions.append(world.cluster.observe().version)
        assert all(before != after for before, after in pairwise(versions))

    def test_a_field_that_is_declared_no_more_goes_and_foreign_fields_stay(self, world: World) -> None:
        """Only what we declared is removed; a label and a port's field of somebody else live on."""
        live = world.cluster.apply(service_entry(world.namespace, subjectAltNames=["spiffe://a"]))
        world.edit(live.key, {"metadata": {"labels": {"team": "pay"}, "annotations": {"note": "x"}}}, "kubectl-label")
        ports = [{"name": "http", "number": 80, "protocol": "HTTP", "targetPort": 8080}]
        world.edit(live.key, {"spec": {"ports": ports}}, "kubectl-edit")
        after = world.cluster.apply(service_entry(world.namespace))
        assert "subjectAltNames" not in after.document["spec"]
        assert after.document["metadata"]["labels"] == {"app.kubernetes.io/part-of": "shop", "team": "pay"}
        assert after.document["spec"]["ports"] == ports

    def test_a_port_goes_by_its_name(self, world: World) -> None:
        """Ports are items of a map: ours goes, another manager's stays."""
        grpc = {"name": "grpc", "number": 9000, "protocol": "GRPC"}
        world.cluster.apply(service_entry(world.namespace))
        world.apply_as({**selecting(world.namespace), "spec": {"hosts": ["billing.internal"], "ports": [grpc]}}, "gateway")
        tcp = [{"name": "tcp", "number": 81, "protocol": "TCP"}]
        after = world.cluster.apply(service_entry(world.namespace, ports=tcp))
        assert {port["name"] for port in after.document["spec"]["ports"]} == {"grpc", "tcp"}

    @pytest.mark.case("A-01")
    def test_a_conflict_names_the_managers_and_changes_nothing(self, world: World) -> None:
        """Fields of others are never taken by force; the error says whose they are."""
        live = world.cluster.apply(service_entry(world.namespace))
        world.edit(live.key, {"spec": {"resolution": "NONE", "endpoints": None}}, "kubectl-edit")
        world.apply_as(
            {**service_entry(world.namespace), "spec": {"hosts": ["other.internal"]}}, "argocd-controller", force=True
        )
        before = read(world, live.document)
        for write in (world.cluster.apply, world.cluster.dry_run):
            with pytest.raises(Conflict) as caught:
                write(service_entry(world.namespace))
            assert caught.value.managers == ("argocd-controller", "kubectl-edit")
        assert read(world, live.document) == before

    def test_a_co_owner_keeps_a_field_that_we_drop(self, world: World) -> None:
        """Two managers may apply the same value; it goes when the last one drops it."""
        document = service_entry(world.namespace, subjectAltNames=["spiffe://a"])
        world.cluster.apply(document)
        world.apply_as(document, "helm")
        after = world.cluster.apply(service_entry(world.namespace))
        assert after.document["spec"]["subjectAltNames"] == ["spiffe://a"]
        assert [owner.manager for owner in owners_of(after, ("spec", "subjectAltNames"))] == ["helm"]

    def test_endpoints_become_a_selector_in_one_write(self, world: World) -> None:
        """The swap of the two forms is one apply, and back."""
        world.cluster.apply(service_entry(world.namespace))
        after = world.cluster.apply(selecting(world.namespace))
        assert "endpoints" not in after.document["spec"]
        assert "workloadSelector" in after.document["spec"]
        assert "workloadSelector" not in world.cluster.apply(service_entry(world.namespace)).document["spec"]

    @pytest.mark.case("T-14")
    @pytest.mark.parametrize("manager", ["kubectl-create", "kubectl-client-side-apply", "helm", "argocd-controller"])
    @pytest.mark.parametrize("by", ["create", "apply"])
    def test_a_hand_over_lets_us_swap_what_another_manager_made(self, world: World, manager: str, by: str) -> None:
        """While the maker co-owns the endpoints the swap is refused; the hand-over moves no generation, then it works."""
        document = service_entry(world.namespace)
        world.create(document, manager) if by == "create" else world.apply_as(document, manager)
        co_owned = world.cluster.apply(document)
        with pytest.raises(Rejected, match="only one of WorkloadSelector or Endpoints can be set"):
            world.cluster.apply(selecting(world.namespace))
        owners = take_over(co_owned.owners, {manager}, declared(document), OURS)
        taken = world.cluster.set_owners(co_owned.key, owners, uid=co_owned.uid, resource_version=co_owned.resource_version)
        assert taken.generation == co_owned.generation
        assert taken.document == co_owned.document
        assert managers(taken) == {(OURS, "Apply")}
        assert "endpoints" not in world.cluster.apply(selecting(world.namespace)).document["spec"]

    def test_a_hand_over_before_our_first_apply_works_too(self, world: World) -> None:
        """An object that we never applied gets our entry by the hand-over alone."""
        document = service_entry(world.namespace)
        world.create(document, "kubectl-create")
        found = read(world, document)
        owners = take_over(found.owners, {"kubectl-create"}, declared(document), OURS)
        taken = world.cluster.set_owners(found.key, owners, uid=found.uid, resource_version=found.resource_version)
        assert ours(taken) == {show(path) for path in declared(document)}
        assert world.cluster.apply(document) == taken

    def test_owners_are_set_only_on_the_very_object_that_was_decided_on(self, world: World) -> None:
        """A version that has moved, and an object that was made anew, are conflicts."""
        live = world.cluster.apply(service_entry(world.namespace))
        world.edit(live.key, {"metadata": {"labels": {"x": "y"}}}, "kubectl-label")
        moved = read(world, live.document)
        for uid, version in ((live.uid, live.resource_version), ("another", moved.resource_version)):
            with pytest.raises(Conflict):
                world.cluster.set_owners(live.key, hand_back(live.owners, OURS, "kubectl"), uid=uid, resource_version=version)
        assert read(world, live.document) == moved

    def test_a_release_gives_ownership_away_and_takes_our_marks(self, world: World) -> None:
        """Afterwards nothing is ours, the named labels are gone, and the spec stands as it was."""
        document = service_entry(world.namespace)
        document["metadata"]["labels"]["mesh-reconciler.io/target"] = "test"
        live = world.cluster.apply(document)
        released = world.cluster.set_owners(
            live.key,
            hand_back(live.owners, OURS, "kubectl"),
            uid=live.uid,
            resource_version=live.resource_version,
            drop_labels=["mesh-reconciler.io/target", "not-there"],
        )
        assert ours(released) == set()
        assert managers(released) == {("kubectl", "Apply")}
        assert released.labels == {"app.kubernetes.io/part-of": "shop"}
        assert (released.document["spec"], released.generation) == (live.document["spec"], live.generation)

    def test_the_generation_moves_with_the_spec_only(self, world: World) -> None:
        """Labels and status leave it alone."""
        live = world.cluster.apply(workload_entry(world.namespace))
        world.edit(live.key, {"metadata": {"labels": {"x": "y"}}}, "kubectl-label")
        world.edit(live.key, {"status": {"conditions": []}}, "istiod", subresource="status")
        assert read(world, live.document).generation == 1
        assert world.cluster.apply(workload_entry(world.namespace, weight=5)).generation == 2

    def test_a_status_is_shown_and_never_ours(self, world: World) -> None:
        """Conditions of others are in the document, under an owner of the status; our applies leave them alone."""
        live = world.cluster.apply(workload_entry(world.namespace))
        conditions = [{"type": "Healthy", "status": "False"}]
        world.edit(live.key, {"status": {"conditions": conditions}}, "pilot-discovery", subresource="status")
        after = world.cluster.apply(workload_entry(world.namespace, weight=5))
        assert after.document["status"] == {"conditions": conditions}
        assert [(o.manager, o.subresource) for o in owners_of(after, ("status",))] == [("pilot-discovery", "status")]

    def test_conditions_are_set_under_a_manager_of_their_own(self, world: World) -> None:
        """Neither the spec nor whoever owns it is touched, and what is applied later leaves them as they are."""
        document = workload_entry(world.namespace)
        live = world.cluster.apply(document)
        after = set_conditions(world, live, HEALTHY)
        assert after.document == {**document, "status": {"conditions": [HEALTHY]}}
        assert after.generation == live.generation
        assert [(o.manager, o.operation, o.subresource) for o in owners_of(after, ("status", "conditions"))] == [
            (f"{OURS}-health", "Apply", "status")
        ]
        assert [owner for owner in after.owners if not owner.subresource] == list(live.owners)
        assert world.cluster.observe().objects[live.key] == after
        again = world.cluster.apply(workload_entry(world.namespace, weight=5))
        assert again.document["status"] == {"conditions": [HEALTHY]}
        assert not world.cluster.apply(document).document.get("spec", {}).get("weight")

    def test_an_annotation_is_set_under_a_manager_of_its_own(self, world: World) -> None:
        """It is no content of ours: what is applied later leaves it as it is, and it goes without a trace."""
        live = world.cluster.apply(workload_entry(world.namespace))
        noted = world.cluster.annotate(live.key, NOTE, "1", uid=live.uid, resource_version=live.resource_version)
        assert noted.annotations[NOTE] == "1"
        (owner,) = owners_of(noted, ("metadata", "annotations", NOTE))
        assert (owner.manager, owner.operation) == (f"{OURS}-notes", "Update")
        again = world.cluster.apply(workload_entry(world.namespace, weight=5))
        assert again.annotations[NOTE] == "1"
        gone = world.cluster.annotate(live.key, NOTE, None, uid=live.uid, resource_version=again.resource_version)
        assert NOTE not in gone.annotations
        assert gone.document["spec"] == again.document["spec"]

    def test_an_annotation_is_not_set_on_what_has_moved(self, world: World) -> None:
        """Nor on another object of that name."""
        live = world.cluster.apply(workload_entry(world.namespace))
        world.cluster.apply(workload_entry(world.namespace, weight=5))
        with pytest.raises(Conflict):
            world.cluster.annotate(live.key, NOTE, "1", uid=live.uid, resource_version=live.resource_version)
        with pytest.raises(Conflict):
            world.cluster.annotate(live.key, NOTE, "1", uid="another", resource_version="")

    def test_setting_the_same_conditions_again_moves_nothing(self, world: World) -> None:
        """The version of the object stays."""
        live = set_conditions(world, world.cluster.apply(workload_entry(world.namespace)), HEALTHY)
        assert set_conditions(world, live, HEALTHY) == live

    def test_conditions_are_taken_over_from_whoever_wrote_them(self, world: World) -> None:
        """The list is atomic: another writer's update takes it, and ours takes it back, with all that it holds."""
        live = world.cluster.apply(workload_entry(world.namespace))
        bound = {"type": "istio.io/WaypointBound", "status": "True"}
        for status in ("True", "False"):
            world.edit(live.key, {"status": {"conditions": [bound]}}, "pilot-discovery", subresource="status")
            ours = {**HEALTHY, "status": status}
            after = set_conditions(world, read(world, workload_entry(world.namespace)), bound, ours)
            assert after.document["status"] == {"conditions": [bound, ours]}
            assert [owner.manager for owner in owners_of(after, ("status", "conditions"))] == [f"{OURS}-health"]

    def test_conditions_of_another_object_or_version_are_refused(self, world: World) -> None:
        """Whoever decided on them must look again."""
        live = world.cluster.apply(workload_entry(world.namespace))
        world.edit(live.key, {"spec": {"weight": 3}}, "kubectl-edit")
        with pytest.raises(Conflict):
            set_conditions(world, live, HEALTHY)
        now = read(world, workload_entry(world.namespace))
        world.remove(live.key)
        with pytest.raises(Rejected):
            set_conditions(world, now, HEALTHY)
        assert world.cluster.get(live.key) is None
        world.cluster.apply(workload_entry(world.namespace))
        with pytest.raises(Conflict):
            set_conditions(world, now, HEALTHY)

    def test_a_dry_run_tells_the_result_and_stores_nothing(self, world: World) -> None:
        """For a new object and for a change."""
        document = service_entry(world.namespace)
        assert world.cluster.dry_run(document).document == document
        assert world.cluster.get(Key.of(document)) is None
        live = world.cluster.apply(document)
        assert world.cluster.dry_run(service_entry(world.namespace, resolution="NONE", endpoints=None)).generation == 2
        assert read(world, document) == live

    @pytest.mark.case("A-01", "A-08", "D-05")
    def test_an_update_hits_only_the_object_and_version_that_it_was_decided_on(self, world: World) -> None:
        """Another version, another incarnation, and nothing at all are conflicts; nothing is created or changed."""
        document = workload_entry(world.namespace)
        first = world.cluster.apply(document)
        second = world.cluster.apply(workload_entry(world.namespace, weight=2))
        change = workload_entry(world.namespace, weight=3)
        with pytest.raises(Conflict):
            world.cluster.apply(change, uid=first.uid, resource_version=first.resource_version)
        world.remove(first.key)
        with pytest.raises(Conflict):
            world.cluster.apply(change, uid=second.uid, resource_version=second.resource_version)
        assert world.cluster.get(first.key) is None
        world.create(document, "kubectl-create")
        with pytest.raises(Conflict):
            world.cluster.apply(change, uid=second.uid, resource_version=second.resource_version)
        assert read(world, document).document["spec"] == document["spec"]

    @pytest.mark.case("C-02", "D-05")
    def test_a_create_makes_an_object_or_nothing(self, world: World) -> None:
        """Where one stands by now, ours or another's, it stays as it is; where none does, one is made and owned."""
        document = workload_entry(world.namespace)
        made = world.cluster.apply(document, resource_version=NEW)
        assert (ours(made), made.generation) == (ours(read(world, document)), 1)
        world.cluster.apply(workload_entry(world.namespace, weight=2))
        world.create(workload_entry(world.namespace, "vm-2"), "kubectl-create")
        for name in ("vm-1", "vm-2"):
            with pytest.raises(Conflict, match="exists"):
                world.cluster.apply(workload_entry(world.namespace, name, weight=3), resource_version=NEW)
        assert read(world, document).document["spec"]["weight"] == 2
        assert "weight" not in read(world, workload_entry(world.namespace, "vm-2")).document["spec"]

    @pytest.mark.case("A-08", "D-05")
    def test_a_delete_hits_only_the_object_that_it_was_decided_on(self, world: World) -> None:
        """An object that was changed, or deleted and made anew, survives; one that is gone already is fine."""
        document = workload_entry(world.namespace)
        first = world.cluster.apply(document)
        second = world.cluster.apply(workload_entry(world.namespace, weight=2))
        with pytest.raises(Conflict):
            world.cluster.delete(first.key, uid=first.uid, resource_version=first.resource_version)
        world.remove(first.key)
        world.cluster.delete(first.key, uid=second.uid, resource_version=second.resource_version)
        world.create(document, "kubectl-create")
        with pytest.raises(Conflict):
            world.cluster.delete(first.key, uid=second.uid, resource_version="")
        again = read(world, document)
        world.cluster.delete(again.key, uid=again.uid, resource_version=again.resource_version)
        assert world.cluster.get(again.key) is None

    @pytest.mark.case("A-09")
    def test_a_finalizer_keeps_an_object_that_is_being_deleted(self, world: World) -> None:
        """The delete is accepted, and the object stays visible as being deleted until the finalizer goes."""
        live = world.cluster.apply(workload_entry(world.namespace))
        world.edit(live.key, {"metadata": {"finalizers": ["example.org/hold"]}}, "holder")
        held = read(world, live.document)
        world.cluster.delete(held.key, uid=held.uid, resource_version=held.resource_version)
        assert world.cluster.observe().objects[live.key].deleting
        world.edit(live.key, {"metadata": {"finalizers": None}}, "holder")
        assert world.cluster.get(live.key) is None

    @pytest.mark.case("D-06")
    def test_a_missing_namespace_refuses_its_own_objects_only(self, world: World) -> None:
        """The server's text is in the error; objects of other namespaces are applied."""
        with pytest.raises(Rejected, match="not found") as caught:
            world.cluster.apply(workload_entry(MISSING))
        assert caught.value.status in (403, 404)
        assert world.cluster.get(Key("WorkloadEntry", MISSING, "vm-1")) is None
        assert world.cluster.apply(workload_entry(world.namespace)).uid

    @pytest.mark.case("D-06")
    def test_a_terminating_namespace_takes_nothing_new(self, world: World) -> None:
        """What is there can still be changed; the namespace shows as being deleted."""
        live = world.cluster.apply(workload_entry(world.namespace))
        world.remove(Key("Namespace", "", world.namespace))
        with pytest.raises(Rejected, match="being terminated") as caught:
            world.cluster.apply(workload_entry(world.namespace, "vm-2"))
        assert caught.value.status == 403
        assert world.cluster.observe().objects[Key("Namespace", "", world.namespace)].deleting
        assert world.cluster.apply(workload_entry(world.namespace, weight=2)).uid == live.uid

    @pytest.mark.case("A-08", "A-09")
    def test_a_namespace_is_deleted_like_any_object(self, world: World) -> None:
        """Only the one that was decided on; it stays, as being deleted, until its contents are gone."""
        key = Key("Namespace", "", world.namespace)
        live = world.cluster.get(key)
        assert live is not None
        with pytest.raises(Conflict):
            world.cluster.delete(key, uid="another", resource_version="")
        world.cluster.delete(key, uid=live.uid, resource_version=live.resource_version)
        after = world.cluster.get(key)
        assert after is not None
        assert (after.uid, after.deleting) == (live.uid, True)

    @pytest.mark.case("M-12", "T-01")
    @pytest.mark.parametrize("kind", ["Secret", "Pod", "EnvoyFilter", "Deployment"])
    def test_kinds_that_are_not_ours_are_never_written(self, world: World, kind: str) -> None:
        """Not applied, not deleted, whatever asks for it."""
        document = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "namespace": world.namespace}}
        with pytest.raises(Rejected):
            world.cluster.apply(document)
        with pytest.raises(Rejected):
            world.cluster.delete(Key.of(document), uid="u", resource_version="")

    def test_the_kinds_with_special_places_are_owned_by_item(self, world: World) -> None:
        """ServiceAccounts, PeerAuthentications and Namespaces are counted as the server counts them."""
        metadata = {"name": "a", "namespace": world.namespace}
        account: Document = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "secrets": [{"name": "s"}]}
        policy: Document = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": metadata}
        policy["spec"] = {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"80": {"mode": "STRICT"}}}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace, "labels": {"a": "b"}}}
        for document in (account, policy, namespace):
            live = world.cluster.apply(document)
            assert ours(live) == {show(path) for path in declared(document)}
            assert world.cluster.apply(document) == live
        account["secrets"] = [{"name": "t"}]
        assert world.cluster.apply(account).document["secrets"] == account["secrets"]

    def test_pods_and_services_are_read(self, world: World) -> None:
        """Pods with address, labels and readiness, Services with what they select."""
        world.put_pod("pod-1", "10.1.0.1", {"app": "billing"})
        world.put_pod("pod-2", "10.1.0.2", {"app": "billing"}, ready=False)
        world.put_service("billing", {"app": "billing"})
        state = world.cluster.observe()
        pods = [pod for pod in state.pods if pod.namespace == world.namespace]
        assert [(pod.name, pod.ip, dict(pod.labels), pod.ready) for pod in pods] == [
            ("pod-1", "10.1.0.1", {"app": "billing"}, True),
            ("pod-2", "10.1.0.2", {"app": "billing"}, False),
        ]
        services = [service for service in state.services if service.namespace == world.namespace]
        assert [(service.name, dict(service.selector)) for service in services] == [("billing", {"app": "billing"})]

    def test_what_scales_pods_is_read(self, world: World) -> None:
        """A Deployment with the replicas that it is told to keep and its Pods' labels, an HPA with its bounds and its wish."""
        here = world.namespace
        world.put_deployment("billing", 3, {"app": "billing"})
        world.put_autoscaler("billing", "billing", (2, 10), current=3, desired=4)
        state = world.cluster.observe()
        assert Controller("Deployment", here, "billing", 3, {"app": "billing"}) in state.controllers
        assert Autoscaler(here, "billing", "Deployment/billing", 2, 10, 3, 4) in state.autoscalers
        assert state.unseen == frozenset()

    @pytest.mark.case("A-13")
    def test_a_subscriber_hears_what_scales_pods(self, world: World) -> None:
        """New bounds and another wish are content, as a Pod is."""
        signal = Signal()
        world.put_autoscaler("billing", "billing", (2, 10), current=3, desired=3)
        world.cluster.subscribe(signal)
        assert signal.until(lambda: [one.maximum for one in world.cluster.observe().autoscalers] == [10])
        world.put_autoscaler("billing", "billing", (6, 12), current=3, desired=6)
        wanted = [Autoscaler(world.namespace, "billing", "Deployment/billing", 6, 12, 3, 6)]
        assert signal.until(lambda: [*world.cluster.observe().autoscalers] == wanted)

    def test_everything_inside_a_namespace_is_listed(self, world: World) -> None:
        """Objects of ours and of others, managed kinds and not, each under its group; nothing of elsewhere."""
        world.cluster.apply(service_entry(world.namespace))
        world.create(workload_entry(world.namespace), "kubectl-create")
        world.put_pod("pod-1", "10.1.0.1", {"app": "billing"})
        world.put_service("billing", {"app": "billing"})
        assert set(world.cluster.inside(world.namespace)) >= {
            Inside("networking.istio.io", "ServiceEntry", "billing"),
            Inside("networking.istio.io", "WorkloadEntry", "vm-1"),
            Inside("", "Pod", "pod-1"),
            Inside("", "Service", "billing"),
        }
        assert not {one.kind for one in world.cluster.inside(MISSING)} & {"ServiceEntry", "WorkloadEntry", "Pod", "Service"}

    def test_the_body_of_last_applied_is_not_kept(self, world: World) -> None:
        """Kubectl's annotation stays visible by name; of its value, which may hold anything, only a digest is kept."""
        document = service_entry(world.namespace)
        document["metadata"]["annotations"] = {LAST_APPLIED: '{"password": "hunter2"}'}
        world.create(document, "kubectl-client-side-apply")
        kept = read(world, document).annotations[LAST_APPLIED]
        assert kept.startswith("sha256:")
        assert "hunter2" not in kept

    @pytest.mark.case("A-13")
    def test_a_subscriber_hears_of_others_and_sees_what_they_did(self, world: World) -> None:
        """Creations, edits, deletions, Pods; and between them the observation is the very same value."""
        signal = Signal()
        world.cluster.subscribe(signal)
        document = workload_entry(world.namespace)
        key = Key.of(document)
        world.cluster.observe()
        world.create(document, "kubectl-create")
        assert signal.until(lambda: key in world.cluster.observe().objects)
        world.edit(key, {"spec": {"weight": 7}}, "kubectl-edit")
        assert signal.until(lambda: world.cluster.observe().objects[key].document["spec"].get("weight") == 7)
        world.put_pod("pod-1", "10.1.0.1", {"app": "billing"})
        assert signal.until(lambda: any(pod.ready for pod in world.cluster.observe().pods))
        world.remove(key)
        assert signal.until(lambda: key not in world.cluster.observe().objects)
        before = world.cluster.observe()
        assert world.cluster.observe() is before

    def test_a_subscriber_reads_its_own_writes(self, world: World) -> None:
        """What a write returned is what the next observation shows, however slow the watch is."""
        world.cluster.subscribe(lambda: None)
        for weight in range(1, 6):
            live = world.cluster.apply(workload_entry(world.namespace, weight=weight))
            assert world.cluster.observe().objects[live.key].document["spec"]["weight"] == weight
        world.cluster.delete(live.key, uid=live.uid, resource_version=live.resource_version)
        assert live.key not in world.cluster.observe().objects

    def test_writes_from_many_threads_all_arrive(self, world: World) -> None:
        """Forty objects by eight threads, each once, all observed."""
        documents = [workload_entry(world.namespace, f"vm-{index}") for index in range(40)]
        with ThreadPoolExecutor(8) as pool:
            written = list(pool.map(world.cluster.apply, documents))
        objects = world.cluster.observe().objects
        assert all(objects[live.key] == live for live in written)
        assert len({live.uid for live in written}) == 40
