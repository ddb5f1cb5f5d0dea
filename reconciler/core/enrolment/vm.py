"""A VM that is to join: its record in the registry, over the template of its WorkloadGroup."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from reconciler.core.resources import EMPTY, Document, LiveObject

#: Istio's annotation with a ProxyConfig as YAML text.
PROXY_CONFIG = "proxy.istio.io/config"


@dataclass(frozen=True, slots=True)
class EnrolledVM:
    """What a VM is to be in the mesh.

    `workload` is the name under which telemetry sees it: its group's, or its own where it has none. `proxy_configs` are texts
    of the annotation of that name, the later ones over the earlier.
    """

    namespace: str
    name: str
    workload: str
    address: str
    service_account: str
    network: str = ""
    locality: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    probe: Document | None = None
    proxy_configs: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: LiveObject, group: LiveObject | None) -> Self:
        """Put a record over its group's template, as a WorkloadEntry made from that would be; labels are joined.

        As in Istio, template labels win over those of the group's metadata, and the account is `default` where none is named.
        """
        spec = group.document["spec"] if group else {}
        metadata, template = _object(spec, "metadata"), _object(spec, "template")
        own = record.document["spec"]
        annotations = (group.annotations if group else EMPTY, _object(metadata, "annotations"))
        return cls(
            namespace=record.key.namespace,
            name=record.key.name,
            workload=group.key.name if group else record.key.name,
            address=own.get("address", ""),
            service_account=own.get("serviceAccount") or template.get("serviceAccount") or "default",
            network=own.get("network") or template.get("network") or "",
            locality=own.get("locality") or template.get("locality") or "",
            labels={**_object(metadata, "labels"), **_object(template, "labels"), **_object(own, "labels")},
            ports=_object(own, "ports") or _object(template, "ports"),
            probe=spec.get("probe"),
            proxy_configs=tuple(one[PROXY_CONFIG] for one in annotations if PROXY_CONFIG in one),
        )

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return document.get(name) or EMPTY
