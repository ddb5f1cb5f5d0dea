"""`serve` as a process: what makes it act, what it asks of whom while nothing changes, how it ends and begins again."""

from __future__ import annotations

import json
import re
from datetime import datetime
from itertools import pairwise
from signal import SIGINT, SIGKILL, SIGTERM

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.registry_sql import SqlRegistry
from reconciler.core.resources import Key
from tests.building import machine
from tests.e2e.command import Running
from tests.e2e.manifests import billing, entry
from tests.e2e.site import LEASES, NETWORKING, Site
from tests.real.apiserver import ApiServer
from tests.real.git_https import Authority, GitHttps
from tests.real.kube import Document
from tests.real.proxy import Proxy
from tests.waiting import becomes

#: Seconds for one test: each starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)


def vm(site: Site, number: int = 1) -> Document:
    """What names one of billing's WorkloadEntries."""
    name = {"namespace": site.namespace, "name": f"billing-vm-{number}"}
    return {"apiVersion": NETWORKING, "kind": "WorkloadEntry", "metadata": name}


def weights(site: Site) -> set[int]:
    """The weights that the cluster's WorkloadEntries have."""
    return {one["spec"]["weight"] for one in site.objects("WorkloadEntry").values()}


def served(site: Site, *options: str) -> Running:
    """`serve` on a local repository that is asked once an hour."""
    return site.reconciler.start("serve", "--allow-local", "--poll-interval", "1h", *options)


def settled(serve: Running) -> int:
    """Wait until the first commit is applied and seen to be; returns the number of lines until then."""
    return serve.wait_for("In sync", serve.wait_for("Applied: 7 writes done"))


@pytest.fixture
def over_https(site: Site, https: GitHttps, authority: Authority, proxied_api_server: ApiServer) -> Site:
    """The target with its repository on a server, and a proxy before the API server; billing is in Git."""
    site.repository.commit(billing(site.namespace))
    return site.with_variables(
        RECONCILER_REPO=f"{https.url}/{site.repository.path.name}",
        RECONCILER_GIT__CA_FILE=str(authority.certificate),
        RECONCILER_KUBECONFIG=str(proxied_api_server.kubeconfig),
    )


@pytest.mark.case("G-11")
def test_it_follows_git_by_polling(over_https: Site, https: GitHttps, api_server_proxy: Proxy) -> None:
    """While nothing changes it asks Git alone; while Git is down it keeps to the commit that it accepted last."""
    site = over_https
    with site.reconciler.start("serve", "--poll-interval", "1s") as serve:
        seen = settled(serve)
        requests, polls = len(api_server_proxy.requests), len(https.seen)
        assert becomes(lambda: len(https.seen) > polls + 8)
        quiet = [f"{one.method} {one.path}" for one in api_server_proxy.requests[requests:]]
        assert [one for one in quiet if "watch=1" not in one and "/leases/" not in one] == []
        assert len(serve.lines) == seen

        https.faults.status = 503
        seen = serve.wait_for("stays in force", seen)
        site.kube.delete(vm(site))
        seen = serve.wait_for("done: create WorkloadEntry", seen)
        assert len(site.objects("WorkloadEntry")) == 3

        https.heal()
        site.repository.commit(billing(site.namespace, weight=20))
        serve.wait_for("In sync", serve.wait_for("done: update WorkloadEntry", seen))
        assert weights(site) == {20}
        assert serve.end() == 0
    assert site.lease_holder() == ""


def test_it_acts_at_once_on_commits_and_drift(site: Site) -> None:
    """A watched repository and both stores nudge it; nothing is polled; one cycle at a time, however much happens."""
    site = site.with_variables(RECONCILER_CONFLICTS="take")
    site.repository.commit(billing(site.namespace))
    with served(site) as serve:
        seen = settled(serve)
        site.repository.commit(billing(site.namespace, weight=20))
        seen = serve.wait_for("In sync", serve.wait_for("done: update WorkloadEntry", seen))
        assert weights(site) == {20}

        site.kube.delete(vm(site))
        seen = serve.wait_for("done: create WorkloadEntry", seen)
        site.kube.patch(vm(site, 2), {"spec": {"weight": 99}}, manager="kubectl-edit")
        seen = serve.wait_for("done: update WorkloadEntry", seen)
        assert weights(site) == {20}
        registry = SqlRegistry(f"sqlite:///{site.data / 'registry.db'}", site.target, SystemClock())
        key = Key("VirtualMachine", site.namespace, "billing-vm-1")
        live = registry.get(key)
        assert live
        registry.put(
            {**machine(key.name, address="10.9.9.9"), "metadata": live.document["metadata"]},
            resource_version=live.resource_version,
        )
        seen = serve.wait_for("done: update VirtualMachine", seen)
        registry.close()
        assert site.records()["billing-vm-1"] == "10.20.1.1"

        for weight in range(21, 30):
            site.repository.commit(billing(site.namespace, weight=weight))
            site.kube.patch(vm(site, 2), {"spec": {"weight": 99}}, manager="kubectl-edit")
        last = site.repository.commit(billing(site.namespace, weight=30))
        serve.wait_for(f"{last[:10]}: In sync", seen)
        assert weights(site) == {30}
        assert serve.end(SIGINT) == 0
        assert serve.lines[-1].endswith("stopped")
    runs = json.loads(site.reconciler("history", "-o", "json", code=0).out)
    times = sorted((datetime.fromisoformat(run["started"]), datetime.fromisoformat(run["ended"])) for run in runs)
    assert all(before[1] <= after[0] for before, after in pairwise(times))


