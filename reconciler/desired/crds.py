"""The user's own CRDs: from a file, else from the cluster, else as the store last kept them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.resources import Document
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import Cluster, Schemas, Store

#: Makes a `Schemas` of CRDs and the words that say where they came from.
MakeSchemas = Callable[[Sequence[Document], str], Schemas]

_KEPT = "crds"
_AS_LAST_SEEN = "the cluster, as last seen"


@dataclass(slots=True)
class Crds:
    """Keeps the schemas that manifests are held against. `given` are the CRDs of a file; they win over the cluster's."""

    cluster: Cluster
    store: Store
    make: MakeSchemas
    given: Sequence[Document] = ()
    generations: Mapping[str, int] = field(default_factory=dict, init=False)
    _schemas: Schemas | None = field(default=None, init=False)
    _commit: str = field(default="", init=False)
    _origin: str = field(default="", init=False)

    def for_commit(self, commit: str) -> Schemas:
        """Return the schemas to hold a commit against; the cluster is asked for its CRDs once for each new commit."""
        if self._schemas is None or self._commit != commit:
            self._schemas, self._commit = self._refreshed(), commit
        return self._schemas

    @property
    def remark(self) -> str:
        """What a report says about the schemas in use, empty where they are those of the file given or of the cluster."""
        if not self._origin:
            return "no CRDs are at hand, neither --crds nor the cluster's: manifests were held against built-in rules alone"
        return f"manifests were held against the CRDs of {self._origin}" if self._origin == _AS_LAST_SEEN else ""

    def _refreshed(self) -> Schemas:
        """Read the CRDs again; the same ones leave everything as it is, and so does a cluster that cannot be asked."""
        try:
            live = self.cluster.crds()
        except (Unavailable, Rejected):
            live = ()
        kept = self.store.recall(_KEPT) or {}
        generations = {crd["spec"]["names"]["kind"]: crd["metadata"].get("generation", 0) for crd in live}
        if live and kept.get("generations") != generations:
            self.store.remember(_KEPT, {"generations": generations, "documents": list(live)})
        documents, origin = self._chosen(live, kept)
        if self._schemas is not None and (generations, origin) == (self.generations, self._origin):
            return self._schemas
        self.generations, self._origin = generations, origin
        return self.make(documents, origin)

    def _chosen(self, live: Sequence[Document], kept: Document) -> tuple[Sequence[Document], str]:
        if self.given:
            return self.given, "the file given"
        if live:
            return live, "the cluster"
        return kept.get("documents", ()), _AS_LAST_SEEN if kept else ""
