"""The service billing on two VMs, network namespaces, and a Pod, in the real mesh and under requests all the time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from reconciler.core.health.conditions import Condition
from reconciler.core.health.sources import SOURCE_ANNOTATION, Source
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.machines import GROUP_ANNOTATION
from reconciler.core.resources import Document, Key
from reconciler.demo.web import Web
from reconciler.ports import FleetDesk
from reconciler.settings import load
from reconciler.wiring import fleet_office
from tests.agent.agents import AgentProcess
from tests.building import document
from tests.e2e.site import Site
from tests.mesh.machine import Machine
from tests.mesh.manifests import NAME, PODS, Billing, files
from tests.mesh.sidecar import Sidecar
from tests.mesh.traffic import Traffic
from tests.real.apiserver import ApiServer
from tests.real.git_https import Authority
from tests.real.istiod_process import Istiod
from tests.real.netns import VM, Network
from tests.real.pods import create_pod
from tests.real.processes import free_ports
from tests.waiting import becomes

POD = PODS[0]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a scene is made of; everything that it writes is under `home`."""

    server: ApiServer
    namespace: str
    istiod: Istiod
    envoy: Path
    network: Network
    home: Path


@dataclass(slots=True)
class Scene:
    """What happens; `vms` are the machines by the names of their WorkloadEntries, whose health `counts` or does not."""

    parts: Parts
    site: Site
    web: Web
    vms: Mapping[str, Machine]
    counts: bool = True

    @property
    def everybody(self) -> Mapping[str, Fraction]:
        """The shares while all of them serve."""
        return _alike([POD, *(one.vm.address for one in self.vms.values())])

    def without(self, name: str) -> Mapping[str, Fraction]:
        """The shares while one VM is out."""
        return _alike([address for address in self.everybody if address != self.vms[name].vm.address])

    def key(self, name: str) -> Key:
        """The record of a VM."""
        return Key(VIRTUAL_MACHINE, self.parts.namespace, name)

    def condition(self, name: str) -> Condition:
        """The condition that stands on the API server."""
        found = Condition.of(self.site.objects("WorkloadEntry")[name])
        assert found
        return found

    def split(self) -> str:
        """What `reconciler status` says of the service's requests."""
        found = json.loads(self.site.reconciler("status", "-o", "json", code=0).out)["splits"]
        return str(found[f"{Billing(self.parts.namespace, 0).host}:80"])

    @property
    def failed(self) -> int:
        """How many requests have failed so far."""
        return self.web.failed.total()

    def _counts(self) -> bool:
        return all(HEALTH_CHECKED in one["metadata"]["annotations"] for one in self.site.objects("WorkloadEntry").values())

    @contextmanager
    def under_traffic(self) -> Iterator[Traffic]:
        """Send requests all the time, once the health of all VMs counts, where it is to."""
        assert not self.counts or becomes(self._counts)
        host, folder = Billing(self.parts.namespace, 0).host, self.parts.home / "envoy"
        with Sidecar(self.parts.envoy, folder, self.parts.istiod, self.parts.namespace, host) as sidecar:
            traffic = Traffic(self.web, sidecar, dict.fromkeys(self.everybody, "vm") | {POD: "pod"})
            traffic.start()
            try:
                traffic.wait_for(self.everybody)
                yield traffic
            finally:
                traffic.end()


@contextmanager
def played(parts: Parts, source: Source, *, counts: bool = True, **variables: str) -> Iterator[Scene]:
    """Let all of them serve and `reconciler serve` run, with the team's commit in force.

    Health is told by this source, if it `counts`.
    """
    namespace, home = parts.namespace, parts.home
    site = Site.create(home, parts.server, namespace, home / "mesh.git").with_variables(**variables)
    vms = {f"{NAME}-vm-{number}": parts.network.add(10 + number) for number in (1, 2)}
    with ExitStack() as opened:
        web = opened.enter_context(Web(Billing(namespace, 0).host, (POD,), (), lambda *_: None))
        labels = {"app": NAME, "platform": "pod"}
        create_pod(parts.server.kube, namespace, f"{NAME}-1", labels, POD, ports={"http": web.port})
        site.repository.commit(files(_in_git(Billing(namespace, web.port), vms, source, counts=counts)))
        site.reconciler("apply", "--yes", code=0)
        machines = {name: opened.enter_context(Machine(vm, web.port)) for name, vm in vms.items()}
        opened.enter_context(site.reconciler.start("serve", "--allow-local"))
        yield Scene(parts, site, web, machines, counts)


@contextmanager
def joined(scene: Scene, **pace: str) -> Iterator[tuple[FleetDesk, Mapping[str, AgentProcess]]]:
    """Run the registry's server over TLS, and on each VM an agent that has joined; yields the operator's desk and these."""
    host, home = scene.parts.network.host, scene.parts.home
    authority = Authority.create(home / "ca", f"IP:{host}")
    (port,) = free_ports(1)
    variables = {
        "OPERATOR_NETWORKS": host,
        "CERTIFICATE_FILE": str(authority.server[0]),
        "CERTIFICATE_KEY_FILE": str(authority.server[1]),
        **pace,
    }
    command = scene.site.reconciler.with_variables(
        **{f"RECONCILER_REGISTRY_SERVER__{name}": value for name, value in variables.items()}
    )
    with ExitStack() as opened:
        opened.enter_context(command.start("registry", "serve", "--listen", f"{host}:{port}")).wait_for("startup complete")
        url, ca = f"https://{host}:{port}", authority.certificate
        desk = fleet_office(load({}), url, scene.site.data / "operator.token", ca)
        assert desk
        agents = {}
        for name, machine in scene.vms.items():
            folder = home / name
            folder.mkdir()
            agent = AgentProcess(folder, {"server": url, "caFile": str(ca)}, within=machine.vm.within)
            agents[name] = opened.enter_context(agent)
            agent.give(desk.issue(scene.key(name), (f"{machine.vm.address}/32",), timedelta(hours=1)))
        yield desk, agents


def _in_git(billing: Billing, vms: Mapping[str, VM], source: Source, *, counts: bool) -> Iterator[Document]:
    """Yield what the team commits: VMs whose health counts or does not, with the probe of their group."""
    yield billing.round_robin()
    yield billing.behind()
    spec = {"template": {}, "probe": {"httpGet": {"port": billing.port}, "periodSeconds": 1}}
    told = {SOURCE_ANNOTATION: source.value}
    yield document("WorkloadGroup", NAME, billing.namespace, annotations=told, spec=spec)
    for name, vm in vms.items():
        asked = {GROUP_ANNOTATION: NAME, **({HEALTH_CHECKED: "true"} if counts else {})}
        place = {"address": vm.address, "labels": {"app": NAME, "platform": "vm"}}
        yield document("WorkloadEntry", name, billing.namespace, annotations=asked, spec=place)


def _alike(addresses: Sequence[str]) -> Mapping[str, Fraction]:
    return dict.fromkeys(addresses, Fraction(1, len(addresses)))
