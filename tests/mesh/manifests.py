"""What a team commits: one service, `billing`, whose endpoints are inline, or WorkloadEntries and Pods behind a selector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from reconciler.core.resources import Document
from tests.building import document

NAME = "billing"
#: Linux answers on all of 127.0.0.0/8: each VM and each Pod is an address of its own.
VMS = ("127.40.0.1", "127.40.0.2")
PODS = tuple(f"127.50.0.{number}" for number in range(1, 9))
#: The Pods of the version that answers 500.
BAD = tuple(f"127.60.0.{number}" for number in range(1, 3))
PLATFORMS = dict.fromkeys(VMS, "vm") | dict.fromkeys((*PODS, *BAD), "pod")
#: The names under which Istio counts requests: a VM's WorkloadEntry, a Pod's Deployment.
WORKLOADS = {address: f"{NAME}-vm-{number}" for number, address in enumerate(VMS, 1)} | dict.fromkeys((*PODS, *BAD), NAME)
GATES: tuple[Document, ...] = (
    {
        "name": "success",
        "interval": "1s",
        "consecutive": 2,
        "prometheus": {"template": "istio-success-rate", "min": 0.99, "samples": 50},
    },
    {"name": "no-worse", "interval": "1s", "compare": {"metric": "errors", "margin": 2}},
)


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

    def round_robin(self) -> Document:
        """The DestinationRule under which shares are exact."""
        return self._document(
            "DestinationRule", NAME, host=self.host, trafficPolicy={"loadBalancer": {"simple": "ROUND_ROBIN"}}
        )

    def policy(self, gate: str, approvals: int = 0, **spec: Any) -> Document:
        """The RolloutPolicy; one gate lets each step pass, and a person the first ones."""
        steps: list[Document] = [
            {"exposure": exposure, "hold": "1s", "gates": [gate], "approval": number < approvals}
            for number, exposure in enumerate(("10%", "25%", "50%"))
        ]
        said = {
            "serviceEntry": NAME,
            "steps": [*steps, {"exposure": "100%", "hold": "1s"}],
            "gates": [one for one in GATES if one["name"] == gate],
            "onHarm": "undo",
            "gradual": False,
            "watch": "0s",
        }
        metadata = {"name": NAME, "namespace": self.namespace}
        return {
            "apiVersion": "mesh-reconciler.io/v1alpha1",
            "kind": "RolloutPolicy",
            "metadata": metadata,
            "spec": {**said, **spec},
        }

    def _entry(self, **endpoints: Any) -> Document:
        port = {"number": 80, "name": "http", "protocol": "HTTP", "targetPort": self.port}
        return self._document(
            "ServiceEntry", NAME, hosts=[self.host], location="MESH_INTERNAL", resolution="STATIC", ports=[port], **endpoints
        )

    def _document(self, kind: str, name: str, **spec: Any) -> Document:
        return document(kind, name, self.namespace, spec=spec)


def files(documents: Iterable[Document]) -> dict[str, str]:
    """Documents as the one file of a commit."""
    return {"billing.yaml": yaml.safe_dump_all(documents, sort_keys=False)}
