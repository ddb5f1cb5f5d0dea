"""A commit as the rules see it: typed views, and the indexes that keep every rule linear."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from reconciler.core.analysis.codes import Code
from reconciler.core.hosts import covers
from reconciler.core.istio import DestinationRule, ServiceEntry, VirtualService, WorkloadEntry
from reconciler.core.resources import EMPTY, Key, Manifest
from reconciler.core.selection import LabelIndex
from reconciler.errors import Place, Problem, Severity


@dataclass(slots=True)
class Commit:
    """The manifests of a commit by kind, and who selects whom."""

    manifests: Mapping[Key, Manifest]
    services: list[ServiceEntry] = field(default_factory=list)
    workloads: dict[Key, WorkloadEntry] = field(default_factory=dict)
    rules: list[DestinationRule] = field(default_factory=list)
    routes: list[VirtualService] = field(default_factory=list)
    #: WorkloadEntries that each ServiceEntry's selector matches, whether or not it takes them as endpoints; and the reverse.
    matched: dict[Key, list[WorkloadEntry]] = field(default_factory=dict)
    selecting: dict[Key, list[ServiceEntry]] = field(default_factory=lambda: defaultdict(list))
    #: ServiceEntries by host; those whose host is a pattern apart.
    by_host: dict[str, list[ServiceEntry]] = field(default_factory=lambda: defaultdict(list))
    wildcards: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, manifests: Mapping[Key, Manifest]) -> Self:
        commit = cls(manifests)
        for key, manifest in manifests.items():
            match key.kind:
                case "ServiceEntry":
                    commit.services.append(ServiceEntry.of(manifest.document))
                case "WorkloadEntry":
                    commit.workloads[key] = WorkloadEntry.of(manifest.document)
                case "DestinationRule":
                    commit.rules.append(DestinationRule.of(manifest.document))
                case "VirtualService":
                    commit.routes.append(VirtualService.of(manifest.document))
        commit._index()
        return commit

    def _index(self) -> None:
        asked = {name for service in self.services for name in service.selector or ()}
        seen = ((key.namespace, workload.endpoint.selectable, workload) for key, workload in self.workloads.items())
        workloads = LabelIndex(seen, asked)
        for service in self.services:
            for host in service.hosts:
                self.by_host[host].append(service)
                if host.startswith("*"):
                    self.wildcards.add(host)
            if service.selector:
                self.matched[service.key] = workloads.picked(service.key.namespace, service.selector)
                for workload in self.matched[service.key]:
                    self.selecting[workload.key].append(service)

    def serving(self, host: str) -> Iterator[ServiceEntry]:
        """Yield the ServiceEntries that have a host or a pattern that covers it, exact ones first."""
        yield from self.by_host.get(host, ())
        for pattern in self.wildcards:
            if pattern != host and covers(pattern, host):
                yield from self.by_host[pattern]

    def declared(self, kind: str) -> dict[str, set[str]]:
        """Return the names of the objects of a kind, by namespace."""
        names: dict[str, set[str]] = {}
        for key in self.manifests:
            if key.kind == kind:
                names.setdefault(key.namespace, set()).add(key.name)
        return names

    def annotations(self, key: Key) -> Mapping[str, str]:
        return self.manifests[key].document["metadata"].get("annotations") or EMPTY

    def place(self, key: Key) -> Place:
        return self.manifests[key].place

    def problem(self, code: Code, key: Key, field_path: str, message: str, severity: Severity = Severity.WARNING) -> Problem:
        """Return a problem of an object, at the place of its document."""
        return Problem(code, message, severity, self.place(key), field_path, str(key))
