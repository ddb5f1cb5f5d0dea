"""What a cache keeps of a file."""

import pytest

from reconciler.core.manifests import ParsedFile, parse_file
from reconciler.core.resources import Key, Manifest, Skipped
from reconciler.errors import Place, Problem, Severity

DOCUMENT = {
    "kind": "WorkloadEntry",
    "metadata": {"name": "a", "namespace": "shop"},
    "spec": {"weight": 5, "labels": {"ü": "é"}},
}
HERE, ORIGIN = Place("a.yaml", 3, 1), Place("base/a.yaml")
FILE = ParsedFile(
    "a.yaml",
    "blob",
    (Manifest(Key.of(DOCUMENT), DOCUMENT, HERE, "blob"),),
    (Manifest(Key("ServiceEntry", "", "b"), {}, ORIGIN, "blob"),),
    (Skipped("v1", "Secret", 2, HERE),),
    (Problem("MR1109", "must be text", Severity.ERROR, HERE, "spec.x", "WorkloadEntry shop/a"),),
)


def test_a_file_comes_back_as_it_was() -> None:
    """Manifests, broken ones, skipped kinds and problems, each with its place."""
    assert ParsedFile.from_bytes(FILE.to_bytes(), "a.yaml", "blob") == FILE


def test_a_moved_file_is_known_by_its_content() -> None:
    """Places follow the file, and so do those in files beside it, from which kustomize made a document."""
    moved = ParsedFile.from_bytes(FILE.to_bytes(), "b/c.yaml", "blob")
    assert moved.manifests[0].place == Place("b/c.yaml", 3, 1)
    assert moved.problems[0].place == Place("b/c.yaml", 3, 1)
    assert moved.broken[0].place == Place("b/base/a.yaml")


def test_equal_texts_of_files_are_one_in_memory() -> None:
    """However they came: parsed or kept."""
    data = b"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop, labels: {team: checkout}}\n"
    parsed, other = parse_file("a.yaml", "1", data), parse_file("b.yaml", "2", data.replace(b"web", b"api"))
    kept = ParsedFile.from_bytes(other.to_bytes(), "b.yaml", "2")
    teams = [file.manifests[0].document["metadata"]["labels"]["team"] for file in (parsed, other, kept)]
    assert teams[0] is teams[1] is teams[2]


@pytest.mark.parametrize(
    "damaged", [b"", b"{}", b"[", b"[[],[],[]]", b"[[1],[],[],[]]", b"[],[]", b"\xff", b"[[[[1,1],{}]],[],[],[]]"]
)
def test_anything_else_is_a_value_error(damaged: bytes) -> None:
    """Whoever keeps files then parses them anew."""
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own error is one, too
        ParsedFile.from_bytes(damaged, "a.yaml", "blob")
