"""Rules about WorkloadGroups that VMs may join."""

from collections.abc import Iterator

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.groups.autogroup import AUTO_REGISTER_ANNOTATION, RETIRE_ANNOTATION, length_of, networks_of
from reconciler.core.groups.marks import JOINED_ANNOTATION
from reconciler.core.health.sources import SOURCE_ANNOTATION, Source
from reconciler.core.resources import Key
from reconciler.errors import Problem, Severity


def joining(commit: Commit) -> Iterator[Problem]:
    """Who may join, and when one that is lost retires, must mean something; health is what its agent says."""
    for key in commit.manifests:
        if key.kind != "WorkloadGroup":
            continue
        said = commit.annotations(key)
        networks, length = said.get(AUTO_REGISTER_ANNOTATION), said.get(RETIRE_ANNOTATION)
        if networks is not None and networks_of(networks) is None:
            yield _wrong(
                commit,
                key,
                AUTO_REGISTER_ANNOTATION,
                "means nothing with this value: write true, or the networks of its VMs (10.0.0.0/16, fd00::/8), or remove it",
            )
        if length is not None and length_of(length) is None:
            yield _wrong(commit, key, RETIRE_ANNOTATION, "is no length of time: write it as 30m or 24h")
        if networks is not None and said.get(SOURCE_ANNOTATION) not in (None, Source.AGENT):
            yield _wrong(
                commit,
                key,
                SOURCE_ANNOTATION,
                f"must be {Source.AGENT} where VMs join by {AUTO_REGISTER_ANNOTATION}, or remove it",
            )


def forged_joins(commit: Commit) -> Iterator[Problem]:
    """What sets the entry of a VM that joined apart from Git's may not be in Git."""
    for key in commit.workloads:
        if JOINED_ANNOTATION in commit.annotations(key):
            yield _wrong(commit, key, JOINED_ANNOTATION, "is written by the reconciler alone: remove it")


def _wrong(commit: Commit, key: Key, annotation: str, message: str) -> Problem:
    return commit.problem(Code.JOIN_VALUE, key, f'metadata.annotations["{annotation}"]', message, Severity.ERROR)
