"""Mode observe under the rights that `deploy/` gives for looking, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.manifests import WORKLOAD, billing
from tests.e2e.site import Site
from tests.real.apiserver import ApiServer
from tests.real.locations import PROJECT
from tests.real.proxy import Proxy

#: Seconds for one test: each starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)


def view_rules() -> list[dict[str, Any]]:
    """The rules of the ClusterRole for viewing, as they are deployed."""
    documents = yaml.safe_load_all((PROJECT / "deploy" / "kubernetes" / "rbac.yaml").read_text("utf-8"))
    (role,) = [one for one in documents if one["kind"] == "ClusterRole" and one["metadata"]["name"] == "mesh-reconciler-view"]
    rules: list[dict[str, Any]] = role["rules"]
    return rules


@pytest.fixture
def viewed(site: Site, proxied_api_server: ApiServer, tmp_path: Path) -> Iterator[Site]:
    """The target in mode observe, under a token that may only look, with a WorkloadEntry there that somebody else made."""
    assert {verb for rule in view_rules() for verb in rule["verbs"]} == {"get", "list", "watch"}
    site.repository.commit(billing(site.namespace))
    site.kube.create(yaml.safe_load(WORKLOAD.format(namespace=site.namespace, number=1, weight=5)), manager="kubectl-create")
    token = site.server.account(site.namespace, "viewer", view_rules()).token
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
