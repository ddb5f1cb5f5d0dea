"""Bring VMs in: find them in the registry, fetch what the cluster gives them, put together the files that each needs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import yaml

from reconciler.agent.config import InvalidConfig, config_of
from reconciler.core.enrolment.istio import ControlPlane, SvcIp, cluster_name, istio_files
from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.core.groups.autogroup import AUTO_REGISTER_ANNOTATION, networks_of
from reconciler.core.groups.joins import is_bare
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Key, LiveObject
from reconciler.errors import InvalidInput, Rejected, SetupCode
from reconciler.ports import Cluster, Enrolment, VMRegistry
from reconciler.vms.agent_file import NAME as AGENT
from reconciler.vms.agent_file import agent_file, companion

#: Where `join.sh` puts the registry's authorities.
CA_PLACE = "/etc/reconciler-agent/registry-ca.pem"
#: Files that open something.
ISTIO_TOKEN, JOIN_TOKEN = "istio-token", "join-token"


@dataclass(frozen=True, slots=True)
class Order:
    """What a person wants for the VMs of one call.

    `server` is the registry's URL for agents, `ca` its authorities as PEM, empty for the system's. `certificate` are files of
    the VMs, with the certificate that they show it and its key, empty where it asks for none. Where `cluster` is None and
    `ingress` empty, the cluster is asked; `gateway` is the namespace and name of the Service that leads to istiod.
    """

    server: str
    ca: bytes = b""
    certificate: tuple[str, str] = ("", "")
    namespace: str = "istio-system"
    revision: str = ""
    cluster: str | None = None
    ingress: str = ""
    gateway: tuple[str, str] = ("istio-system", "istio-eastwestgateway")
    svc_ip: SvcIp | None = None
    capture_dns: bool = True
    lifetime: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of one VM, by name. Some open the mesh to whoever has them."""

    vm: EnrolledVM
    files: Mapping[str, bytes]


def find_vm(key: Key, registry: VMRegistry, cluster: Cluster) -> EnrolledVM:
    """Return a VM by namespace and name. Raises InvalidInput where the registry has no record of it."""
    record = registry.get(key)
    if record is None:
        raise InvalidInput(f"the registry has no record of the VM {key.namespace}/{key.name}: {_FIRST}", code=SetupCode.OPTION)
    return _enrolled(record, cluster)


def find_group(namespace: str, name: str, registry: VMRegistry, cluster: Cluster) -> tuple[EnrolledVM, ...]:
    """Return the VMs of a WorkloadGroup, in name order. Raises InvalidInput where there is none."""
    machines = registry.observe().machines
    known = [machines[key] for key in sorted(machines) if key.namespace == namespace and _group(machines[key]) == name]
    found = [one for one in known if not is_bare(one)]
    if not found:
        raise InvalidInput(
            f"the registry has no record of a VM in the group {namespace}/{name}: {_FIRST}", code=SetupCode.OPTION
        )
    return tuple(_enrolled(record, cluster) for record in found)


def newcomers(namespace: str, name: str, count: int, cluster: Cluster) -> tuple[EnrolledVM, ...]:
    """Return so many VMs that are to join a WorkloadGroup.

    Raises InvalidInput where the cluster has no such group, or its annotation lets nobody join.
    """
    group = _group_in(namespace, name, cluster)
    networks = networks_of(group.annotations.get(AUTO_REGISTER_ANNOTATION, ""))
    if networks is None:
        hint = f"its annotation {AUTO_REGISTER_ANNOTATION} must say so"
        raise InvalidInput(f"the WorkloadGroup {namespace}/{name} lets no new VM join: {hint}", code=SetupCode.OPTION)
    return tuple(EnrolledVM.new(group, number, networks) for number in range(1, count + 1))


def _group_in(namespace: str, name: str, cluster: Cluster) -> LiveObject:
    group = cluster.get(Key("WorkloadGroup", namespace, name))
    if group is None:
        raise InvalidInput(f"the WorkloadGroup {namespace}/{name} is not in the cluster", code=SetupCode.OPTION)
    return group


_FIRST = "its WorkloadEntry must be in Git, and `reconciler apply` writes the record"


