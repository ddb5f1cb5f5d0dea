"""VMs that join, fall ill, get well and are drained: what their agents say reaches the mesh, and `vm` shows it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.adapters.memory_registry import MemoryRegistry
from tests.e2e.command import Running
from tests.e2e.manifests import entry
from tests.e2e.site import Site
from tests.registry.served import LOOPBACK, OPERATOR, Agent, Served
from tests.waiting import becomes

#: Seconds: it starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)

WORKLOAD = """\
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: vm-{number}
  namespace: {namespace}
  annotations: {{proxy.istio.io/health-checks-enabled: "true"}}
spec: {{address: 127.0.0.{number}, labels: {{app: billing}}}}
"""


def _condition(site: Site, name: str) -> tuple[str, str]:
    """Status and reason of a VM's condition, for one whose health counts."""
    found = site.objects("WorkloadEntry").get(name) or {"metadata": {}}
    conditions: list[dict[str, Any]] = (found.get("status") or {}).get("conditions") or [{}]
    counts = "annotations" in found["metadata"]
    return (conditions[0].get("status", ""), conditions[0].get("reason", "")) if counts else ("", "")


def _joined(site: Site, registry: Running) -> tuple[Served, list[Agent]]:
    """Both VMs, well, before Git's side of them is there or after it."""
    number = registry.wait_for("listens at port")
    served = Served(int(registry.lines[number - 1].rpartition(" ")[2]), MemoryFleet(), MemoryRegistry(SystemClock()))
    agents = [Agent(served, f"127.0.0.{number}") for number in (1, 2)]
    for number, agent in enumerate(agents, 1):
        asked = {"namespace": site.namespace, "name": f"vm-{number}", "addresses": LOOPBACK}
        agent.join(served.operate("POST", "/v1/tokens", asked).body["token"])
        agent.beat()
    return served, agents


def _written(site: Site, service: Running, name: str, after: int) -> int:
    """Wait until a VM's condition is written; returns how many lines the service has said up to then."""
    return service.wait_for(f"done: condition WorkloadEntry {site.namespace}/{name} (for health)", after)


def test_health_and_drains_reach_the_mesh(site: Site) -> None:
    """Ill and back, drained and back; a table of 80 columns says who holds what and why."""
    vms = "".join(WORKLOAD.format(namespace=site.namespace, number=number) for number in (1, 2))
    site.repository.commit({"billing/service-entry.yaml": entry(site.namespace), "billing/vms.yaml": vms})
    site.data.mkdir(parents=True)
    token = site.data / "operator.token"
    token.write_text(OPERATOR)
    token.chmod(0o600)
    with (
        site.reconciler.start("registry", "serve", "--listen", "127.0.0.1:0") as registry,
        site.reconciler.start("serve", "--allow-local") as service,
    ):
        served, (one, two) = _joined(site, registry)
        assert becomes(lambda: all(_condition(site, name)[0] == "True" for name in ("vm-1", "vm-2")))
        office = ("--operator-url", f"http://127.0.0.1:{served.port}")

        said = len(service.lines)
        two.beat("unhealthy", "the probe got 500")
        said = _written(site, service, "vm-2", said)
        assert _condition(site, "vm-2") == ("False", "ReportedUnhealthy")
        listed = site.with_variables(COLUMNS="80").reconciler("vm", "list", *office, code=0).out
        assert max(map(len, listed.splitlines())) <= 80
        assert "the probe got 500" in " ".join(listed.split())

        two.beat("healthy")
        said = _written(site, service, "vm-2", said)
        assert _condition(site, "vm-2") == ("True", "ReportedHealthy")
        site.reconciler("vm", "drain", f"{site.namespace}/vm-1", *office, code=0)
        said = _written(site, service, "vm-1", said)
        assert _condition(site, "vm-1") == ("False", "Draining")
        one.beat("healthy")
        assert served.operate("POST", f"/v1/vms/{site.namespace}/vm-1/undrain").status == 204
        _written(site, service, "vm-1", said)
        assert _condition(site, "vm-1") == ("True", "ReportedHealthy")
        assert service.end() == 0
        assert registry.end() == 0
