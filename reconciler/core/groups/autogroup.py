"""A WorkloadGroup whose annotation lets VMs join it, and the WorkloadEntry that its template makes of one.

The annotation holds ``true``, or the networks in which the VMs' addresses must be (``10.0.0.0/16, fd00::/8``).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Self

from reconciler.core.groups.joins import Join, spelled
from reconciler.core.groups.marks import joined_at, marks
from reconciler.core.istio import HEALTH_CHECKED, WorkloadEntry
from reconciler.core.kinds import OURS
from reconciler.core.resources import EMPTY, Document, Key, Manifest
from reconciler.core.validation.durations import nanoseconds

#: On a WorkloadGroup: VMs may join it without a WorkloadEntry in Git.
AUTO_REGISTER_ANNOTATION = f"{OURS}/autoRegister"
#: On such a group: how long a VM that is lost keeps its WorkloadEntry, out of load balancing (``24h``).
RETIRE_ANNOTATION = f"{OURS}/retireAfter"
USUAL_RETIREMENT = timedelta(hours=24)
#: The account of a template that names none, as in Istio.
USUAL_ACCOUNT = "default"


@dataclass(frozen=True, slots=True)
class Said:
    """What a join gives to a WorkloadEntry beside its name."""

    at: str
    address: str
    network: str = ""
    locality: str = ""

    @classmethod
    def by(cls, join: Join) -> Self:
        """Return what a join says now."""
        return cls(spelled(join.at), join.address, join.network, join.locality)

    @classmethod
    def on(cls, entry: Document) -> Self:
        """Return what a join said when an entry was written last."""
        spec = entry.get("spec") or EMPTY
        texts = (spec.get(name) or "" for name in ("address", "network", "locality"))
        return cls(joined_at(entry), *texts)


@dataclass(frozen=True, slots=True)
class AutoGroup:
    """A group that VMs may join. No `networks`: from anywhere that their tokens allow."""

    manifest: Manifest
    networks: tuple[str, ...]
    retire_after: timedelta

    @classmethod
    def of(cls, manifest: Manifest) -> Self | None:
        """Return the group of a WorkloadGroup, None where it lets nobody join."""
        annotations = manifest.document["metadata"].get("annotations") or EMPTY
        networks = networks_of(annotations.get(AUTO_REGISTER_ANNOTATION) or "")
        if networks is None:
            return None
        retire_after = length_of(annotations.get(RETIRE_ANNOTATION) or "")
        return cls(manifest, networks, USUAL_RETIREMENT if retire_after is None else retire_after)

    @property
    def service_account(self) -> str:
        """The account that a member must have joined as."""
        return str(self._template.get("serviceAccount") or USUAL_ACCOUNT)

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels by which selectors find its members."""
        return WorkloadEntry.of(self.entry("", Said("", "")).document).endpoint.selectable

    def admits(self, address: str) -> bool:
        """Tell whether a member may have this address."""
        return not self.networks or any(ip_address(address) in ip_network(one) for one in self.networks)

    def overruled(self, said: Said) -> str:
        """Say which fields of a join do not count, since the template grants others; empty where there is none."""
        pairs = (("network", said.network), ("locality", said.locality))
        return ", ".join(name for name, text in pairs if text and text != (self._template.get(name) or text))

    def entry(self, name: str, said: Said) -> Manifest:
        """Return the WorkloadEntry of a member.

        Labels and annotations are those that the group gives, none of them ours; network and locality are the template's where
        it names them. Its health counts, as soon as it was seen to be well.
        """
        group = self.manifest.key
        given = self.manifest.document["spec"].get("metadata") or EMPTY
        annotations = {key: text for key, text in (given.get("annotations") or EMPTY).items() if not key.startswith(f"{OURS}/")}
        annotations |= {HEALTH_CHECKED: "true", **marks(group.name, said.at)}
        metadata: Document = {"name": name, "namespace": group.namespace, "annotations": annotations}
        if labels := given.get("labels"):
            metadata["labels"] = labels
        own = {"address": said.address, "network": said.network, "locality": said.locality}
        spec: dict[str, Any] = {key: value for key, value in own.items() if value}
        spec |= {key: value for key, value in self._template.items() if key != "address" and value not in (None, "")}
        version = self.manifest.document["apiVersion"]
        document = {"apiVersion": version, "kind": "WorkloadEntry", "metadata": metadata, "spec": spec}
        return Manifest(Key("WorkloadEntry", group.namespace, name), document, self.manifest.place, self.manifest.blob)

    @property
    def _template(self) -> Document:
        template: Document = self.manifest.document["spec"].get("template") or {}
        return template


def networks_of(text: str) -> tuple[str, ...] | None:
    """Return the networks that a value of the annotation names, none for ``true``; None for a value that means nothing."""
    if text == "true":
        return ()
    found = tuple(one.strip() for one in text.split(","))
    with suppress(ValueError):
        return tuple(str(ip_network(one)) for one in found)
    return None


def length_of(text: str) -> timedelta | None:
    """Return a time of 0 or more, None for a text that is none."""
    found = nanoseconds(text)
    return None if found is None or found < 0 else timedelta(microseconds=found // 1000)
