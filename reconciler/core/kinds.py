"""The kinds that a mesh repository holds: which of them we manage, and under which API groups and versions.

Versions are listed with the one that we write first; all of them are one object (v1, v1beta1 and v1alpha3 of Istio's
networking group have equal schemas). Whether a cluster serves the first one is the cluster adapter's question.
"""

from dataclasses import dataclass

NETWORKING = "networking.istio.io"
SECURITY = "security.istio.io"
TELEMETRY = "telemetry.istio.io"
EXTENSIONS = "extensions.istio.io"
OURS = "mesh-reconciler.io"

#: API groups in which a kind that we do not know is an error rather than somebody else's business.
GUARDED_GROUPS = frozenset({NETWORKING, SECURITY, TELEMETRY, EXTENSIONS, "install.istio.io", OURS})

#: The registry's record of a VM is not a Kubernetes kind; it gets a key of this kind.
VIRTUAL_MACHINE = "VirtualMachine"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: its API group, the versions under which it may be written in Git, its plural, its scope."""

    name: str
    group: str
    versions: tuple[str, ...]
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The apiVersion that we compare and write under."""
        return f"{self.group}/{self.versions[0]}" if self.group else self.versions[0]


_NETWORKING_VERSIONS = ("v1", "v1beta1", "v1alpha3")

_MANAGED = (
    Kind("Namespace", "", ("v1",), "namespaces", namespaced=False),
    Kind("ServiceAccount", "", ("v1",), "serviceaccounts"),
    Kind("PeerAuthentication", SECURITY, ("v1", "v1beta1"), "peerauthentications"),
    Kind("RequestAuthentication", SECURITY, ("v1", "v1beta1"), "requestauthentications"),
    Kind("AuthorizationPolicy", SECURITY, ("v1", "v1beta1"), "authorizationpolicies"),
    Kind("Telemetry", TELEMETRY, ("v1", "v1alpha1"), "telemetries"),
    Kind("ProxyConfig", NETWORKING, ("v1beta1",), "proxyconfigs"),
    Kind("Sidecar", NETWORKING, _NETWORKING_VERSIONS, "sidecars"),
    Kind("Gateway", NETWORKING, _NETWORKING_VERSIONS, "gateways"),
    Kind("WorkloadGroup", NETWORKING, _NETWORKING_VERSIONS, "workloadgroups"),
    Kind("WorkloadEntry", NETWORKING, _NETWORKING_VERSIONS, "workloadentries"),
    Kind("ServiceEntry", NETWORKING, _NETWORKING_VERSIONS, "serviceentries"),
    Kind("DestinationRule", NETWORKING, _NETWORKING_VERSIONS, "destinationrules"),
    Kind("VirtualService", NETWORKING, _NETWORKING_VERSIONS, "virtualservices"),
)

#: Kinds that are written to the cluster, by name.
MANAGED: dict[str, Kind] = {kind.name: kind for kind in _MANAGED}

#: Kinds that are read from Git and never written to the cluster.
READ_ONLY: dict[str, Kind] = {"RolloutPolicy": Kind("RolloutPolicy", OURS, ("v1alpha1",), "rolloutpolicies")}

#: Kinds of Istio's groups that exist and that we leave to others.
UNMANAGED_ISTIO = frozenset(
    {
        (NETWORKING, "EnvoyFilter"),
        (EXTENSIONS, "WasmPlugin"),
        (EXTENSIONS, "TrafficExtension"),
        ("install.istio.io", "IstioOperator"),
    }
)


def find(api_version: str, kind: str) -> Kind | None:
    """Return the kind that we manage or read under this apiVersion, or None."""
    group, _, version = api_version.rpartition("/")
    found = MANAGED.get(kind) or READ_ONLY.get(kind)
    return found if found and found.group == group and version in found.versions else None
