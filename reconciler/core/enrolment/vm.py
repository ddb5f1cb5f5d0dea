"""A VM that is to join: its record in the registry, over the template of its WorkloadGroup."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import EMPTY, Document, Key, LiveObject

#: Istio's annotation with a ProxyConfig as YAML text.
PROXY_CONFIG = "proxy.istio.io/config"


@dataclass(frozen=True, slots=True)
class EnrolledVM:
    """What a VM is to be in the mesh.

    `workload` is the name under which telemetry sees it: its group's, or its own where it has none. `proxy_configs` are texts
    of the annotation of that name, the later ones over the earlier. A `newcomer` is to join its group under a name that follows
    from its address; until then its name here tells only its files apart, and `networks` are where the group allows it to be
    (none: anywhere).
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
    newcomer: bool = False
    networks: tuple[str, ...] = ()

    @classmethod
    def new(cls, group: LiveObject, number: int, networks: tuple[str, ...]) -> Self:
        """Return a VM that is to join a group, the so-many-th of one call."""
        key = Key(VIRTUAL_MACHINE, group.key.namespace, f"{group.key.name}-new-{number}")
        return replace(cls.of(LiveObject(key, {"spec": {}}), group), newcomer=True, networks=networks)

    @property
    def joins_as(self) -> Key:
        """What its join token is for: the record of the VM, or its group."""
        if self.newcomer:
            return Key("WorkloadGroup", self.namespace, self.workload)
        return Key(VIRTUAL_MACHINE, self.namespace, self.name)

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
