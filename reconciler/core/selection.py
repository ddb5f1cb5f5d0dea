"""Who is picked by labels: an index over many workloads, so that a selector looks at few of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Generic, TypeVar

from reconciler.core.istio import selects

T = TypeVar("T")


class LabelIndex(Generic[T]):
    """Things by namespace and label. One thing may be there several times, with different labels.

    `names` are the labels that any selector will ask for, where that is known: few of those that things carry.
    """

    def __init__(self, things: Iterable[tuple[str, Mapping[str, str], T]], names: Collection[str] | None = None) -> None:
        self._things: dict[str, list[tuple[Mapping[str, str], T]]] = defaultdict(list)
        self._labelled: dict[tuple[str, str, str], list[tuple[Mapping[str, str], T]]] = defaultdict(list)
        for namespace, labels, thing in things:
            entry = (labels, thing)
            self._things[namespace].append(entry)
            for name in labels if names is None else names:
                if name in labels:
                    self._labelled[namespace, name, labels[name]].append(entry)

    def picked(self, namespace: str, selector: Mapping[str, str] | None) -> list[T]:
        """Return what a selector picks, each as often as it matches; an empty one picks nothing (see `istio.selects`)."""
        if not selector:
            return []
        fewest = min((self._labelled.get((namespace, *label), []) for label in selector.items()), key=len)
        return [thing for labels, thing in fewest if selects(selector, labels)]

    def of(self, namespace: str) -> list[T]:
        """Return everything of a namespace."""
        return [thing for _, thing in self._things.get(namespace, ())]

    def namespaces(self) -> list[str]:
        """Return the namespaces in which there is anything."""
        return list(self._things)
