"""A VM that no commit names: its group in Git, a token, its agent, and a WorkloadEntry on a real API server; then its end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent.agents import AgentProcess
from tests.e2e.manifests import billing
from tests.e2e.site import Site
from tests.waiting import becomes

#: Seconds: it starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)

GROUP = """\
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata:
  name: web
  namespace: {namespace}
  annotations: {{mesh-reconciler.io/autoRegister: 127.0.0.0/8}}
spec:
  metadata: {{labels: {{app: billing}}}}
  template: {{serviceAccount: web, ports: {{http: 8080}}}}
"""
#: The name of a VM of that group, after its address.
VM = "web-127-0-0-1"


def _out(site: Site) -> bool:
    """Whether the VM's condition keeps requests from it."""
    found: dict[str, Any] = site.objects("WorkloadEntry").get(VM, {})
    conditions = found.get("status", {}).get("conditions", ())
    return any(one["type"] == "Healthy" and one["status"] == "False" for one in conditions)


def test_a_vm_joins_its_group_and_leaves_it(site: Site) -> None:
    """Group in Git, token, agent: its entry appears, told apart from Git's. It says goodbye: it retires, then it is deleted."""
    site = site.with_variables(
        RECONCILER_REQUIRE_JOIN="false",  # Git's VMs have no agents here
        RECONCILER_PRUNE_AFTER="2s",
        RECONCILER_HEALTH__WINDOW="1s",
        RECONCILER_REGISTRY_SERVER__BRAKE_WINDOW="1s",
    )
    group = GROUP.format(namespace=site.namespace)
    site.repository.commit(billing(site.namespace, count=2) | {"billing/group.yaml": group})
    with (
        site.reconciler.start("registry", "serve", "--listen", "127.0.0.1:0") as registry,
        site.reconciler.start("serve", "--allow-local") as service,
    ):
        number = registry.wait_for("listens at port")
        url = f"http://127.0.0.1:{registry.lines[number - 1].rpartition(' ')[2]}"
        office = ("--operator-url", url)
        asked = ("--group", f"{site.namespace}/web", "--address", "127.0.0.0/8", "--service-account", "web")
        token = site.reconciler("vm", "token", *asked, *office, code=0).out.strip()
        agent = AgentProcess(site.reconciler.folder, {"server": url, "locality": "eu-1/a"})
        agent.give(token)
        with agent:
            said = service.wait_for(f"done: create WorkloadEntry {site.namespace}/{VM} (for join)")
            made = site.objects("WorkloadEntry")[VM]
            assert made["spec"] == {
                "address": "127.0.0.1",
                "locality": "eu-1/a",
                "serviceAccount": "web",
                "ports": {"http": 8080},
            }
            assert made["metadata"]["labels"]["app"] == "billing"
            assert made["metadata"]["annotations"]["mesh-reconciler.io/group"] == "web"
            listed = site.with_variables(COLUMNS="200").reconciler("vm", "list", *office, code=0).out
            assert "from group web, joined at" in listed
            assert f"{site.namespace}/{VM} of group web, joined at" in site.reconciler("status", code=0).out
            assert agent.end() == 0
        assert becomes(lambda: _out(site))
        service.wait_for(f"done: delete WorkloadEntry {site.namespace}/{VM}", said)
        assert VM not in site.objects("WorkloadEntry")
        assert becomes(lambda: VM not in site.records())
        assert service.end() == 0
        assert registry.end() == 0
