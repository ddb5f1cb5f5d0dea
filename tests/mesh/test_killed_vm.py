"""Two network namespaces as VMs beside a Pod, one of them killed: from its last breath to Envoy's endpoints and `status`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.cli.show import table
from reconciler.core.health.conditions import Condition, Reason
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.machines import GROUP_ANNOTATION
from reconciler.core.resources import Document, Key
from reconciler.demo.web import Web
from reconciler.ports import FleetDesk
from reconciler.settings import load
from reconciler.wiring import fleet_office
from tests.building import document
from tests.e2e.site import Site
from tests.mesh.machine import Machine
from tests.mesh.manifests import NAME, PODS, Billing, files
from tests.mesh.sidecar import Sidecar
from tests.mesh.traffic import ENOUGH, Traffic
from tests.real.apiserver import ApiServer
from tests.real.git_https import Authority
from tests.real.istiod_process import Istiod
from tests.real.netns import VM, Network
from tests.real.pods import create_pod
from tests.real.processes import free_ports
from tests.waiting import becomes

#: Seconds for one test: a busy machine takes its time.
pytestmark = pytest.mark.timeout(200)
POD = PODS[0]
#: So often agents come, so long may one be silent, and so soon after that it is lost.
PACE = {"HEARTBEAT": "1s", "LEASE": "3s", "SWEEP": "1s"}


@dataclass(slots=True)
class Scene:
    """The service billing on two VMs and a Pod; `vms` are the machines by the names of their WorkloadEntries."""

    site: Site
    office: FleetDesk
    vms: Mapping[str, Machine]
    traffic: Traffic

    def condition(self, name: str) -> Condition:
        """The condition that stands on the API server."""
        found = Condition.of(self.site.objects("WorkloadEntry")[name])
        assert found
        return found

    def lease_ends(self, name: str) -> datetime:
        """When the registry's server takes a VM to be lost."""
        return next(datetime.fromisoformat(one["leaseEnds"]) for one in self.office.vms() if one["name"] == name)

    def split(self) -> str:
        """What `reconciler status` says of the service's requests."""
        found = json.loads(self.site.reconciler("status", "-o", "json", code=0).out)["splits"]
        return str(found[f"{self.traffic.sidecar.host}:80"])

    def requests(self) -> tuple[int, int]:
        """How many requests were sent so far, and how many of them failed."""
        return self.traffic.web.sent, self.traffic.web.failed.total()


def _in_git(billing: Billing, vms: Mapping[str, VM]) -> Iterator[Document]:
    """Yield what the team commits: VMs whose health counts, with the probe of their group."""
    yield billing.round_robin()
    yield billing.behind()
    spec = {"template": {}, "probe": {"httpGet": {"port": billing.port}, "periodSeconds": 1}}
    yield document("WorkloadGroup", NAME, billing.namespace, spec=spec)
    for name, vm in vms.items():
        asked = {HEALTH_CHECKED: "true", GROUP_ANNOTATION: NAME}
        place = {"address": vm.address, "labels": {"app": NAME, "platform": "vm"}}
        yield document("WorkloadEntry", name, billing.namespace, annotations=asked, spec=place)


@contextmanager
def _running(
    api_server: ApiServer, namespace: str, istiod: Istiod, envoy: Path, network: Network, home: Path
) -> Iterator[Scene]:
    """Start everything and everybody, and let the VMs join."""
    authority = Authority.create(home / "ca", f"IP:{network.host}")
    (port,) = free_ports(1)
    url = f"https://{network.host}:{port}"
    vms = {f"{NAME}-vm-{number}": network.add(10 + number) for number in (1, 2)}
    variables = {
        "OPERATOR_NETWORKS": network.host,
        "CERTIFICATE_FILE": str(authority.server[0]),
        "CERTIFICATE_KEY_FILE": str(authority.server[1]),
        **PACE,
    }
    site = Site.create(home, api_server, namespace, home / "mesh.git").with_variables(
        **{f"RECONCILER_REGISTRY_SERVER__{name}": value for name, value in variables.items()}
    )
    with ExitStack() as opened:
        web = opened.enter_context(Web(Billing(namespace, 0).host, (POD,), (), lambda *_: None))
        billing = Billing(namespace, web.port)
        create_pod(api_server.kube, namespace, f"{NAME}-1", {"app": NAME, "platform": "pod"}, POD, ports={"http": web.port})
        site.repository.commit(files(_in_git(billing, vms)))
        site.reconciler("apply", "--yes", code=0)
        server = opened.enter_context(site.reconciler.start("registry", "serve", "--listen", f"{network.host}:{port}"))
        server.wait_for("startup complete")
        office = fleet_office(load({}), url, site.data / "operator.token", authority.certificate)
        assert office
        machines = {}
        for name, vm in vms.items():
            running = Machine.running(vm, web.port, home / name, url, authority.certificate)
            machines[name] = opened.enter_context(running)
            own = Key(VIRTUAL_MACHINE, namespace, name)
            machines[name].agent.give(office.issue(own, (f"{vm.address}/32",), timedelta(hours=1), ""))
        opened.enter_context(site.reconciler.start("serve", "--allow-local"))
        assert becomes(lambda: all(HEALTH_CHECKED in one["metadata"]["annotations"] for one in _entries(site)))
        sidecar = opened.enter_context(Sidecar(envoy, home / "envoy", istiod, namespace, billing.host))
        platforms = dict.fromkeys((vm.address for vm in vms.values()), "vm") | {POD: "pod"}
        traffic = Traffic(web, sidecar, platforms)
        traffic.start()
        opened.callback(traffic.end)
        yield Scene(site, office, machines, traffic)


