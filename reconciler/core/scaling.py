"""Who decides how many Pods run behind a selector: a HorizontalPodAutoscaler within its bounds, else whoever sets replicas.

Only read: neither replicas nor bounds are ever ours to write. A person is told what to set.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.resources import Autoscaler, Controller, ObservedState, Pod
from reconciler.core.selection import LabelIndex

#: The label by which a Deployment tells the versions of its Pods apart.
VERSION = "pod-template-hash"


def run_by(pod: Pod) -> str:
    """Return what a Pod belongs to as people name it: its Deployment (``Deployment/billing``), else its controller."""
    kind, _, name = pod.owner.partition("/")
    version = pod.labels.get(VERSION)
    return f"Deployment/{name.removesuffix(f'-{version}')}" if kind == "ReplicaSet" and version else pod.owner


@dataclass(frozen=True, slots=True)
class Scaler:
    """What decides how many Pods of one controller run: ``hpa/billing``, or ``deployment/billing`` whose replicas people set.

    It lets `minimum` to `maximum` run, and asks for `desired` now.
    """

    name: str
    minimum: int
    maximum: int
    desired: int
    automatic: bool = True


@dataclass(frozen=True, slots=True)
class Scale:
    """All that scales the Pods behind some selectors. `unseen` says what may not be read, so that more may scale them."""

    scalers: tuple[Scaler, ...] = ()
    unseen: str = ""

    @property
    def minimum(self) -> int:
        return sum(one.minimum for one in self.scalers)

    @property
    def maximum(self) -> int:
        return sum(one.maximum for one in self.scalers)

    @property
    def desired(self) -> int:
        """How many Pods are asked for now."""
        return sum(one.desired for one in self.scalers)

    @property
    def automatic(self) -> tuple[Scaler, ...]:
        """The autoscalers among them: they act with nobody looking."""
        return tuple(one for one in self.scalers if one.automatic)

    @property
    def names(self) -> str:
        return " and ".join(one.name for one in self.automatic or self.scalers)

    def advice(self, pods: int) -> str:
        """Say what a person does so that so many Pods run; empty where they are asked for already, or nobody knows."""
        if self.desired >= pods:
            return ""
        movable = self.automatic or self.scalers
        if len(movable) != 1:
            return f"let {self.names} run {pods:,} Pods together" if movable else ""
        others = sum(one.desired for one in self.scalers if one is not movable[0])
        return _advice(movable[0], pods - others)


def _advice(scaler: Scaler, pods: int) -> str:
    if not scaler.automatic:
        return f"scale {scaler.name} to {pods:,}"
    above = f" and its maxReplicas, which is {scaler.maximum:,}" if pods > scaler.maximum else ""
    return f"set minReplicas of {scaler.name} to {pods:,}{above}"


class Scaling:
    """What scales Pods, indexed by what is asked for."""

    def __init__(self, observed: ObservedState) -> None:
        self._unseen = observed.unseen
        self._autoscalers = {(one.namespace, one.target): one for one in observed.autoscalers}
        self._controllers = {(one.namespace, _name(one)): one for one in observed.controllers}
        self._in_namespace: dict[str, list[Controller]] = {}
        for one in observed.controllers:
            self._in_namespace.setdefault(one.namespace, []).append(one)
        self._by_labels: dict[str, LabelIndex[Controller]] = {}

    def behind(self, namespace: str, selectors: Iterable[Mapping[str, str] | None], pods: Iterable[Pod] = ()) -> Scale:
        """Return what scales the Pods that selectors pick in a namespace, those of today and those that may come.

        `pods` are today's: they lead to controllers of kinds that are not read, which an autoscaler may name.
        """
        here = self._labelled(namespace)
        targets = {_name(one) for selector in selectors for one in here.picked(namespace, selector)}
        targets |= {self._top(namespace, run_by(pod)) for pod in pods}
        found = [self._scaler(namespace, target) for target in sorted(targets)]
        return Scale(tuple(one for one in found if one), self._hidden(namespace))

    def _labelled(self, namespace: str) -> LabelIndex[Controller]:
        """Return the controllers of a namespace by labels: of few namespaces anybody asks, while Pods come and go in all."""
        if namespace not in self._by_labels:
            alone = (one for one in self._in_namespace.get(namespace, ()) if not one.owner)
            self._by_labels[namespace] = LabelIndex((namespace, one.labels, one) for one in alone)
        return self._by_labels[namespace]

    def _top(self, namespace: str, owner: str) -> str:
        """Return the controller at the end of a chain of owners, which is two long at most."""
        found = self._controllers.get((namespace, owner))
        return found.owner if found and found.owner else owner

    def _scaler(self, namespace: str, target: str) -> Scaler | None:
        if autoscaler := self._autoscalers.get((namespace, target)):
            return _automatic(autoscaler)
        found = self._controllers.get((namespace, target))
        if found is None:
            return None
        return Scaler(target.lower(), found.replicas, found.replicas, found.replicas, automatic=False)

    def _hidden(self, namespace: str) -> str:
        kinds = sorted({kind for kind, where in self._unseen if where in ("", namespace)})
        return f"what scales these Pods is not all known: {', '.join(kinds)} cannot be read" if kinds else ""


def _automatic(one: Autoscaler) -> Scaler:
    """Return an autoscaler's bounds; what its lower one asks for is on its way, whether or not it has acted on that yet."""
    return Scaler(f"hpa/{one.name}", one.minimum, one.maximum, max(one.minimum, one.desired or one.current))


def _name(controller: Controller) -> str:
    return f"{controller.kind}/{controller.name}"
