"""Watches through a proxy that breaks them: whatever happens to one, the copy becomes true again, or says that it is not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesCluster
from reconciler.core.resources import Key
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import Cluster, ClusterState
from tests.adapters.cluster_kubernetes.conftest import Proxied
from tests.adapters.cluster_kubernetes.test_faults import account_in
from tests.adapters.cluster_kubernetes.worlds import RealWorld, settings
from tests.contracts.cluster import OURS, Signal, workload_entry
from tests.real.apiserver import RBAC, ApiServer
from tests.real.apiserver_process import ApiServerProcess
from tests.real.proxy import Proxy
from tests.waiting import SOON, becomes

WATCH = r"workloadentries\?watch=1"
SECOND = timedelta(seconds=1)


class Watched:
    """A world whose cluster is watched through the proxy, and what its watches told."""

    def __init__(self, world: RealWorld) -> None:
        self.world, self.signal = world, Signal()
        self.key = Key("WorkloadEntry", world.namespace, "vm-1")
        world.cluster.subscribe(self.signal)
        world.cluster.observe()

    def create(self, name: str = "vm-1", **spec: Any) -> dict[str, Any]:
        """Create a WorkloadEntry by another hand; returns it as the server holds it."""
        return self.world.server.kube.create(workload_entry(self.world.namespace, name, **spec), "kubectl-create")

    def weigh(self, weight: int) -> None:
        """Edit the WorkloadEntry by another hand."""
        self.world.edit(self.key, {"spec": {"weight": weight}}, "kubectl-edit")

    def weight(self) -> int | None:
        """The weight in the copy, None where the object is not in it."""
        live = trusted(self.world.cluster).objects.get(self.key)
        return live.document["spec"].get("weight", 0) if live else None

    def becomes(self, weight: int | None) -> bool:
        """Whether the copy comes to hold this weight."""
        return becomes(lambda: self.weight() == weight)


def trusted(cluster: Cluster) -> ClusterState:
    """The next observation that can be trusted."""
    ends = time.monotonic() + SOON
    while True:
        try:
            return cluster.observe()
        except Unavailable:
            if time.monotonic() > ends:
                raise
            threading.Event().wait(0.02)


def event(sort: str, document: dict[str, Any]) -> bytes:
    """One line of a watch."""
    return json.dumps({"type": sort, "object": document}).encode() + b"\n"


def renew_watches(proxy: Proxy) -> None:
    """End all watches, as a load balancer does, so that the next one meets the fault that was ordered."""
    proxy.cut()


TOO_OLD = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "message": "too old", "code": 410}


@pytest.mark.case("A-05")
def test_a_watch_that_is_cut_goes_on_where_it_was(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """What happened meanwhile arrives, and nothing is listed again for it."""
    watched = Watched(proxied())
    watched.create(weight=1)
    assert watched.becomes(1)
    lists = sum("limit=" in one.path for one in api_server_proxy.requests)
    api_server_proxy.delay(0.3, path=WATCH, times=1)
    renew_watches(api_server_proxy)
    watched.weigh(2)
    assert watched.becomes(2)
    assert sum("limit=" in one.path for one in api_server_proxy.requests) == lists


@pytest.mark.case("A-05")
@pytest.mark.parametrize("status", [410, 200])
def test_a_version_that_is_too_old_leads_to_a_new_list(proxied: Proxied, api_server_proxy: Proxy, status: int) -> None:
    """410 as the status of the watch and as an event in it."""
    watched = Watched(proxied())
    body = json.dumps(TOO_OLD).encode() if status == 410 else event("ERROR", TOO_OLD)
    api_server_proxy.respond(status, body, path=WATCH, times=2)
    renew_watches(api_server_proxy)
    watched.create(weight=3)
    assert watched.becomes(3)


@pytest.mark.case("A-05", "A-12")
@pytest.mark.parametrize(
    "body",
    [
        b"<html>bad gateway</html>\n",
        b'{"type":"MODIFIED","obj',
        b'{"type":"MODIFIED"}\n',
        b"[]\n",
        event("MODIFIED", {"kind": "Pod", "metadata": {"name": "vm-1", "namespace": "x", "uid": "u", "resourceVersion": "9"}}),
        event("DELETED", {"metadata": {}}),
        event("ERROR", {"code": 500, "message": "etcd is asleep"}),
        event("SURPRISE", {}),
        b"",
    ],
)
def test_a_watch_that_talks_nonsense_is_left_and_renewed(proxied: Proxied, api_server_proxy: Proxy, body: bytes) -> None:
    """Cut lines, strangers' pages, errors and objects of another kind: nothing of it gets into the copy."""
    watched = Watched(proxied())
    watched.create(weight=1)
    assert watched.becomes(1)
    api_server_proxy.respond(200, body, path=WATCH, times=2)
    renew_watches(api_server_proxy)
    watched.weigh(4)
    assert watched.becomes(4)
    assert {key.name for key in trusted(watched.world.cluster).objects if key.kind == "WorkloadEntry"} == {"vm-1"}


