"""The command with Consul as its VM registry: from a commit to a node of Consul's catalog, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.manifests import billing
from tests.e2e.site import Site
from tests.real.apiserver import ApiServer
from tests.real.consul_process import Consul
from tests.waiting import becomes

#: Seconds for one test: each starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def site(tmp_path: Path, api_server: ApiServer, namespace: str, git_root: Path, consul: Consul) -> Site:
    """A target whose registry is Consul, with billing on three VMs in Git."""
    site = Site.create(tmp_path, api_server, namespace, git_root / f"{namespace}.git").with_variables(
        RECONCILER_REGISTRY=f"consul://{consul.address}", RECONCILER_CONSUL__TOKEN_FILE=str(consul.token_file)
    )
    site.repository.commit(billing(namespace))
    return site


def records(site: Site, consul: Consul) -> dict[str, tuple[str, int]]:
    """Address and index of the nodes of this target, by the names of their VMs."""
    prefix = f"mesh-reconciler.{site.target}.{site.namespace}."
    return {
        node["Node"].removeprefix(prefix): (node["Address"], node["ModifyIndex"])
        for node in consul.request("GET", "/v1/catalog/nodes")
        if node["Node"].startswith(prefix)
    }


def addresses(site: Site, consul: Consul) -> dict[str, str]:
    """The addresses alone."""
    return {name: address for name, (address, _) in records(site, consul).items()}


def vms(*numbers: int) -> dict[str, str]:
    """The addresses that billing's VMs have in Git."""
    return {f"billing-vm-{number}": f"10.20.1.{number}" for number in numbers}


def test_a_commit_becomes_nodes_of_consul(site: Site, consul: Consul) -> None:
    """Applied once and then left alone; who leaves Git leaves Consul, and nobody else does."""
    consul.check("somebody-else", "10.20.1.3", "serfHealth", "passing")
    site.reconciler("apply", "--yes", code=0)
    assert addresses(site, consul) == vms(1, 2, 3)
    written = records(site, consul)
    site.reconciler("apply", "--yes", code=0)
    assert records(site, consul) == written
    site.repository.commit(billing(site.namespace, count=2))
    site.reconciler("apply", "--yes", "--prune-now", f"WorkloadEntry/{site.namespace}/billing-vm-3", code=0)
    assert addresses(site, consul) == vms(1, 2)
    assert consul.request("GET", "/v1/catalog/node/somebody-else")["Node"]["Address"] == "10.20.1.3"


def test_what_somebody_does_to_our_nodes_is_put_right(site: Site, consul: Consul) -> None:
    """`serve` hears of it by its watch; it polls Git once an hour."""
    with site.reconciler.start("serve", "--allow-local", "--poll-interval", "1h") as serve:
        serve.wait_for("In sync", serve.wait_for("writes done"))
        node = f"mesh-reconciler.{site.target}.{site.namespace}.billing-vm-2"
        consul.request("PUT", "/v1/catalog/deregister", {"Node": node})
        assert becomes(lambda: addresses(site, consul) == vms(1, 2, 3))
