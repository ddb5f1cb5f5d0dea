"""Reading commits: what is kept is not parsed again, and every problem is told at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from reconciler.core.resources import Document, Relation, Revision
from reconciler.desired.reader import DesiredReader
from reconciler.errors import InvalidInput, Place, Problem, Severity
from reconciler.ports import TreeFile

ACCOUNT = b"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\n"
VM = b"""apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm1, namespace: shop}
spec: {address: 10.0.0.1, labels: {app: billing}}
"""
NAMESPACE = b"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


@dataclass
class Folder:
    """A source of fixed files (path -> bytes), which counts what is read of it."""

    data: dict[str, bytes]
    read: list[str] = field(default_factory=list)

    def poll(self) -> Revision:
        return Revision("a" * 40)

    def files(self, revision: Revision) -> tuple[TreeFile, ...]:  # noqa: ARG002 - the port asks for it
        return tuple(TreeFile(path, f"id of {path}", len(data)) for path, data in self.data.items())

    def contents(self, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        for file in files:
            self.read.append(file.path)
            yield file, self.data[file.path]

    def relation(self, earlier: str, later: str) -> Relation:  # noqa: ARG002 - the port asks for it
        return Relation.UNKNOWN

    def close(self) -> None: ...


@dataclass
class Cache:
    """A cache in memory."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def get(self, ids: Iterable[str]) -> dict[str, bytes]:
        return {one: self.kept[one] for one in ids if one in self.kept}

    def put(self, entries: Mapping[str, bytes]) -> None:
        self.kept.update(entries)

    def close(self) -> None: ...


@dataclass
class Names:
    """CRDs that dislike names."""

    severity: Severity
    origin: str = "a test"
    id: str = "names"

    def judge(self, documents: Sequence[Document]) -> list[tuple[Problem, ...]]:
        return [(Problem("MR5101", "is not nice", self.severity, field="metadata.name"),)] * len(documents)


@dataclass
class Nothing:
    """CRDs that everything fits; they count what they are asked about."""

    origin: str = "a test"
    id: str = "nothing"
    judged: list[str] = field(default_factory=list)

    def judge(self, documents: Sequence[Document]) -> list[tuple[Problem, ...]]:
        self.judged += [document["kind"] for document in documents]
        return [()] * len(documents)


def test_what_is_kept_is_not_read_again() -> None:
    """A second process with the same cache parses nothing and judges nothing."""
    cache, data = Cache(), {"a.yaml": ACCOUNT, "n.yaml": NAMESPACE}
    first, second, crds = Folder(data), Folder(data), Nothing()
    one = DesiredReader(first, cache).read(first.poll(), Nothing())
    other = DesiredReader(second, cache).read(second.poll(), crds)
    assert first.read == ["a.yaml", "n.yaml"]
    assert (second.read, crds.judged) == ([], [])
    assert one == other


def test_what_crds_said_is_kept() -> None:
    """CRDs of the same id are not asked again about the same content; others are."""
    cache, folder = Cache(), Folder({"a.yaml": ACCOUNT, "n.yaml": NAMESPACE})
    said = DesiredReader(folder, cache).read(folder.poll(), Names(Severity.WARNING)).warnings
    assert len(said) == 2
    assert DesiredReader(folder, cache).read(folder.poll(), Nothing(id="names")).warnings == said
    assert DesiredReader(folder, cache).read(folder.poll(), Nothing()).warnings == ()


def test_a_damaged_cache_is_read_over() -> None:
    """What is kept and is not what was put there costs a parse, no more."""
    folder, cache = Folder({"a.yaml": ACCOUNT}), Cache({"id of a.yaml": b"{}"})
    assert DesiredReader(folder, cache).read(folder.poll(), Nothing()).manifests
    assert cache.kept["id of a.yaml"] != b"{}"


def test_an_unchanged_commit_costs_nothing() -> None:
    """The same revision under the same CRDs is the very same value."""
    folder = Folder({"a.yaml": ACCOUNT})
    reader, crds = DesiredReader(folder, Cache()), Nothing()
    assert reader.read(folder.poll(), crds) is reader.read(folder.poll(), crds)


def test_of_another_commit_only_new_files_are_read_and_judged() -> None:
    """What both commits hold is not even looked up; other CRDs judge everything anew."""
    folder, cache, crds = Folder({"a.yaml": ACCOUNT, "n.yaml": NAMESPACE}), Cache(), Nothing()
    reader = DesiredReader(folder, cache)
    reader.read(Revision("a" * 40), crds)
    cache.kept.clear()
    folder.data = {"n.yaml": NAMESPACE, "vm.yaml": VM}
    desired = reader.read(Revision("b" * 40), crds)
    assert folder.read == ["a.yaml", "n.yaml", "vm.yaml"]
    assert crds.judged == ["ServiceAccount", "Namespace", "WorkloadEntry"]
    assert [key.kind for key in desired.manifests] == ["Namespace", "WorkloadEntry"]
    others = Nothing(id="others")
    reader.read(Revision("b" * 40), others)
    assert others.judged == ["Namespace", "WorkloadEntry"]


def test_crds_say_the_same_of_a_file_in_every_commit() -> None:
    """Although they are asked about it once: its warnings stay, and go with it."""
    folder, crds = Folder({"a.yaml": ACCOUNT}), Names(Severity.WARNING)
    reader = DesiredReader(folder, Cache())
    first = reader.read(Revision("a" * 40), crds).warnings
    folder.data = {"a.yaml": ACCOUNT, "n.yaml": NAMESPACE}
    assert set(first) < set(reader.read(Revision("b" * 40), crds).warnings)
    folder.data = {"n.yaml": NAMESPACE}
    assert not set(first) & set(reader.read(Revision("c" * 40), crds).warnings)


def test_what_crds_say_points_at_the_field() -> None:
    """Warnings stay beside the state; errors are raised."""
    folder = Folder({"a.yaml": ACCOUNT})
    (warning,) = DesiredReader(folder, Cache()).read(folder.poll(), Names(Severity.WARNING)).warnings
    assert (warning.place, warning.object) == (Place("a.yaml", 4, 9), "ServiceAccount shop/web")
    with pytest.raises(InvalidInput) as raised:
        DesiredReader(folder, Cache()).read(folder.poll(), Names(Severity.ERROR))
    assert [problem.place for problem in raised.value.problems] == [Place("a.yaml", 4, 9)]


@pytest.mark.case("M-09")
def test_problems_of_all_sorts_are_told_at_once() -> None:
    """Broken YAML in one file does not hide what CRDs say against another; in order of place."""
    folder = Folder({"b.yaml": b"a: [", "a.yaml": ACCOUNT})
    with pytest.raises(InvalidInput) as raised:
        DesiredReader(folder, Cache()).read(folder.poll(), Names(Severity.ERROR))
    assert [problem.code for problem in raised.value.problems] == ["MR5101", "MR1004"]


def test_without_a_registry_no_record_is_wanted() -> None:
    """None could ever be written, and what comes after them would wait for ever."""
    folder = Folder({"a.yaml": VM})
    with_registry = DesiredReader(folder, Cache()).read(folder.poll(), Nothing())
    without = DesiredReader(folder, Cache(), records=False).read(folder.poll(), Nothing())
    assert [key.kind for key in with_registry.machines] == ["VirtualMachine"]
    assert without.machines == {}
    assert without.manifests == with_registry.manifests