def test_a_bad_commit_and_a_guard_hold_while_the_rest_goes_on(site: Site) -> None:
    """The last good commit stays in force, and is defended; a person's approval is found without a new commit."""
    site.repository.commit(billing(site.namespace))
    with served(site) as serve:
        seen = settled(serve)
        broken = billing(site.namespace, weight=20) | {
            "billing/service-entry.yaml": entry(site.namespace).replace("STATIC", "X")
        }
        site.repository.commit(broken)
        seen = serve.wait_for("Invalid: 1 error in Git", seen)
        serve.wait_for("billing/service-entry.yaml:10:15: error: ", seen)
        site.kube.delete(vm(site))
        seen = serve.wait_for("done: create WorkloadEntry", seen)
        assert weights(site) == {10}

        site.repository.commit(billing(site.namespace, port=8080))
        seen = serve.wait_for("next: reconciler approve ", seen)
        command = re.search(r"reconciler (approve \w{64} --allow \S+) ", serve.lines[seen - 1])
        assert command
        site.reconciler(*command[1].split(), "--reason", "agreed", code=0)
        serve.wait_for("done: update ServiceEntry", seen)
        assert serve.end() == 0


@pytest.mark.case("A-01")
def test_killed_in_a_write_it_goes_on_where_it_was(over_https: Site, api_server_proxy: Proxy) -> None:
    """The next one stands by while the dead one's lease lasts (which the test cuts short), then reads back and converges."""
    site = over_https
    api_server_proxy.black_hole(method="PATCH", path="/serviceentries/")
    with site.reconciler.start("serve") as serve:
        assert becomes(
            lambda: any(one.method == "PATCH" and "/serviceentries/" in one.path for one in api_server_proxy.requests)
        )
        assert serve.end(SIGKILL) == -SIGKILL
    api_server_proxy.heal()
    assert site.objects("ServiceEntry") == {}
    assert len(site.objects("WorkloadEntry")) == 3
    with site.reconciler.start("serve") as serve:
        seen = serve.wait_for("writes to this target; its lease runs")
        assert site.objects("ServiceEntry") == {}
        name = {"namespace": site.namespace, "name": f"mesh-reconciler-{site.target}"}
        site.kube.delete({"apiVersion": LEASES, "kind": "Lease", "metadata": name})
        seen = serve.wait_for("Applied: 1 write done", seen)
        serve.wait_for("writes that an earlier run left open were read back", seen)
        assert set(site.objects("ServiceEntry")) == {"billing"}
        assert serve.end() == 0


def test_it_waits_for_an_api_server_that_cannot_be_reached(over_https: Site, api_server_proxy: Proxy) -> None:
    """At its start, and later; nothing is concluded from it, and the log is not flooded. Told twice, it ends all the same."""
    site, proxy = over_https, api_server_proxy
    proxy.reset(times=None)
    with site.reconciler.start("serve", "--poll-interval", "1s") as serve:
        assert becomes(lambda: len(proxy.requests) > 20)
        proxy.heal()
        seen = settled(serve)
        proxy.reset(times=None)
        proxy.cut()
        site.repository.commit(billing(site.namespace, weight=20))
        seen = serve.wait_for("Cannot observe: ", seen)
        proxy.heal()
        serve.wait_for("done: update WorkloadEntry", seen)
        assert weights(site) == {20}
        assert len(serve.lines) < 40
        proxy.black_hole()
        serve.send(SIGTERM)
        serve.wait_for("asked again, it ends at once", seen)
        assert serve.end() == 1
