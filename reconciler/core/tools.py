"""Other tools that write to the same objects: the marks by which each is known, and what takes an object out of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.core.istio import AUTO_REGISTERED
from reconciler.core.resources import EMPTY, LiveObject

#: Kinds of owners whose objects istiod or Kubernetes makes and deletes by itself.
_REGISTRAR = "WorkloadGroup"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool and its marks.

    `labels` and `annotations` map a name to the value that counts, empty for any; `managers` are its field managers, `owners`
    the API groups of owner references that it sets. `way_out` completes "to take the object out of it: ...".
    """

    name: str
    way_out: str
    managers: frozenset[str]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owners: frozenset[str] = frozenset()


# The managers are constants of the tools' sources, or the name of their program, which client-go takes where none is given.
TOOLS = (
    Tool(
        name="argo-cd",
        way_out="delete the manifest from the Application's source with the annotation "
        "argocd.argoproj.io/sync-options: Prune=false on the live object, then remove argocd.argoproj.io/tracking-id from it",
        managers=frozenset({"argocd-controller", "argocd-application-controller"}),
        labels={"argocd.argoproj.io/instance": ""},
        annotations={"argocd.argoproj.io/tracking-id": ""},
    ),
    Tool(
        name="flux",
        way_out="annotate the live object with kustomize.toolkit.fluxcd.io/prune: disabled, delete the manifest from the "
        "Kustomization's source, then remove the toolkit.fluxcd.io labels from the object",
        managers=frozenset({"kustomize-controller", "helm-controller"}),
        labels={"kustomize.toolkit.fluxcd.io/name": "", "helm.toolkit.fluxcd.io/name": ""},
    ),
    Tool(
        name="helm",
        way_out="annotate the live object with helm.sh/resource-policy: keep, take the template out of the chart and upgrade "
        "the release, then remove the meta.helm.sh annotations and the label app.kubernetes.io/managed-by",
        managers=frozenset({"helm"}),
        labels={"app.kubernetes.io/managed-by": "Helm"},
        annotations={"meta.helm.sh/release-name": ""},
    ),
    Tool(
        name="flagger",
        way_out="delete the Canary with spec.revertOnDeletion, and the owner reference if the object stays",
        managers=frozenset({"flagger"}),
        annotations={"flagger.kubernetes.app/original-configuration": ""},
        owners=frozenset({"flagger.app"}),
    ),
    Tool(
        name="argo-rollouts",
        way_out="take the object out of the Rollout's trafficRouting, then remove the annotation "
        "argo-rollouts.argoproj.io/managed-by-rollouts",
        managers=frozenset({"rollouts-controller"}),
        annotations={"argo-rollouts.argoproj.io/managed-by-rollouts": ""},
        owners=frozenset({"argoproj.io"}),
    ),
)


def tools_of(live: LiveObject) -> tuple[tuple[Tool, str], ...]:
    """Return the tools whose marks an object carries, each with the mark that gave it away."""
    found = ((tool, next(_marks(tool, live), "")) for tool in TOOLS)
    return tuple((tool, mark) for tool, mark in found if mark)


def is_registered_by_istiod(live: LiveObject) -> bool:
    """Tell whether istiod made this WorkloadEntry when a VM connected; it also deletes it, and nobody else may."""
    owners = live.document["metadata"].get("ownerReferences") or ()
    return AUTO_REGISTERED in live.annotations or any(owner.get("kind") == _REGISTRAR for owner in owners)


def controller_of(live: LiveObject) -> str:
    """Return ``kind name`` of the controller that owns an object by an owner reference, empty where there is none."""
    for owner in live.document["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return f"{owner.get('kind', '')} {owner.get('name', '')}".strip()
    return ""


def _marks(tool: Tool, live: LiveObject) -> Iterator[str]:
    for what, marks, texts in (("label", tool.labels, live.labels), ("annotation", tool.annotations, live.annotations)):
        yield from (f"{what} {name}" for name, text in marks.items() if name in texts and text in ("", texts[name]))
    for owner in live.document["metadata"].get("ownerReferences") or EMPTY:
        group = str(owner.get("apiVersion", "")).partition("/")[0]
        if group in tool.owners:
            yield f"owner reference to {owner.get('kind', '')}"
    yield from (f"field manager {owner.manager}" for owner in live.owners if owner.manager in tool.managers)