def vm_key(namespace: str, name: str) -> Key:
    """Return the key of a VM's record."""
    return Key(VIRTUAL_MACHINE, namespace, name)


def _group(record: LiveObject) -> str:
    return str(record.document["spec"].get("group", ""))


def _enrolled(record: LiveObject, cluster: Cluster) -> EnrolledVM:
    name = _group(record)
    return EnrolledVM.of(record, _group_in(record.key.namespace, name, cluster) if name else None)


@dataclass(slots=True)
class Enroller:
    """Puts bundles together; what several VMs share is fetched once. `join_token` returns one, or nothing to leave it out.

    Its methods raise InvalidInput, Rejected and Unavailable.
    """

    enrolment: Enrolment
    order: Order
    join_token: Callable[[EnrolledVM], str]
    _shared: tuple[str, ControlPlane] | None = field(default=None, init=False)
    _roots: dict[str, str] = field(default_factory=dict, init=False)

    def bundle(self, vm: EnrolledVM) -> Bundle:
        """Return the files for a VM, with new tokens."""
        order = self.order
        agent = _agent_config(vm, order)
        mesh, plane = self._mesh()
        istio = istio_files(vm, mesh, plane, capture_dns=order.capture_dns, svc_ip=order.svc_ip)
        files = {
            "cluster.env": istio.cluster_env.encode(),
            "mesh.yaml": yaml.safe_dump(istio.mesh, allow_unicode=True).encode(),
            "root-cert.pem": self._root(vm.namespace).encode(),
            "hosts": istio.hosts.encode(),
            "agent.json": (json.dumps(agent, indent=2) + "\n").encode(),
            AGENT: agent_file(),
            **{name: companion(name) for name in ("reconciler-agent.service", "join.sh")},
            **({"registry-ca.pem": order.ca} if order.ca else {}),
            ISTIO_TOKEN: self.enrolment.token(vm.namespace, vm.service_account, order.lifetime).encode(),
        }
        token = self.join_token(vm)
        return Bundle(vm, {**files, **({JOIN_TOKEN: token.encode()} if token else {})})

    def _mesh(self) -> tuple[str, ControlPlane]:
        """Return the mesh's configuration, and where and how its control plane is called."""
        if self._shared is None:
            order = self.order
            plane = ControlPlane(order.namespace, order.revision, order.cluster or "", order.ingress)
            mesh = self._config(order.namespace, f"istio{plane.suffix}", "mesh")
            if order.cluster is None:
                values = self._config(order.namespace, f"istio-sidecar-injector{plane.suffix}", "values")
                plane = replace(plane, cluster=cluster_name(values))
            if not plane.ingress:
                plane = replace(plane, ingress=self.enrolment.ingress(*order.gateway))
            self._shared = mesh, plane
        return self._shared

    @property
    def unreachable(self) -> bool:
        """Whether nobody told where VMs reach istiod, so that `hosts` is empty."""
        return not self._mesh()[1].ingress

    def _root(self, namespace: str) -> str:
        if namespace not in self._roots:
            self._roots[namespace] = self._config(namespace, "istio-ca-root-cert", "root-cert.pem")
        return self._roots[namespace]

    def _config(self, namespace: str, name: str, key: str) -> str:
        try:
            data = self.enrolment.config_map(namespace, name)
        except Rejected as error:
            if error.status != 404:
                raise
            data = {}
        if not data.get(key):
            hint = "is istiod there, and of this revision?"
            raise InvalidInput(f"no `{key}` in the ConfigMap {namespace}/{name}; {hint}", code=SetupCode.OPTION)
        return data[key]


def _agent_config(vm: EnrolledVM, order: Order) -> dict[str, Any]:
    """Return the agent's configuration; commands may be run where the group's probe is one today."""
    document: dict[str, Any] = {"server": order.server}
    if order.ca:
        document["caFile"] = CA_PLACE
    document |= {name: path for name, path in zip(("certFile", "keyFile"), order.certificate, strict=True) if path}
    if vm.probe and vm.probe.get("exec"):
        document["allowExec"] = True
    try:
        config_of(document)
    except InvalidConfig as error:
        raise InvalidInput(f"the registry's URL for agents: {error}", code=SetupCode.OPTION) from error
    return document