def _entries(site: Site) -> list[Document]:
    return list(site.objects("WorkloadEntry").values())


@dataclass(slots=True)
class Diary:
    """What happened when, with the requests sent and failed until then."""

    scene: Scene
    rows: list[tuple[str, datetime, str, str]] = field(default_factory=list)

    def note(self, event: str) -> datetime:
        """Write a line; returns its time."""
        sent, failed = self.scene.requests()
        self.rows.append((event, SystemClock().now(), f"{sent:,}", f"{failed:,}"))
        return self.rows[-1][1]

    def learn(self, event: str, at: datetime) -> None:
        """Write a line about what was so at another time."""
        self.rows.append((event, at, "", ""))

    def cells(self) -> list[tuple[str, ...]]:
        """The rows for people, in the order of time, which counts from the first one."""
        began = self.rows[0][1]
        return [
            (event, f"{at:%H:%M:%S.%f}"[:-3], f"{(at - began).total_seconds():.2f} s", sent, failed)
            for event, at, sent, failed in sorted(self.rows, key=lambda row: row[1])
        ]


def test_a_vm_that_is_killed_leaves_envoy_when_its_lease_is_over(
    api_server: ApiServer,
    namespace: str,
    istiod: Istiod,
    envoy: Path,
    network: Network,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A drain and its undo cost no request; a death costs those until the lease is over, and none from then on."""
    with _running(api_server, namespace, istiod, envoy, network, tmp_path) as scene:
        first, second = scene.vms.values()
        dying = Key(VIRTUAL_MACHINE, namespace, f"{NAME}-vm-2")
        everybody = dict.fromkeys((first.vm.address, second.vm.address, POD), Fraction(1, 3))
        survivors = dict.fromkeys((first.vm.address, POD), Fraction(1, 2))
        traffic, diary = scene.traffic, Diary(scene)
        traffic.wait_for(everybody)
        for draining, shares in ((True, survivors), (False, everybody)):
            scene.office.drain(dying, draining=draining)
            traffic.wait_for(shares, traffic.requests(shares) + ENOUGH)
        assert scene.requests()[1] == 0
        before, counted = scene.split(), traffic.requests(survivors)

        diary.note("killed")
        second.kill()
        assert becomes(lambda: scene.condition(dying.name).reason == Reason.REPORTED_UNHEALTHY)
        flipped = diary.note("condition on the API server")
        assert becomes(lambda: set(traffic.sidecar.endpoints()) == set(survivors)), traffic.sidecar.endpoints()
        diary.note("out of Envoy's endpoints")
        traffic.wait_for(survivors, counted + 1)
        lost = scene.requests()[1]
        traffic.wait_for(survivors, counted + ENOUGH)
        diary.note("end")
        lease = scene.lease_ends(dying.name)
        diary.learn("lease is over", lease)
        after = scene.split()
    with capsys.disabled():
        table(("a VM is killed", "at", "since then", "requests", "failed"), diary.cells())
        table(("`reconciler status`", "traffic"), (("before", before), ("after", after)))
    assert lease <= flipped
    assert (lost > 0, scene.requests()[1]) == (True, lost)
    assert traffic.eras[-1].shares == survivors
    assert traffic.eras[-1].failed.total() == 0
    assert before.startswith("vm 66.7 % (2), pod 33.3 % (1)")
    assert after.startswith("vm 50.0 % (1), pod 50.0 % (1)")
