"""Kinds whose top level is typed here and whose depths are judged by the CRDs of the user's own Istio."""

from typing import Annotated, Literal

from pydantic import Field

from reconciler.core.manifests.models.base import GROUP, KIND, JsonObject, Strict

Objects = list[JsonObject]
Labels = dict[str, str]
LabelValue = Annotated[str, Field(max_length=63)]
KindName = Annotated[str, Field(min_length=1, max_length=63, pattern=KIND)]
GroupName = Annotated[str, Field(max_length=253, pattern=GROUP)]


class PodSelector(Strict):
    """Labels of the workloads that a policy is for."""

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=4096)] | None = None


class TargetRef(Strict):
    """An object that a policy is for."""

    kind: KindName
    name: Annotated[str, Field(min_length=1, max_length=253)]
    group: GroupName | None = None
    namespace: str | None = None


TargetRefs = Annotated[list[TargetRef], Field(max_length=16)]


class SidecarSelector(Strict):
    """Labels of the workloads that a Sidecar is for."""

    labels: Annotated[dict[str, LabelValue], Field(max_length=256)] | None = None


class SidecarSpec(Strict):
    """Spec of a Sidecar."""

    workload_selector: SidecarSelector | None = None
    ingress: Objects | None = None
    egress: Objects | None = None
    inbound_connection_pool: JsonObject | None = None
    outbound_traffic_policy: JsonObject | None = None


class GatewaySpec(Strict):
    """Spec of a Gateway."""

    selector: Labels | None = None
    servers: Objects | None = None


class MutualTls(Strict):
    """Whether plaintext is taken."""

    mode: Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"] | None = None


class PeerAuthenticationSpec(Strict):
    """Spec of a PeerAuthentication."""

    selector: PodSelector | None = None
    mtls: MutualTls | None = None
    port_level_mtls: Annotated[dict[str, MutualTls], Field(min_length=1)] | None = None


class AuthorizationPolicySpec(Strict):
    """Spec of an AuthorizationPolicy."""

    selector: PodSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: TargetRefs | None = None
    action: Literal["ALLOW", "DENY", "AUDIT", "CUSTOM"] | None = None
    provider: JsonObject | None = None
    rules: Annotated[Objects, Field(max_length=512)] | None = None


class RequestAuthenticationSpec(Strict):
    """Spec of a RequestAuthentication."""

    selector: PodSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: TargetRefs | None = None
    jwt_rules: Annotated[Objects, Field(max_length=4096)] | None = None


class TelemetrySpec(Strict):
    """Spec of a Telemetry."""

    selector: PodSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: TargetRefs | None = None
    tracing: Objects | None = None
    metrics: Objects | None = None
    access_logging: Objects | None = None


class ProxyConfigSpec(Strict):
    """Spec of a ProxyConfig."""

    selector: PodSelector | None = None
    concurrency: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    environment_variables: dict[str, Annotated[str, Field(max_length=2048)]] | None = None
    image: JsonObject | None = None


class LocalReference(Strict):
    """A Secret of the same namespace."""

    name: str | None = None


class ObjectReference(LocalReference):
    """An object that a ServiceAccount may use."""

    api_version: str | None = None
    kind: str | None = None
    namespace: str | None = None
    field_path: str | None = None


class EmptySpec(Strict):
    """A Namespace's spec, in which an author has nothing to say."""
