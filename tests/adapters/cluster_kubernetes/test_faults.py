"""Single requests through a proxy that breaks them: nothing is guessed, nothing done twice, nothing half read."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesCluster
from reconciler.adapters.cluster_kubernetes.api import waiting
from reconciler.core.resources import Key
from reconciler.errors import Conflict, Rejected, Unavailable
from reconciler.ports import NEW
from tests.adapters.cluster_kubernetes.conftest import Proxied
from tests.adapters.cluster_kubernetes.worlds import IMPATIENT, RealWorld, settings
from tests.contracts.cluster import OURS, read, service_entry, workload_entry
from tests.real.apiserver import RBAC, ApiServer
from tests.real.proxy import Proxy
from tests.waiting import becomes

ENTRIES = "/workloadentries"
HTML = b"<html>Sign in to the hotel's network</html>"
TOO_OLD = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","message":"too old","code":410}'


def sent(proxy: Proxy, method: str, path: str = ENTRIES) -> int:
    """How many such requests came through the proxy."""
    return sum(one.method == method and path in one.path for one in proxy.requests)


def versions_written(world: RealWorld, key: Key) -> int:
    """The generation: how often the spec was really changed."""
    live = world.cluster.get(key)
    return live.generation if live else 0


@pytest.mark.case("A-02")
@pytest.mark.parametrize("header", ["0", "Mon, 23 Nov 2099 12:00:00 GMT", "-7", "1000000000", None])
def test_a_busy_server_is_asked_again_later(proxied: Proxied, api_server_proxy: Proxy, header: str | None) -> None:
    """429 was not carried out: reads and writes come again, and no Retry-After holds us longer than our own limit."""
    world = proxied()
    headers = {"Retry-After": header, "Date": "Mon, 23 Nov 2026 12:00:00 GMT"} if header else {}
    api_server_proxy.respond(429, b"slow down", headers, path=ENTRIES, times=1)
    began = time.monotonic()
    live = world.cluster.apply(workload_entry(world.namespace))
    assert versions_written(world, live.key) == 1
    assert sent(api_server_proxy, "PATCH") == 2
    assert time.monotonic() - began < 5


@pytest.mark.case("A-02")
def test_retry_after_is_waited_for(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """As long as the server says, where that is within our limit."""
    world = proxied(writing=replace(IMPATIENT, longest_retry_after=5.0))
    api_server_proxy.respond(429, b"slow down", {"Retry-After": "1"}, method="PATCH")
    world.cluster.apply(workload_entry(world.namespace))
    first, second = (one.at for one in api_server_proxy.requests if one.method == "PATCH")
    assert second - first >= 1.0


@pytest.mark.case("A-02", "A-03")
def test_patience_ends(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """A server that stays busy is unavailable after a bounded number of tries, and says when to come back."""
    world = proxied()
    api_server_proxy.respond(429, b"slow down", {"Retry-After": "9"}, method="PATCH", times=None)
    with pytest.raises(Unavailable, match="overloaded") as caught:
        world.cluster.apply(workload_entry(world.namespace))
    assert caught.value.retry_after == 9
    assert sent(api_server_proxy, "PATCH") == IMPATIENT.attempts


@pytest.mark.case("K-05")
def test_a_process_that_sleeps_between_two_tries_does_not_try_again(
    proxied_api_server: ApiServer, api_server_proxy: Proxy, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopped for ten minutes while it waited for a busy server: the write that the lease covered then is not sent now."""
    slept: list[float] = []
    api = KubernetesApi(settings(proxied_api_server.kubeconfig, namespace), lambda: time.monotonic() + sum(slept))
    cluster = KubernetesCluster(api, OURS)
    cluster.apply(workload_entry(namespace))
    api_server_proxy.respond(429, b"slow down", method="PATCH", times=1)

    def sleep(_: logging.LogRecord) -> bool:
        slept.append(600.0)
        return True

    caplog.set_level(logging.INFO)
    waiting.addFilter(sleep)  # it tells that it waits, once it has decided to
    try:
        with pytest.raises(Unavailable, match="not sent any more"):
            cluster.apply(workload_entry(namespace, weight=2))
    finally:
        waiting.removeFilter(sleep)
    assert (sent(api_server_proxy, "PATCH"), slept) == (2, [600.0])
    assert cluster.apply(workload_entry(namespace, weight=3)).document["spec"]["weight"] == 3
    cluster.close()


