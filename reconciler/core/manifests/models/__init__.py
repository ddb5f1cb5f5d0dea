"""Pydantic models of the kinds: the shape that a document must have before rules and plans look at it.

What belongs here: types, required fields, enumerations, bounds, and uniqueness where the API server demands it. What does not:
Istio's rules between fields (`core/validation`) and rules between objects (`core/analysis`). Documents are checked, not
converted: the rest of the program works on the plain document.
"""

from reconciler.core.manifests.models.base import Strict
from reconciler.core.manifests.models.destinations import DestinationRuleSpec
from reconciler.core.manifests.models.metadata import Metadata, NamespaceMetadata
from reconciler.core.manifests.models.policies import (
    AuthorizationPolicySpec,
    EmptySpec,
    GatewaySpec,
    LocalReference,
    ObjectReference,
    PeerAuthenticationSpec,
    ProxyConfigSpec,
    RequestAuthenticationSpec,
    SidecarSpec,
    TelemetrySpec,
)
from reconciler.core.manifests.models.rollout_policy import RolloutPolicySpec
from reconciler.core.manifests.models.routes import VirtualServiceSpec
from reconciler.core.manifests.models.workloads import ServiceEntrySpec, WorkloadEntrySpec, WorkloadGroupSpec


class Manifest(Strict):
    """What every document has."""

    api_version: str
    kind: str
    metadata: Metadata


class Namespace(Manifest):
    """A namespace; its name is a DNS label."""

    metadata: NamespaceMetadata
    spec: EmptySpec | None = None


class ServiceAccount(Manifest):
    """An identity of workloads."""

    automount_service_account_token: bool | None = None
    image_pull_secrets: list[LocalReference] | None = None
    secrets: list[ObjectReference] | None = None


class ServiceEntry(Manifest):
    """A service of the mesh that Kubernetes does not know."""

    spec: ServiceEntrySpec


class WorkloadEntry(Manifest):
    """One VM."""

    spec: WorkloadEntrySpec


class WorkloadGroup(Manifest):
    """What VMs of one kind have in common."""

    spec: WorkloadGroupSpec


class DestinationRule(Manifest):
    """How clients talk to a host."""

    spec: DestinationRuleSpec


class VirtualService(Manifest):
    """Where requests to a host go."""

    spec: VirtualServiceSpec


class Sidecar(Manifest):
    """What proxies of a namespace see."""

    spec: SidecarSpec | None = None


class Gateway(Manifest):
    """A proxy at the edge."""

    spec: GatewaySpec | None = None


class PeerAuthentication(Manifest):
    """Which connections workloads take."""

    spec: PeerAuthenticationSpec | None = None


class AuthorizationPolicy(Manifest):
    """Who may call workloads."""

    spec: AuthorizationPolicySpec | None = None


class RequestAuthentication(Manifest):
    """Which tokens workloads take."""

    spec: RequestAuthenticationSpec | None = None


class Telemetry(Manifest):
    """What workloads tell of themselves."""

    spec: TelemetrySpec | None = None


class ProxyConfig(Manifest):
    """Settings of proxies."""

    spec: ProxyConfigSpec | None = None


class RolloutPolicy(Manifest):
    """How changes of a service are rolled out."""

    spec: RolloutPolicySpec


#: The model of each kind that is read, by name.
MODELS: dict[str, type[Manifest]] = {model.__name__: model for model in Manifest.__subclasses__()}
