"""The files of `istioctl x workload entry configure`, whose content the sidecar's package on a VM expects.

Read from istio/istio `istioctl/pkg/workload/workload.go`. Two things differ: what stands in the record of the VM wins over its
group's template, and Istio's own auto-registration (`ISTIO_META_AUTO_REGISTER_GROUP`) is never asked for, since the VM's
WorkloadEntry comes from Git or from our registry.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.core.manifests.loader import load
from reconciler.core.resources import Document
from reconciler.errors import InvalidInput

#: Ports that are never captured: ssh, Prometheus, the agent's health; 15020 is the agent's status port unless it has another.
_NEVER = (22, 15090, 15021)
_STATUS_PORT = 15020
_CANONICAL_NAME = "service.istio.io/canonical-name"
_CANONICAL_REVISION = "service.istio.io/canonical-revision"


class SvcIp(StrEnum):
    """Whether the VM's address is one of its own (`--internalIP` of istioctl), or one that is translated to it."""

    INTERNAL = "internal"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where istiod is, and how the cluster is called. `ingress` is the address at which VMs reach it, empty where unknown."""

    namespace: str = "istio-system"
    revision: str = ""
    cluster: str = "Kubernetes"
    ingress: str = ""

    @property
    def suffix(self) -> str:
        """What the names of a revision's objects end with."""
        return "" if self.revision in ("", "default") else f"-{self.revision}"

    @property
    def host(self) -> str:
        """The name by which VMs know istiod."""
        return f"istiod{self.suffix}.{self.namespace}.svc"

    @property
    def address(self) -> str:
        """Where istiod signs certificates and serves configuration."""
        return f"{self.host}:15012"


@dataclass(frozen=True, slots=True)
class IstioFiles:
    """`cluster.env` and `hosts` as text, `mesh.yaml` as a document."""

    cluster_env: str
    mesh: Document
    hosts: str


def istio_files(
    vm: EnrolledVM, mesh: str, plane: ControlPlane, *, capture_dns: bool = True, svc_ip: SvcIp | None = None
) -> IstioFiles:
    """Return the files for a VM. `mesh` is the mesh configuration as its ConfigMap holds it, YAML.

    Raises InvalidInput where that, or a proxy configuration of the group, cannot be read.
    """
    config = _yaml(mesh, "the mesh configuration")
    proxy = _proxy_config(vm, config, plane)
    metadata = {**proxy.get("proxyMetadata", {}), **_metadata(vm, config, proxy, plane.cluster)}
    if capture_dns:
        metadata["ISTIO_META_DNS_CAPTURE"] = "true"
    proxy = {**proxy, "proxyMetadata": metadata}
    if vm.probe:
        proxy["readinessProbe"] = vm.probe
    variables = {**metadata, **_variables(vm, proxy, plane, svc_ip)}
    lines = sorted(f"{name}={_quoted(str(value))}" for name, value in variables.items())
    hosts = f"{plane.ingress} {plane.host}\n" if plane.ingress else ""
    return IstioFiles("\n".join(lines) + "\n", {"defaultConfig": proxy}, hosts)


def cluster_name(values: str) -> str:
    """Return the cluster's name in the injector's values (JSON); raises InvalidInput."""
    try:
        found = json.loads(values)
        return str(found["global"].get("multiCluster", {}).get("clusterName", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput("the sidecar injector's values do not say how the cluster is called: give --cluster-id") from error


def _proxy_config(vm: EnrolledVM, config: Document, plane: ControlPlane) -> Document:
    """Return the mesh's ProxyConfig under those of the group: field by field, but for the metadata, which are joined."""
    proxy: Document = dict(config.get("defaultConfig") or {})
    if plane.suffix and not proxy.get("discoveryAddress"):
        proxy["discoveryAddress"] = plane.address
    for text in vm.proxy_configs:
        over = _yaml(text, f"a proxy configuration of {vm.namespace}/{vm.workload}")
        joined = {**(proxy.get("proxyMetadata") or {}), **(over.get("proxyMetadata") or {})}
        proxy = {**proxy, **over, "proxyMetadata": joined}
    return proxy


def _metadata(vm: EnrolledVM, config: Document, proxy: Document, cluster: str) -> dict[str, str]:
    service = _first(vm.labels, _CANONICAL_NAME, "app.kubernetes.io/name", "app") or vm.workload
    revision = _first(vm.labels, _CANONICAL_REVISION, "app.kubernetes.io/version", "version") or "latest"
    labels = {**vm.labels, _CANONICAL_NAME: service, _CANONICAL_REVISION: revision}
    found = {
        "CANONICAL_SERVICE": service,
        "CANONICAL_REVISION": revision,
        "POD_NAMESPACE": vm.namespace,
        "SERVICE_ACCOUNT": vm.service_account,
        "TRUST_DOMAIN": str(config.get("trustDomain") or ""),
        "ISTIO_META_CLUSTER_ID": cluster,
        "ISTIO_META_MESH_ID": str(proxy.get("meshId") or ""),
        "ISTIO_META_NETWORK": vm.network,
        "ISTIO_META_WORKLOAD_NAME": vm.workload,
        "ISTIO_METAJSON_LABELS": _json(labels),
    }
    if vm.ports:
        ports = [{"name": name, "containerPort": port, "protocol": ""} for name, port in sorted(vm.ports.items())]
        found["ISTIO_META_POD_PORTS"] = _json(ports, sort=False)
    return found


def _variables(vm: EnrolledVM, proxy: Document, plane: ControlPlane, svc_ip: SvcIp | None) -> dict[str, str]:
    status = proxy.get("statusPort") or _STATUS_PORT
    excluded = _NEVER if status in _NEVER else (*_NEVER, status)
    found = {
        "ISTIO_INBOUND_PORTS": ",".join(map(str, sorted(vm.ports.values()))) or "*",
        "ISTIO_NAMESPACE": vm.namespace,
        "ISTIO_SERVICE": f"{vm.workload}.{vm.namespace}",
        "ISTIO_SERVICE_CIDR": "*",
        "ISTIO_LOCAL_EXCLUDE_PORTS": ",".join(map(str, excluded)),
        "SERVICE_ACCOUNT": vm.service_account,
    }
    if plane.suffix:
        found["CA_ADDR"] = plane.address
    if svc_ip is not None:
        found["ISTIO_SVC_IP"] = vm.address
    if svc_ip is SvcIp.EXTERNAL:
        found["REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION"] = "true"
    return found


def _yaml(text: str, what: str) -> Document:
    loaded = load(what, text.encode())
    if loaded.problems:
        raise InvalidInput(loaded.problems)
    if not loaded.documents:
        return {}
    found: Any = loaded.documents[0].value
    if odd := loaded.documents[0].not_json:
        raise InvalidInput(f"{what} has a value in line {odd[0].line} that YAML parsers disagree about: put it in quotes")
    if not isinstance(found, dict) or len(loaded.documents) > 1:
        raise InvalidInput(f"{what} must be one object")
    return found


def _first(labels: Mapping[str, str], *names: str) -> str:
    return next((labels[name] for name in names if name in labels), "")


def _json(value: Any, *, sort: bool = True) -> str:
    return json.dumps(value, sort_keys=sort, separators=(",", ":"))


def _quoted(text: str) -> str:
    """Quote for a shell, whatever it holds, as Istio does."""
    return "'" + text.replace("'", "'\\''") + "'"