@pytest.mark.case("A-05")
def test_events_twice_and_out_of_order_do_no_harm(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """An old state that is told again, after a newer one and after the deletion, does not come back."""
    watched = Watched(proxied())
    old = watched.create(weight=1)
    watched.weigh(2)
    assert watched.becomes(2)
    stale = event("MODIFIED", old) + event("ADDED", old) + event("MODIFIED", old)
    api_server_proxy.respond(200, stale, path=WATCH, times=1)
    renew_watches(api_server_proxy)
    watched.weigh(5)
    assert watched.becomes(5)
    watched.world.remove(watched.key)
    assert watched.becomes(None)
    api_server_proxy.respond(200, stale, path=WATCH, times=1)
    renew_watches(api_server_proxy)
    watched.create("vm-2")
    assert becomes(lambda: Key("WorkloadEntry", watched.world.namespace, "vm-2") in trusted(watched.world.cluster).objects)
    assert watched.weight() is None


@pytest.mark.case("A-05")
def test_a_lost_event_is_healed_by_the_next_list(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """A watch that jumps over an event, for whatever reason, misleads us no longer than until the next full list."""
    watched = Watched(proxied(relist_interval=2 * SECOND))
    jump = watched.create(weight=6)["metadata"]["resourceVersion"]
    bookmark = {"kind": "WorkloadEntry", "metadata": {"resourceVersion": jump}}
    api_server_proxy.respond(200, event("BOOKMARK", bookmark), path=WATCH, times=None)
    renew_watches(api_server_proxy)
    assert watched.becomes(6)


@pytest.mark.case("A-05")
def test_a_half_open_watch_is_noticed(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """A watch that says nothing, not even a bookmark, is dead: meanwhile the copy is not trusted, then it goes on."""
    watched = Watched(proxied(watch_silence=2.0))
    api_server_proxy.black_hole(path="watch=1")
    renew_watches(api_server_proxy)
    watched.create(weight=7)
    assert becomes(lambda: not is_trusted(watched.world.cluster))
    api_server_proxy.heal()
    assert watched.becomes(7)


def is_trusted(cluster: Cluster) -> bool:
    """Whether the copy can be read now."""
    try:
        cluster.observe()
    except Unavailable:
        return False
    return True


@pytest.mark.case("A-02", "A-05")
def test_a_busy_server_is_listed_later(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """429 and 503 delay the first list; `observe` waits for it or says that it is not there."""
    api_server_proxy.respond(429, b"", {"Retry-After": "1"}, path="limit=", times=5)
    api_server_proxy.respond(503, b"", path="limit=", times=5)
    world = proxied()
    world.cluster.subscribe(lambda: None)
    assert Key("Namespace", "", world.namespace) in trusted(world.cluster).objects


def test_a_quiet_cluster_is_left_in_peace(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """While nothing happens, observations cost no request and are the very same value."""
    watched = Watched(proxied())
    assert becomes(lambda: sum("watch=1" in one.path for one in api_server_proxy.requests) == 20)
    before, asked = watched.world.cluster.observe(), len(api_server_proxy.requests)
    for _ in range(200):
        assert watched.world.cluster.observe() is before
    threading.Event().wait(1.2)
    assert len(api_server_proxy.requests) == asked


def test_another_version_with_the_same_content_is_not_news(proxied: Proxied) -> None:
    """A write that only moves versions keeps preconditions fresh without waking anybody."""
    watched = Watched(proxied())
    watched.create(weight=1)
    assert watched.becomes(1)
    state, calls = watched.world.cluster.observe(), watched.signal.calls
    live = watched.world.cluster.get(watched.key)
    assert live is not None
    written = watched.world.cluster.set_owners(
        watched.key, live.owners, uid=live.uid, resource_version=live.resource_version, drop_labels=["none"]
    )
    after = watched.world.cluster.observe()
    assert after.objects[watched.key].resource_version == written.resource_version
    assert (after.version, watched.signal.calls) == (state.version, calls)


def test_closing_ends_every_thread_at_once(proxied: Proxied) -> None:
    """Also those that wait for a silent watch; closing twice is fine."""
    watched = Watched(proxied())
    began = time.monotonic()
    watched.world.cluster.close()
    watched.world.cluster.close()
    assert time.monotonic() - began < 2
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("watch-")]


@pytest.mark.case("D-12")
def test_a_crd_that_is_missing_is_noticed_and_so_is_its_return(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """While nobody serves a kind it is unserved, the others are watched; it is asked for again at each list."""
    api_server_proxy.respond(404, b"404 page not found\n", path="workloadentries", times=None)
    watched = Watched(proxied(relist_interval=SECOND))
    watched.create(weight=8)
    assert becomes(lambda: trusted(watched.world.cluster).unserved == {"WorkloadEntry"})
    api_server_proxy.heal()
    assert watched.becomes(8)
    assert trusted(watched.world.cluster).unserved == frozenset()


@pytest.mark.case("A-06", "D-12")
def test_what_scales_pods_is_watched_as_soon_as_we_may(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """Until then nothing is known of it, and all else is watched."""
    api_server_proxy.respond(403, b'{"kind": "Status", "message": "forbidden"}', path="autoscaling/v2/", times=None)
    watched = Watched(proxied(relist_interval=SECOND, namespaces=()))
    watched.world.put_autoscaler("billing", "billing", (2, 10), current=2, desired=2)
    watched.create(weight=8)
    assert becomes(lambda: trusted(watched.world.cluster).unseen == {("HorizontalPodAutoscaler", "")})
    assert watched.becomes(8)
    api_server_proxy.heal()
    assert becomes(lambda: "billing" in {one.name for one in trusted(watched.world.cluster).autoscalers})
    assert trusted(watched.world.cluster).unseen == frozenset()


@pytest.mark.case("A-06")
def test_rights_that_come_and_go_are_noticed(
    api_server: ApiServer, new_namespace: Callable[[str], str], tmp_path: Path
) -> None:
    """A namespace that may not be read is unread while the others are watched; once it may be, it is read."""
    mine, theirs = new_namespace("mine"), new_namespace("theirs")
    chosen = settings(account_in(api_server, mine, tmp_path), mine, theirs, relist_interval=SECOND)
    cluster = KubernetesCluster(KubernetesApi(chosen), OURS)
    cluster.subscribe(lambda: None)
    try:
        assert trusted(cluster).unread == {theirs, ""}
        live = cluster.apply(workload_entry(mine))
        assert live.key in trusted(cluster).objects
        subject = {"kind": "ServiceAccount", "name": "tenant", "namespace": mine}
        reference = {"apiGroup": RBAC.partition("/")[0], "kind": "ClusterRole", "name": "cluster-admin"}
        binding = {"metadata": {"name": "tenant", "namespace": theirs}, "subjects": [subject], "roleRef": reference}
        api_server.kube.create({"apiVersion": RBAC, "kind": "RoleBinding", **binding})
        assert becomes(lambda: trusted(cluster).unread == {""})
    finally:
        cluster.close()


@pytest.mark.case("A-06")
def test_missing_rights_without_named_namespaces_are_an_error(
    api_server: ApiServer, new_namespace: Callable[[str], str], tmp_path: Path
) -> None:
    """The watched copy says the same as a one-shot read, each time it is asked."""
    cluster = KubernetesCluster(KubernetesApi(settings(account_in(api_server, new_namespace("mine"), tmp_path))), OURS)
    cluster.subscribe(lambda: None)
    try:
        for _ in range(2):
            with pytest.raises(Rejected, match="name the namespaces to manage"):
                cluster.observe()
    finally:
        cluster.close()


@pytest.mark.case("A-04", "A-05")
@pytest.mark.timeout(90)
def test_a_server_that_dies_and_forgets_is_found_again(restartable_api_server: ApiServerProcess, tmp_path: Path) -> None:
    """Down: cannot observe. Back, with its history compacted away: all that happened is seen. Paused: not trusted for long."""
    process = restartable_api_server
    process.server.kube.create_namespace("shop")
    chosen = settings(process.server.kubeconfig, "shop", watch_silence=4.0, read_timeout=2.0, connect_timeout=1.0)
    world = RealWorld(process.server, "shop", chosen)
    watched = Watched(world)
    watched.create(weight=1)
    assert watched.becomes(1)
    process.kill()
    assert becomes(lambda: not is_trusted(world.cluster))
    with pytest.raises(Unavailable):
        world.cluster.apply(workload_entry("shop", weight=2))
    process.start()
    watched.weigh(9)
    process.forget_history()
    assert watched.becomes(9)
    process.pause()
    assert becomes(lambda: not is_trusted(world.cluster))
    process.resume()
    assert watched.becomes(9)
    world.cluster.close()
