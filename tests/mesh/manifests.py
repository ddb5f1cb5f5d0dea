"""What a team commits: one service, `billing`, whose endpoints are inline, or WorkloadEntries and Pods behind a selector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.resources import Document
from tests.building import document

NAME = "billing"
#: Linux answers on all of 127.0.0.0/8: each VM and each Pod is an address of its own.
VMS = ("127.40.0.1", "127.40.0.2")
PODS = tuple(f"127.50.0.{number}" for number in range(1, 9))
#: The names under which Istio counts requests: a VM's WorkloadEntry, a Pod's Deployment.
WORKLOADS = {address: f"{NAME}-vm-{number}" for number, address in enumerate(VMS, 1)} | dict.fromkeys(PODS, NAME)


@dataclass(frozen=True, slots=True)
class Billing:
    """The documents of the service in one namespace; VMs and Pods listen on `port`."""

    namespace: str
    port: int

    @property
    def host(self) -> str:
        """What clients call."""
        return f"{NAME}.{self.namespace}.internal"

    def inline(self, addresses: Sequence[str]) -> Document:
        """The ServiceEntry with a list of endpoints."""
        return self._entry(endpoints=[{"address": one, "labels": {"app": NAME, "platform": "vm"}} for one in addresses])

    def behind(self, **labels: str) -> Document:
        """The ServiceEntry with a selector that asks for these labels, too."""
        return self._entry(workloadSelector={"labels": {"app": NAME, **labels}})

    def machines(self, addresses: Sequence[str]) -> list[Document]:
        """A WorkloadEntry for each VM."""
        return [
            self._document("WorkloadEntry", WORKLOADS[address], address=address, labels={"app": NAME, "platform": "vm"})
            for address in addresses
        ]

    def _entry(self, **endpoints: Any) -> Document:
        port = {"number": 80, "name": "http", "protocol": "HTTP", "targetPort": self.port}
        return self._document(
            "ServiceEntry", NAME, hosts=[self.host], location="MESH_INTERNAL", resolution="STATIC", ports=[port], **endpoints
        )

    def _document(self, kind: str, name: str, **spec: Any) -> Document:
        return document(kind, name, self.namespace, spec=spec)
