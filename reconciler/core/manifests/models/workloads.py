"""ServiceEntry, WorkloadEntry and WorkloadGroup (networking.istio.io v1; v1beta1 and v1alpha3 are equal)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from reconciler.core.manifests.models.base import HEADER, Choice, LabelMap, PortNumber, Strict, Texts, Uint32

Place = Annotated[str, Field(max_length=2048)]
Seconds = Annotated[int, Field(ge=0, le=2**31 - 1)]


class WorkloadEntrySpec(Strict):
    """One endpoint: a WorkloadEntry's spec, an inline endpoint, or a WorkloadGroup's template."""

    address: Annotated[str, Field(max_length=256)] | None = None
    ports: Annotated[dict[str, PortNumber], Field(max_length=128)] | None = None
    labels: LabelMap | None = None
    network: Place | None = None
    locality: Place | None = None
    weight: Uint32 | None = None
    service_account: Annotated[str, Field(max_length=253)] | None = None


class ServicePort(Strict):
    """A port of a ServiceEntry."""

    number: PortNumber
    name: Annotated[str, Field(max_length=256)]
    protocol: Annotated[str, Field(max_length=256)] | None = None
    target_port: PortNumber | None = None


class WorkloadSelector(Strict):
    """Labels by which a ServiceEntry picks Pods and WorkloadEntries."""

    labels: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=256)] | None = None


def _unique_names(ports: list[ServicePort]) -> list[ServicePort]:
    """The API server keeps ports as a map by name and refuses a second one of the same name."""
    names = [port.name for port in ports]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise PydanticCustomError("duplicate_name", "{index}", {"index": index})
    return ports


class ServiceEntrySpec(Strict):
    """Spec of a ServiceEntry."""

    hosts: Annotated[list[str], Field(min_length=1, max_length=256)]
    addresses: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=256)] | None = None
    ports: Annotated[list[ServicePort], Field(max_length=256), AfterValidator(_unique_names)] | None = None
    location: Literal["MESH_EXTERNAL", "MESH_INTERNAL"] | None = None
    resolution: Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] | None = None
    endpoints: Annotated[list[WorkloadEntrySpec], Field(max_length=4096)] | None = None
    workload_selector: WorkloadSelector | None = None
    export_to: Texts | None = None
    subject_alt_names: Texts | None = None


class ObjectMeta(Strict):
    """Labels and annotations that a WorkloadGroup gives to its entries."""

    labels: LabelMap | None = None
    annotations: LabelMap | None = None


class HttpHeader(Strict):
    """A header of a health probe."""

    name: Annotated[str, Field(pattern=HEADER)] | None = None
    value: str | None = None


class HttpProbe(Strict):
    """A probe by an HTTP request."""

    port: PortNumber
    path: str | None = None
    host: str | None = None
    scheme: Literal["", "HTTP", "HTTPS"] | None = None
    http_headers: list[HttpHeader] | None = None


class TcpProbe(Strict):
    """A probe by a TCP connection."""

    port: PortNumber
    host: str | None = None


class ExecProbe(Strict):
    """A probe by a command on the VM."""

    command: list[Annotated[str, Field(min_length=1)]]


class GrpcProbe(Strict):
    """A probe by gRPC's health service."""

    port: PortNumber | None = None
    service: str | None = None


class Probe(Choice):
    """How a VM's health is found out."""

    at_most_one = (("http_get", "tcp_socket", "exec", "grpc"),)

    http_get: HttpProbe | None = None
    tcp_socket: TcpProbe | None = None
    exec: ExecProbe | None = None
    grpc: GrpcProbe | None = None
    initial_delay_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    period_seconds: Seconds | None = None
    success_threshold: Seconds | None = None
    failure_threshold: Seconds | None = None


class WorkloadGroupSpec(Strict):
    """Spec of a WorkloadGroup."""

    template: WorkloadEntrySpec
    metadata: ObjectMeta | None = None
    probe: Probe | None = None
