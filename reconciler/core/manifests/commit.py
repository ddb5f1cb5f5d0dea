"""The files of a commit -> one `DesiredState`, or every problem of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from reconciler.core.kinds import MANAGED, READ_ONLY
from reconciler.core.machines import machines_of
from reconciler.core.manifests.codes import Code
from reconciler.core.manifests.parsed import ParsedFile
from reconciler.core.manifests.places import ReadBlobs, placed
from reconciler.core.resources import DesiredState, Key, Manifest, Revision, Skipped
from reconciler.errors import InvalidInput, Place, Problem, Severity


def load(
    revision: Revision,
    files: Iterable[ParsedFile],
    *,
    strict_kinds: bool = False,
    default_namespace: str = "",
    namespaces: frozenset[str] | None = None,
    read: ReadBlobs | None = None,
    last: DesiredState | None = None,
) -> DesiredState:
    """Put the files of a commit together. Raises InvalidInput with every problem of every file; never a part of a commit.

    `strict_kinds` refuses kinds that we do not manage; `default_namespace` is given to documents without one (which are
    refused otherwise); `namespaces` are the only ones allowed, where given. `read` lets problems between objects point at
    line and column of their field; without it they point at the document. `last` is an earlier commit: the records of VMs that
    have not changed since are the very same values.
    """
    gathered = _Gathered(default_namespace, namespaces)
    for file in files:
        gathered.add(file)
    if strict_kinds:
        gathered.problems.extend(map(_refused, gathered.skipped.values()))
    if not gathered.failed:
        # Late, as are the parser and the models: a run that finds everything done needs none of them.
        from reconciler.core.analysis import analyse

        both = gathered.manifests | gathered.policies
        gathered.between.extend((both[Key.parse(problem.object)], problem) for problem in analyse(both))
    problems = [*gathered.problems, *placed(gathered.between, read)]
    problems.sort(key=lambda problem: problem.place or Place(""))
    if gathered.failed:
        raise InvalidInput(problems)
    return DesiredState(
        revision=revision,
        manifests=gathered.manifests,
        machines=machines_of(gathered.manifests, last),
        policies=gathered.policies,
        skipped=tuple(gathered.skipped.values()),
        warnings=tuple(problems),
    )


@dataclass(slots=True)
class _Gathered:
    """What the files seen so far say together. `between` holds problems that still need their exact place."""

    default_namespace: str
    namespaces: frozenset[str] | None
    places: dict[Key, Place] = field(default_factory=dict)
    manifests: dict[Key, Manifest] = field(default_factory=dict)
    policies: dict[Key, Manifest] = field(default_factory=dict)
    skipped: dict[tuple[str, str], Skipped] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    between: list[tuple[Manifest, Problem]] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        found = (*self.problems, *(problem for _, problem in self.between))
        return any(problem.severity is Severity.ERROR for problem in found)

    def add(self, file: ParsedFile) -> None:
        self.problems.extend(file.problems)
        for one in file.skipped:
            first = self.skipped.get((one.api_version, one.kind))
            self.skipped[one.api_version, one.kind] = replace(first, count=first.count + one.count) if first else one
        for manifest in file.broken:
            self._is_first(self._in_namespace(manifest))
        for manifest in file.manifests:
            self._add(self._in_namespace(manifest))

    def _is_first(self, manifest: Manifest) -> bool:
        first = self.places.setdefault(manifest.key, manifest.place)
        if first is not manifest.place:
            message = f"is written already in {first}: keep one of the two"
            self._say(manifest, Code.DUPLICATE_OBJECT, "metadata.name", message)
        return first is manifest.place

    def _add(self, manifest: Manifest) -> None:
        if not self._is_first(manifest):
            return
        store = self.policies if manifest.key.kind in READ_ONLY else self.manifests
        store[manifest.key] = manifest

    def _in_namespace(self, manifest: Manifest) -> Manifest:
        key = manifest.key
        if key.kind in MANAGED and not MANAGED[key.kind].namespaced:
            self._allow(manifest, key.name, "metadata.name")
            return manifest
        if not key.namespace and self.default_namespace:
            metadata = manifest.document.get("metadata", {}) | {"namespace": self.default_namespace}
            key = key._replace(namespace=self.default_namespace)
            manifest = replace(manifest, key=key, document=manifest.document | {"metadata": metadata})
        if key.namespace:
            self._allow(manifest, key.namespace, "metadata.namespace")
        else:
            self._say(manifest, Code.NAMESPACE, "metadata.namespace", "is missing: write the namespace of the object")
        return manifest

    def _allow(self, manifest: Manifest, namespace: str, field_path: str) -> None:
        if self.namespaces is not None and namespace not in self.namespaces:
            allowed = ", ".join(sorted(self.namespaces))
            self._say(manifest, Code.NAMESPACE, field_path, f"is not a namespace of this target: use one of {allowed}")

    def _say(self, manifest: Manifest, code: Code, field_path: str, message: str) -> None:
        problem = Problem(code, message, place=manifest.place, field=field_path, object=str(manifest.key))
        self.between.append((manifest, problem))


def _refused(skipped: Skipped) -> Problem:
    message = f"{skipped.api_version} {skipped.kind} is not managed here: move it out of this folder"
    return Problem(Code.UNMANAGED_KIND, message, place=skipped.place, field="kind")
