"""Problems that point at their fields."""

from collections.abc import Iterable

from reconciler.core.manifests import parse_file
from reconciler.core.manifests.places import placed
from reconciler.core.resources import Manifest
from reconciler.errors import Place, Problem

COUNT = 300
TEXT = "---\n".join(
    f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: account-{number}\n  namespace: shop\n" for number in range(COUNT)
).encode()


def manifests() -> tuple[Manifest, ...]:
    """Return the manifests of one file with many documents."""
    return parse_file("accounts.yaml", "blob", TEXT).manifests


def text(_: Iterable[str]) -> list[tuple[str, bytes]]:
    """Read the one blob that there is."""
    return [("blob", TEXT)]


def test_a_problem_points_at_its_field() -> None:
    """Problems that knew only their document get line and column of their field, in the order given."""
    found = [(one, Problem("MR3101", "is odd", place=one.place, field="metadata.name")) for one in manifests()]
    assert [problem.place for problem in placed(found, text)] == [
        Place("accounts.yaml", 4 + 6 * number, 9) for number in range(COUNT)
    ]


def test_a_blob_is_read_once() -> None:
    """However many problems are in it: a file full of them costs one pass, not one for each."""
    asked: list[str] = []

    def read(blobs: Iterable[str]) -> list[tuple[str, bytes]]:
        asked.extend(blobs)
        return [("blob", TEXT)]

    placed([(one, Problem("MR3101", "is odd", place=one.place, field="kind")) for one in manifests()], read)
    assert asked == ["blob"]


def test_without_the_blob_it_points_at_the_document() -> None:
    """Nothing to read, a blob that is gone, or a rendered document: the problem stays as it is."""
    one = manifests()[1]
    problem = Problem("MR3101", "is odd", place=one.place, field="metadata.name")
    rendered = Manifest(one.key, one.document, Place("kustomization.yaml"), one.blob)
    assert placed([(one, problem)], None) == [problem]
    assert placed([(one, problem)], lambda _: ()) == [problem]
    assert placed([(rendered, problem)], text) == [problem]
