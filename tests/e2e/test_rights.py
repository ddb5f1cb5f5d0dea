"""Under the rights that `deploy/` gives and no others: mode observe with those for looking, a run with all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.manifests import WORKLOAD, billing, workloads
from tests.e2e.site import Site
from tests.real.apiserver import ApiServer
from tests.real.proxy import Proxy
from tests.real.rights import deployed_rules

#: Seconds for one test: each starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)


VIEW = deployed_rules("mesh-reconciler-view")


@pytest.fixture
def viewed(site: Site, proxied_api_server: ApiServer, tmp_path: Path) -> Iterator[Site]:
    """The target in mode observe, under a token that may only look, with a WorkloadEntry there that somebody else made."""
    assert {verb for rule in VIEW for verb in rule["verbs"]} == {"get", "list", "watch"}
    site.repository.commit(billing(site.namespace))
    site.kube.create(yaml.safe_load(WORKLOAD.format(namespace=site.namespace, number=1, weight=5)), manager="kubectl-create")
    token = site.server.account(site.namespace, "viewer", VIEW).token
    kubeconfig = proxied_api_server.write_kubeconfig(tmp_path / "viewer", token)
    yield site.with_variables(RECONCILER_KUBECONFIG=str(kubeconfig), RECONCILER_MODE="observe")
    assert set(site.objects("WorkloadEntry")) == {"billing-vm-1"}
    assert site.objects("ServiceEntry") == {}


def test_it_reports_everything_and_writes_nothing(viewed: Site, api_server_proxy: Proxy) -> None:
    """What would be written, what is somebody else's, and what adopting it would write; by hand and as a service."""
    plan = viewed.reconciler("plan", code=2).out
    assert "observe: nothing is written" in plan
    assert "made by kubectl-create, and is not touched" in plan
    assert "Changes are due: 6 to create, 1 not-adopted" in plan
    assert "reconciler apply" not in plan
    adopting = viewed.reconciler("plan", "--adopt", "all", code=2).out
    assert "1 to adopt" in adopting
    assert "Changes are due" in viewed.reconciler("apply", "--yes", code=2).out
    with viewed.reconciler.start("serve", "--allow-local") as serve:
        serve.wait_for("Changes are due: 6 to create, 1 not-adopted")
        assert serve.end() == 0
    assert {one.method for one in api_server_proxy.requests} == {"GET"}
    assert viewed.data.joinpath("registry.db").is_file()
    assert viewed.records() == {}


def test_the_deployed_rights_are_enough_to_write(site: Site, tmp_path: Path) -> None:
    """To make a namespace and an account, to adopt, change and delete, to hold the Lease of the target `production`."""
    apart = f"{site.namespace}-b"
    made = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {apart}\n---\n"
    made += f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: billing\n  namespace: {apart}\n"
    site.repository.commit({"billing/vms.yaml": workloads(site.namespace), "apart.yaml": made})
    site.kube.create(yaml.safe_load(WORKLOAD.format(namespace=site.namespace, number=1, weight=5)), manager="kubectl-create")
    token = site.server.account(site.namespace, "writer", deployed_rules("mesh-reconciler-.*")).token
    limited = site.with_variables(
        RECONCILER_KUBECONFIG=str(site.server.write_kubeconfig(tmp_path / "writer", token)),
        RECONCILER_TARGET="production",
        RECONCILER_NAMESPACES=f"{site.namespace},{apart}",
    )
    refused = limited.reconciler("apply", "--yes", "--adopt", "all", code=1)
    assert "--adopt with --yes needs --digest" in refused.err
    planned = json.loads(limited.reconciler("plan", "--adopt", "all", "-o", "json", code=2).out)
    limited.reconciler("apply", "--yes", "--adopt", "all", "--digest", planned["plan"]["digest"], code=0)
    assert {one["spec"]["weight"] for one in site.objects("WorkloadEntry").values()} == {10}
    site.repository.commit({"billing/vms.yaml": workloads(site.namespace, count=2), "apart.yaml": made})
    limited.reconciler("apply", "--yes", "--prune-now", f"WorkloadEntry/{site.namespace}/billing-vm-3", code=0)
    assert set(site.objects("WorkloadEntry")) == {"billing-vm-1", "billing-vm-2"}
