"""Annotations under our own name, on whatever object: one that we do not know does nothing, and nobody would see that."""

from collections.abc import Iterator
from difflib import get_close_matches

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.groups.autogroup import AUTO_REGISTER_ANNOTATION, RETIRE_ANNOTATION
from reconciler.core.groups.marks import JOINED_ANNOTATION
from reconciler.core.health.sources import CONSUL_SERVICE_ANNOTATION, SOURCE_ANNOTATION
from reconciler.core.kinds import OURS
from reconciler.core.machines import ADDRESS_ANNOTATION, GROUP_ANNOTATION, REGISTRY_ANNOTATION, address_networks, is_exempt
from reconciler.core.wanted import ADOPT_ANNOTATION, MODE_ANNOTATION
from reconciler.errors import Problem, Severity

#: What people write. Marks of our own in the cluster are not among them: a copy of one in Git means nothing there.
WRITTEN = frozenset(
    {
        ADDRESS_ANNOTATION,
        ADOPT_ANNOTATION,
        AUTO_REGISTER_ANNOTATION,
        CONSUL_SERVICE_ANNOTATION,
        GROUP_ANNOTATION,
        MODE_ANNOTATION,
        REGISTRY_ANNOTATION,
        RETIRE_ANNOTATION,
        SOURCE_ANNOTATION,
    }
)
_SHORT = tuple(name.partition("/")[2] for name in sorted(WRITTEN))
#: Told of by a rule of its own.
_FORGED = frozenset({JOINED_ANNOTATION})


def unknown_annotations(commit: Commit) -> Iterator[Problem]:
    """A name of ours that is mistyped leaves the default in force, silently."""
    for key in commit.manifests:
        for name in commit.annotations(key):
            if name.startswith(f"{OURS}/") and name not in WRITTEN and name not in _FORGED:
                near = get_close_matches(name.partition("/")[2], _SHORT, n=1, cutoff=0.7)
                meant = f"is {OURS}/{near[0]} meant? Correct" if near else "correct"
                yield commit.problem(
                    Code.ANNOTATION_UNKNOWN,
                    key,
                    f'metadata.annotations["{name}"]',
                    f"no annotation of this name means anything in Git: {meant} or remove it",
                )


def delegated_addresses(commit: Commit) -> Iterator[Problem]:
    """Who leaves an address to the registry says within which networks, of a VM that the registry keeps."""
    for key, workload in commit.workloads.items():
        if ADDRESS_ANNOTATION not in commit.annotations(key):
            continue
        document = commit.manifests[key].document
        if not address_networks(document):
            text = "means nothing with this value: write registry and its networks (registry, 10.0.0.0/16), or remove it"
        elif is_exempt(document, workload):
            text = "the VM registry does not keep this VM: remove the annotation"
        else:
            continue
        yield commit.problem(Code.ADDRESS_VALUE, key, f'metadata.annotations["{ADDRESS_ANNOTATION}"]', text, Severity.ERROR)
