"""The other hands in the story: the Deployment controller and its HPA, who start and end Pods, and their kubelet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.real.kube import Kube
from tests.real.pods import create_pod, delete_pod
from tests.real.scaling import put_deployment


@dataclass(slots=True)
class Deployment:
    """One version of a Deployment, `version` being the hash of its Pod template; Pod n has the n-th address."""

    kube: Kube
    namespace: str
    name: str
    version: str
    addresses: Sequence[str]
    port: int
    running: int = 0

    def scale(self, pods: int) -> None:
        """Ask for so many Pods, and let them run, all of them ready; the youngest go first."""
        put_deployment(self.kube, self.namespace, self.name, pods, self._labels)
        for number in range(self.running, pods):
            self._start(number)
        for number in range(pods, self.running):
            delete_pod(self.kube, self.namespace, self._pod(number))
        self.running = pods

    @property
    def _labels(self) -> dict[str, str]:
        return {"app": self.name, "platform": "pod"}

    def _start(self, number: int) -> None:
        create_pod(
            self.kube,
            self.namespace,
            self._pod(number),
            {**self._labels, "pod-template-hash": self.version},
            self.addresses[number],
            ports={"http": self.port},
            owner=f"ReplicaSet/{self.name}-{self.version}",
        )

    def _pod(self, number: int) -> str:
        return f"{self.name}-{self.version}-{number}"