@pytest.mark.case("A-03")
def test_a_lost_answer_is_read_back_and_counted_once(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """The server did it and the connection broke: the object is read back, not written again."""
    world = proxied()
    api_server_proxy.lose_answer(method="PATCH")
    live = world.cluster.apply(workload_entry(world.namespace))
    assert sent(api_server_proxy, "PATCH") == 1
    api_server_proxy.lose_answer(method="PATCH")
    changed = workload_entry(world.namespace, weight=2)
    after = world.cluster.apply(changed, uid=live.uid, resource_version=live.resource_version)
    assert (after.generation, after.document["spec"]["weight"]) == (2, 2)
    assert sent(api_server_proxy, "PATCH") == 2


@pytest.mark.case("A-03")
def test_a_lost_request_is_sent_again_after_reading_back(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """Reset before the server heard of it, and bursts of 500 and 503: written in the end, once."""
    world = proxied()
    api_server_proxy.reset(method="PATCH")
    live = world.cluster.apply(workload_entry(world.namespace))
    api_server_proxy.respond(500, b"", method="PATCH", times=1)
    api_server_proxy.respond(503, HTML, method="PATCH", times=1)
    after = world.cluster.apply(workload_entry(world.namespace, weight=2), uid=live.uid, resource_version=live.resource_version)
    assert after.generation == 2
    order = [one.method for one in api_server_proxy.requests if ENTRIES in one.path]
    assert order == ["PATCH", "GET", "PATCH", "PATCH", "GET", "PATCH", "GET", "PATCH"]


@pytest.mark.case("A-03")
def test_a_timeout_is_an_unknown_outcome(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """A write that nobody answers ends in time; what became of it is read back, or said to be unknown."""
    world = proxied(write_timeout=0.3, read_timeout=0.3, connect_timeout=1.0)
    api_server_proxy.black_hole(method="PATCH", path=ENTRIES)
    with pytest.raises(Unavailable, match="was not carried out"):
        world.cluster.apply(workload_entry(world.namespace))
    api_server_proxy.black_hole(method="GET", path=ENTRIES)
    with pytest.raises(Unavailable, match="outcome unknown"):
        world.cluster.apply(workload_entry(world.namespace))
    api_server_proxy.heal()
    assert world.cluster.get(Key("WorkloadEntry", world.namespace, "vm-1")) is None


@pytest.mark.case("A-03")
def test_a_conflict_with_our_own_lost_write_is_no_conflict(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """A write that took effect after it was read back makes the second one fail; that is success."""
    world = proxied(write_timeout=0.5)
    live = world.cluster.apply(workload_entry(world.namespace))
    changed = workload_entry(world.namespace, weight=2)
    api_server_proxy.delay(1.0, method="PATCH", times=1)  # the first one arrives late,
    api_server_proxy.delay(0.4, method="PATCH", times=1)  # while the second is on its way
    after = world.cluster.apply(changed, uid=live.uid, resource_version=live.resource_version)
    assert after.generation == 2


@pytest.mark.case("A-03")
@pytest.mark.parametrize("late", [0.0, 1.0])
def test_a_create_whose_answer_was_lost_is_made_once(proxied: Proxied, api_server_proxy: Proxy, late: float) -> None:
    """Also where it took effect only after it was read back, so that the second one finds the object made."""
    world = proxied(write_timeout=0.5)
    if late:
        api_server_proxy.delay(late, method="PATCH", times=1)
        api_server_proxy.delay(0.4, method="PATCH", times=1)
    else:
        api_server_proxy.lose_answer(method="PATCH")
    made = world.cluster.apply(workload_entry(world.namespace), resource_version=NEW)
    assert (made.generation, versions_written(world, made.key)) == (1, 1)


@pytest.mark.case("A-03", "A-08")
def test_a_delete_with_a_lost_answer_is_read_back(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """Gone is done, whoever did it; another object of that name stays."""
    world = proxied()
    live = world.cluster.apply(workload_entry(world.namespace))
    api_server_proxy.lose_answer(method="DELETE")
    world.cluster.delete(live.key, uid=live.uid, resource_version=live.resource_version)
    assert sent(api_server_proxy, "DELETE") == 1
    again = world.cluster.apply(workload_entry(world.namespace))
    api_server_proxy.reset(method="DELETE")
    with pytest.raises(Conflict):
        world.cluster.delete(live.key, uid=again.uid, resource_version=live.resource_version)
    assert read(world, again.document) == again


@pytest.mark.case("A-03")
def test_a_hand_over_with_a_lost_answer_is_read_back(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """The owners are as asked for: done."""
    world = proxied()
    live = world.cluster.apply(workload_entry(world.namespace))
    owners = [replace(owner, manager="kubectl") for owner in live.owners]
    api_server_proxy.lose_answer(method="PATCH")
    after = world.cluster.set_owners(live.key, owners, uid=live.uid, resource_version=live.resource_version)
    assert [owner.manager for owner in after.owners] == ["kubectl"]
    assert sent(api_server_proxy, "PATCH") == 2


@pytest.mark.case("A-12")
@pytest.mark.parametrize(
    "body", [HTML, b"{}", b'{"kind":"WorkloadEntry","metadata":{"name":"other","namespace":"shop"}}', b"[]"]
)
def test_a_wrong_answer_with_status_200_is_a_failure(proxied: Proxied, api_server_proxy: Proxy, body: bytes) -> None:
    """A proxy's page or somebody else's object is never taken for ours: read, list and write alike."""
    world = proxied()
    key = Key("WorkloadEntry", world.namespace, "vm-1")
    api_server_proxy.respond(200, body, path=ENTRIES, times=None)
    calls: tuple[Callable[[], object], ...] = (
        lambda: world.cluster.get(key),
        lambda: world.cluster.apply(workload_entry(world.namespace)),
        lambda: world.cluster.dry_run(workload_entry(world.namespace)),
        world.cluster.observe,
    )
    for call in calls:
        with pytest.raises(Unavailable):
            call()
    api_server_proxy.heal()
    assert world.cluster.get(key) is None


@pytest.mark.case("A-12")
def test_a_delete_answered_by_a_stranger_is_read_back(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """A page with status 200 deletes nothing, so the delete is sent again."""
    world = proxied()
    live = world.cluster.apply(workload_entry(world.namespace))
    api_server_proxy.respond(200, HTML, method="DELETE")
    world.cluster.delete(live.key, uid=live.uid, resource_version=live.resource_version)
    assert world.cluster.get(live.key) is None
    assert sent(api_server_proxy, "DELETE") == 2


def test_a_redirect_is_not_followed(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """Our credentials go nowhere else."""
    world = proxied()
    api_server_proxy.respond(302, b"", {"Location": f"{api_server_proxy.url}/elsewhere"}, path=ENTRIES, times=None)
    with pytest.raises(Unavailable, match="302"):
        world.cluster.get(Key("WorkloadEntry", world.namespace, "vm-1"))
    assert not any("elsewhere" in one.path for one in api_server_proxy.requests)


@pytest.mark.case("D-04")
def test_a_list_in_pages_is_complete(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """Many small pages make the same whole as one big one."""
    world = proxied(page_size=3, namespaces=())
    for index in range(10):
        world.cluster.apply(workload_entry(world.namespace, f"vm-{index}"))
    found = [key for key in world.cluster.observe().objects if key.namespace == world.namespace]
    assert len(found) == 10
    assert any("continue=" in one.path for one in api_server_proxy.requests)


@pytest.mark.case("D-04")
@pytest.mark.parametrize("times", [1, 50])
def test_an_expired_page_begins_the_list_anew(proxied: Proxied, api_server_proxy: Proxy, times: int) -> None:
    """A continue token that is too old is no end of the list; a server that forgets too fast is asked for all at once."""
    world = proxied(page_size=3)
    for index in range(10):
        world.cluster.apply(workload_entry(world.namespace, f"vm-{index}"))
    api_server_proxy.respond(410, TOO_OLD, path=f"{ENTRIES}.*continue=", times=times)
    found = [key for key in world.cluster.observe().objects if key.kind == "WorkloadEntry"]
    assert len(found) == 10


@pytest.mark.case("D-04")
def test_a_list_that_breaks_off_is_no_list(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """Cut in the middle of a page, of a token, or failing on a later page: an error, never a shorter list."""
    world = proxied(page_size=3)
    for index in range(10):
        world.cluster.apply(workload_entry(world.namespace, f"vm-{index}"))
    api_server_proxy.truncate(200, path=ENTRIES, times=None)
    with pytest.raises(Unavailable):
        world.cluster.observe()
    api_server_proxy.heal()
    api_server_proxy.respond(500, b"", path=f"{ENTRIES}.*continue=", times=None)
    with pytest.raises(Unavailable):
        world.cluster.observe()
    api_server_proxy.heal()
    api_server_proxy.truncate(200, path=ENTRIES, times=1)
    assert len([key for key in world.cluster.observe().objects if key.kind == "WorkloadEntry"]) == 10


def test_a_dripping_server_does_not_hold_us(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """An answer that does not end in time is no answer."""
    world = proxied(answer_timeout=0.5, read_timeout=0.4, connect_timeout=1.0)
    api_server_proxy.delay(0.6, path=ENTRIES)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        world.cluster.get(Key("WorkloadEntry", world.namespace, "vm-1"))
    assert time.monotonic() - began < 10


@pytest.mark.case("D-12")
def test_a_missing_crd_is_a_state_of_its_own(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """Its objects are not absent but unknown, and cannot be written; other kinds are as ever."""
    world = proxied()
    live = world.cluster.apply(service_entry(world.namespace))
    api_server_proxy.respond(404, b"404 page not found\n", path=ENTRIES, times=None)
    state = world.cluster.observe()
    assert state.unserved == {"WorkloadEntry"}
    assert live.key in state.objects
    key = Key("WorkloadEntry", world.namespace, "vm-1")
    calls: tuple[Callable[[], object], ...] = (
        lambda: world.cluster.apply(workload_entry(world.namespace)),
        lambda: world.cluster.get(key),
        lambda: world.cluster.delete(key, uid="u", resource_version=""),
    )
    for call in calls:
        with pytest.raises(Rejected, match=r"install the CRD workloadentries\.networking\.istio\.io"):
            call()


@pytest.mark.case("A-06", "D-12")
@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"404 page not found\n"), (403, b'{"kind": "Status", "reason": "Forbidden", "message": "forbidden"}')],
)
def test_what_scales_pods_may_be_hidden(proxied: Proxied, api_server_proxy: Proxy, status: int, body: bytes) -> None:
    """An API that nobody serves, or rights that lack: not known, and said; all else is read, no namespace is unread."""
    world = proxied(namespaces=())
    world.put_deployment("billing", 3, {"app": "billing"})
    live = world.cluster.apply(workload_entry(world.namespace))
    api_server_proxy.respond(status, body, path="autoscaling/v2/", times=None)
    state = world.cluster.observe()
    assert state.unseen == {("HorizontalPodAutoscaler", "")}
    assert (state.unread, state.unserved, state.autoscalers) == (frozenset(), frozenset(), ())
    assert [one.replicas for one in state.controllers if one.namespace == world.namespace] == [3]
    assert state.objects[live.key] == live


@pytest.mark.case("D-12")
@pytest.mark.parametrize("oldest", ["v1beta1", "v1alpha3"])
def test_an_older_version_is_taken_where_it_is_all_there_is(proxied: Proxied, api_server_proxy: Proxy, oldest: str) -> None:
    """Reads and writes go under the version that is served; what we see is the same."""
    world = proxied()
    absent = "v1/" if oldest == "v1beta1" else "(v1|v1beta1)/"
    api_server_proxy.respond(404, b"404 page not found\n", path=f"networking.istio.io/{absent}.*{ENTRIES}", times=None)
    document = workload_entry(world.namespace)
    live = world.cluster.apply(document)
    assert live.document == document
    assert live.owners[0].api_version == f"networking.istio.io/{oldest}"
    state = world.cluster.observe()
    assert state.objects[live.key] == live
    assert state.unserved == frozenset()
    world.cluster.delete(live.key, uid=live.uid, resource_version=live.resource_version)


def test_a_404_of_a_stranger_is_no_absence(proxied: Proxied, api_server_proxy: Proxy) -> None:
    """A load balancer without a backend says 404 too."""
    world = proxied()
    api_server_proxy.respond(404, HTML, path=ENTRIES, times=None)
    with pytest.raises(Unavailable):
        world.cluster.get(Key("WorkloadEntry", world.namespace, "vm-1"))
    with pytest.raises(Unavailable):
        world.cluster.observe()


@pytest.mark.case("A-04")
def test_a_server_that_is_down_is_unavailable(tmp_path: Path, api_server: ApiServer) -> None:
    """Refused connections are tried for a while, then said; nothing hangs and nothing is concluded."""
    with Proxy(api_server.url, ca=api_server.ca, certificate=api_server.certificate) as proxy:
        kubeconfig = api_server.write_kubeconfig(tmp_path / "config", url=proxy.url)
    cluster = KubernetesCluster(KubernetesApi(settings(kubeconfig)), OURS)
    with pytest.raises(Unavailable, match="cannot be reached"):
        cluster.observe()
    with pytest.raises(Unavailable, match="cannot be reached"):
        cluster.apply(workload_entry("shop"))


@pytest.mark.case("A-11")
def test_rotated_credentials_are_loaded_anew(
    api_server: ApiServer, api_server_proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    """A token that expires in the middle of an apply is read again from its file; the write is done once."""
    kubeconfig = api_server.write_kubeconfig(tmp_path / "config", url=api_server_proxy.url)
    world = RealWorld(api_server, namespace, settings(kubeconfig, namespace))
    live = world.cluster.apply(workload_entry(namespace))
    api_server.write_kubeconfig(kubeconfig)  # what it says now does not lead through the proxy
    api_server_proxy.respond(401, b"token expired", method="PATCH", times=None)
    changed = workload_entry(namespace, weight=2)
    after = world.cluster.apply(changed, uid=live.uid, resource_version=live.resource_version)
    assert after.generation == 2
    assert sent(api_server_proxy, "PATCH") == 2


@pytest.mark.case("A-11")
def test_credentials_that_stay_wrong_are_said_so(api_server: ApiServer, namespace: str, tmp_path: Path) -> None:
    """One reload, then an error that names the cause; the token is not in it."""
    kubeconfig = api_server.write_kubeconfig(tmp_path / "config", token="wrong-token")
    cluster = KubernetesCluster(KubernetesApi(settings(kubeconfig, namespace)), OURS)
    for call in (cluster.observe, lambda: cluster.apply(workload_entry(namespace))):
        with pytest.raises(Unavailable, match="does not accept our credentials") as caught:
            call()
        assert "wrong-token" not in str(caught.value)


@pytest.mark.case("A-06")
def test_a_forbidden_namespace_is_unread_and_others_proceed(
    api_server: ApiServer, new_namespace: Callable[[str], str], tmp_path: Path
) -> None:
    """With rights in one of two namespaces: that one is read and written, the other one and the cluster's own are unread."""
    mine, theirs = new_namespace("mine"), new_namespace("theirs")
    kubeconfig = account_in(api_server, mine, tmp_path)
    cluster = KubernetesCluster(KubernetesApi(settings(kubeconfig, mine, theirs)), OURS)
    live = cluster.apply(workload_entry(mine))
    state = cluster.observe()
    assert state.unread == {theirs, ""}
    assert {key for key in state.objects if key.kind == "WorkloadEntry"} == {live.key}
    with pytest.raises(Rejected, match="forbidden") as caught:
        cluster.apply(workload_entry(theirs))
    assert caught.value.status == 403


@pytest.mark.case("A-06")
def test_missing_rights_without_named_namespaces_say_what_to_do(
    api_server: ApiServer, new_namespace: Callable[[str], str], tmp_path: Path
) -> None:
    """Nobody can say what is missing then, so nothing is concluded."""
    kubeconfig = account_in(api_server, new_namespace("mine"), tmp_path)
    with pytest.raises(Rejected, match="name the namespaces to manage"):
        KubernetesCluster(KubernetesApi(settings(kubeconfig)), OURS).observe()


def test_a_view_only_account_observes_everything(api_server: ApiServer, namespace: str, tmp_path: Path) -> None:
    """Reading needs get and list, and nothing is written on the way."""
    token = api_server.account(namespace, "viewer").token
    cluster = KubernetesCluster(
        KubernetesApi(settings(api_server.write_kubeconfig(tmp_path / "config", token), namespace)), OURS
    )
    assert Key("Namespace", "", namespace) in cluster.observe().objects
    assert len(cluster.crds()) == 12
    with pytest.raises(Rejected, match="forbidden"):
        cluster.apply(workload_entry(namespace))


@pytest.mark.case("A-07")
def test_an_admission_policy_that_says_no_is_quoted(proxied: Proxied, api_server: ApiServer) -> None:
    """Its text is the error, and the write is not tried again."""
    world = proxied()
    name = world.namespace
    group = "admissionregistration.k8s.io/v1"
    rules = [{"apiGroups": ["networking.istio.io"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}]
    selector = {"matchLabels": {"kubernetes.io/metadata.name": name}}
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules},
        "validations": [{"expression": "false", "message": "no VMs on Fridays"}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": selector}}
    policies = {"apiVersion": group, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": policy}
    bindings = {"apiVersion": group, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": binding}
    for kind, document in (("ies", policies), ("ybindings", bindings)):
        api_server.kube.request("POST", f"/apis/{group}/validatingadmissionpolic{kind}", document)
    assert becomes(lambda: refusal(world)), "the policy never took effect"
    assert "no VMs on Fridays" in refusal(world)


def refusal(world: RealWorld) -> str:
    """Why a dry run of a new object is refused, empty if it is not."""
    try:
        world.cluster.dry_run(workload_entry(world.namespace))
    except Rejected as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a?b", "A", "-a", "a" * 254, "a\n", "é"])
def test_a_name_that_is_none_reaches_no_server(proxied: Proxied, api_server_proxy: Proxy, name: str) -> None:
    """Above all not the collection, where a delete would mean everything."""
    world = proxied(namespaces=())
    for key in (Key("WorkloadEntry", world.namespace, name), Key("WorkloadEntry", name, "vm-1"), Key("Namespace", "", name)):
        with pytest.raises(Rejected, match="no name"):
            world.cluster.delete(key, uid="u", resource_version="1")
        with pytest.raises(Rejected, match="no name"):
            world.cluster.get(key)
    assert api_server_proxy.requests == ()


def test_an_unknown_field_is_refused_not_dropped(proxied: Proxied) -> None:
    """The server answers 500 to that; it is our document that is wrong, so it is not sent again."""
    world = proxied()
    with pytest.raises(Rejected, match=r"\.spec\.adress"):
        world.cluster.apply(workload_entry(world.namespace, adress="10.0.0.1"))


def account_in(api_server: ApiServer, namespace: str, folder: Path) -> Path:
    """The kubeconfig of an account that may do everything in one namespace and nothing elsewhere."""
    name = {"name": "tenant", "namespace": namespace}
    role = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    subject = {"kind": "ServiceAccount", "name": "tenant", "namespace": namespace}
    reference = {"apiGroup": RBAC.partition("/")[0], "kind": "Role", "name": "tenant"}
    for document in (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name},
        {"apiVersion": RBAC, "kind": "Role", "metadata": name, **role},
        {"apiVersion": RBAC, "kind": "RoleBinding", "metadata": name, "subjects": [subject], "roleRef": reference},
    ):
        api_server.kube.create(document)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/tenant/token"
    return api_server.write_kubeconfig(folder / "tenant", api_server.kube.request("POST", path, request)["status"]["token"])
