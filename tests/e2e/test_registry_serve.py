"""`registry serve` as a process: it ends when told to, and begins again where it was."""

from __future__ import annotations

from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.adapters.memory_registry import MemoryRegistry
from tests.e2e.command import Command, Running
from tests.e2e.site import Site
from tests.registry.served import LOOPBACK, OPERATOR, Agent, Served
from tests.waiting import becomes


def serving(folder: Path) -> Running:
    """Start it over a file in a folder of its own."""
    (folder / "operator.token").write_text(OPERATOR)
    (folder / "operator.token").chmod(0o600)
    token = {"RECONCILER_REGISTRY_SERVER__OPERATOR_TOKEN_FILE": str(folder / "operator.token")}
    return Command(folder, token).start("registry", "serve", "--data", str(folder / "data"), "--listen", "127.0.0.1:0")


def reached(running: Running) -> Served:
    """Return where it listens, once it answers."""
    number = running.wait_for("listens at port")
    running.wait_for("startup complete")
    return Served(int(running.lines[number - 1].rpartition(" ")[2]), MemoryFleet(), MemoryRegistry(SystemClock()))


@pytest.mark.case("S-07")
@pytest.mark.parametrize("signal", [SIGTERM, SIGINT])
def test_it_ends_when_it_is_told_to(tmp_path: Path, signal: Signals) -> None:
    """With 0, at the first signal."""
    with serving(tmp_path) as running:
        server = reached(running)
        assert server.operate("GET", "/v1/vms").status == 200
        assert running.end(signal) == 0


@pytest.mark.case("V-07")
def test_a_server_that_is_killed_knows_everybody_when_it_is_back(tmp_path: Path) -> None:
    """A used token stays used, a credential stays good, a drained VM stays drained, and the audit log goes on."""
    with serving(tmp_path) as running:
        agent = Agent(reached(running))
        token = agent.served.token()
        agent.join(token)
        assert agent.beat().status == 200
        agent.served.operate("POST", "/v1/vms/shop/vm-1/drain")
        running.end(SIGKILL)
    with serving(tmp_path) as running:
        agent.served = server = reached(running)
        assert Agent(server, "127.0.0.2").join(token).body["code"] == "token-used"
        assert agent.beat("unhealthy").status == 200
        assert (server.vm()["draining"], server.vm()["presence"], server.vm()["health"]) == (True, "present", "unhealthy")
        actions = [one["action"] for one in server.operate("GET", "/v1/audit").body["entries"]]
        assert actions == ["token-issued", "joined", "healthy", "drain", "unhealthy"]


def test_serve_may_be_the_registry_too(site: Site) -> None:
    """One process, one database: the record that the reconciler has made is known there; both end at one signal."""
    vm = "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\n"
    vm += f"metadata: {{name: vm-1, namespace: {site.namespace}}}\nspec: {{address: 127.0.0.1, labels: {{app: billing}}}}\n"
    site.repository.commit({"vm.yaml": vm})
    site.data.mkdir(parents=True, mode=0o700)
    (site.data / "operator.token").write_text(OPERATOR)
    (site.data / "operator.token").chmod(0o600)
    both = site.with_variables(RECONCILER_REGISTRY_SERVER__IN_SERVE="true", RECONCILER_REGISTRY_SERVER__LISTEN="127.0.0.1:0")
    with both.reconciler.start("serve", "--allow-local") as running:
        server = reached(running)
        agent = Agent(server)
        asked = {"namespace": site.namespace, "name": "vm-1", "addresses": LOOPBACK}
        agent.join(server.operate("POST", "/v1/tokens", asked).body["token"])
        path = f"/v1/vms/{site.namespace}/vm-1"
        assert becomes(lambda: server.operate("GET", path).body["claimed"])
        assert running.end() == 0
