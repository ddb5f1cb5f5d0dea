"""One target on a real API server, driven by hand: compare, ask the server, write; a cycle without plan and store."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesCluster, KubernetesSettings
from reconciler.core.adoption import NOTHING, Adoption
from reconciler.core.changes import Change, ObjectDiff
from reconciler.core.diff import Differ
from reconciler.core.owned import Conflicts, Rules
from reconciler.core.resources import Document, Key, LiveObject, ObservedState
from reconciler.core.settling import dry_run_of, judgement, refused, settle
from reconciler.core.wanted import FIELD_MANAGER, wanted_now
from reconciler.errors import Conflict, Rejected
from reconciler.writes.writer import Writer
from tests.building import TARGET, desired


@dataclass
class Hands:
    """Works on one namespace of one API server."""

    kubeconfig: Path
    namespace: str
    inventory: frozenset[Key] = frozenset()
    cluster: KubernetesCluster = field(init=False)

    def __post_init__(self) -> None:
        settings = KubernetesSettings(kubeconfig=self.kubeconfig, namespaces=(self.namespace,), concurrency=4)
        self.cluster = KubernetesCluster(KubernetesApi(settings), FIELD_MANAGER)

    def observe(self) -> ObservedState:
        """What the cluster holds now."""
        state = self.cluster.observe()
        return ObservedState(state.objects, unread=state.unread, unserved=state.unserved, version=state.version)

    def look(
        self, *documents: Document, adoption: Adoption = NOTHING, conflicts: Conflicts = Conflicts.YIELD
    ) -> tuple[ObjectDiff, ...]:
        """The objects that are not in sync with these documents in Git, after the server was asked."""
        git, observed = desired(*documents), self.observe()
        rules = Rules(TARGET, conflicts, adoption)
        found = Differ().diff(git, wanted_now(git, TARGET), observed, rules, self.inventory)
        return tuple(one for one in (self._asked(each, observed) for each in found) if one is not None)

    def write(self, *documents: Document, adoption: Adoption = NOTHING, conflicts: Conflicts = Conflicts.YIELD) -> list[Change]:
        """Carry out what is due; returns the changes that were carried out."""
        observed = self.observe()
        writer = Writer(self.cluster, None, observed)
        changes = [change for one in self.look(*documents, adoption=adoption, conflicts=conflicts) for change in one.changes]
        for change in changes:
            writer.perform(change)
        return changes

    def live(self, document: Document) -> LiveObject:
        """The object as the server holds it."""
        found = self.cluster.get(Key.of(document))
        assert found is not None
        return found

    def _asked(self, one: ObjectDiff, observed: ObservedState) -> ObjectDiff | None:
        document = dry_run_of(one)
        if document is None:
            return one
        live = observed.objects[one.key]
        try:
            return settle(one, judgement(one, live, self.cluster.dry_run(document)))
        except Conflict as conflict:
            return settle(one, judgement(one, live, conflict))
        except Rejected as rejected:
            return refused(one, rejected)
