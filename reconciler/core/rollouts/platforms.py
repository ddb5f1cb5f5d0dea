"""The label by which subsets tell the VMs of a service from its Pods."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.resources import Key

#: The label that people are asked for, and its values.
LABEL, VM, POD = "platform", "vm", "pod"

#: Who an endpoint is, and its labels as selectors and subsets see them.
Labelled = tuple[Key, Mapping[str, str]]

#: Labels that follow a version or a place: the next version's Pods would be in no subset.
_PASSING = frozenset({"version", "app.kubernetes.io/version", "service.istio.io/canonical-revision", "pod-template-hash"})
_PLACES = ("topology.", "kubernetes.io/", "failure-domain.")


@dataclass(frozen=True, slots=True)
class Platforms:
    """A label that all VMs have with one value and all Pods with another one."""

    label: str
    vm: str
    pod: str


def platforms(machines: Sequence[Labelled], pods: Sequence[Labelled]) -> Platforms | None:
    """Return the label that tells VMs and Pods apart, None where there is none.

    `platform` counts first, then others by name. While nobody knows of any Pod, the VMs' label with the value ``vm`` is taken,
    and Pods are expected to have ``pod``.
    """
    for name, vm in _common(machines):
        of_pods = _values(name, pods)
        if not pods and vm == VM:
            return Platforms(name, vm, POD)
        if len(of_pods) == 1 and not of_pods & {vm, ""}:
            return Platforms(name, vm, *of_pods)
    return None


def told_apart(machines: Sequence[Labelled], selector: Mapping[str, str]) -> bool:
    """Tell whether there may be such a label: one that all VMs have with one value, and that the selector leaves to Pods."""
    return any(name not in selector for name, _ in _common(machines))


def _common(machines: Sequence[Labelled]) -> Iterator[tuple[str, str]]:
    """Yield the labels that all VMs have with one value, those first that are to be taken first."""
    for name in sorted({name for _, labels in machines for name in labels}, key=lambda name: (name != LABEL, name)):
        values = _values(name, machines)
        if name not in _PASSING and not name.startswith(_PLACES) and len(values) == 1 and "" not in values:
            yield name, values.pop()


def missing(machines: Sequence[Labelled], pods: Sequence[Labelled]) -> str:
    """Say what it takes for `platforms` to find a label."""
    wrong = [str(key) for key, labels in machines if labels.get(LABEL) != VM]
    wrong += [str(key) for key, labels in pods if labels.get(LABEL) != POD]
    named = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
    return f"no label tells its VMs from its Pods: give VMs {LABEL}: {VM} and Pods {LABEL}: {POD}, first {named}"


def _values(name: str, members: Iterable[Labelled]) -> set[str]:
    return {labels.get(name, "") for _, labels in members}
