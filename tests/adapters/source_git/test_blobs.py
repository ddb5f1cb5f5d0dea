"""Many blobs through one process, each held against its id."""

from contextlib import closing
from random import Random

import pytest

from reconciler.adapters.source_git import GitSource
from reconciler.adapters.source_git.answers import DamagedStore
from reconciler.adapters.source_git.blobs import blob_id
from reconciler.ports import TreeFile
from tests.adapters.source_git.conftest import Make
from tests.contracts.source import ENTRY, FOLDER
from tests.real.git_repository import GitRepository


@pytest.fixture
def source(repository: GitRepository, make: Make) -> GitSource:
    """A source over blobs of many sizes, empty and large ones among them."""
    sizes = [0, 1, 100, 5_000, 300_000, *range(400)]
    repository.commit({f"{FOLDER}/{number:04}.yaml": Random(number).randbytes(size) for number, size in enumerate(sizes)})
    source = make()
    source.poll()
    return source


def test_sizes_and_order_are_kept(source: GitSource) -> None:
    """Over several stretches, whatever the sizes."""
    files = source.files(source.poll())
    read = list(source.contents(files))
    assert [file for file, _ in read] == list(files)
    assert all(blob_id(data) == file.id and len(data) == file.size for file, data in read)


def test_the_id_is_gits() -> None:
    """As `git hash-object` prints it."""
    assert blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_a_reader_that_stops_early_leaves_no_process(source: GitSource) -> None:
    """And the next one starts afresh."""
    files = source.files(source.poll())
    for _ in range(3):
        with closing(source.contents(files)) as contents:  # type: ignore[type-var]
            assert next(contents)[0] == files[0]
    assert len(list(source.contents(files))) == len(files)


@pytest.mark.case("G-15")
@pytest.mark.parametrize(
    "file", [TreeFile("a", "0123456789" * 4, 3), TreeFile("a", blob_id(ENTRY), 5), TreeFile("a", "HEAD\nHEAD", 3)]
)
def test_what_is_not_there_as_it_should_be_is_damage(repository: GitRepository, source: GitSource, file: TreeFile) -> None:
    """A missing id, another size, and something that is no id; the mirror is made anew, and then all is well."""
    commit = repository.commit({f"{FOLDER}/a.yaml": ENTRY})
    source.poll()
    with pytest.raises(DamagedStore):
        list(source.contents([file]))
    revision = source.poll()
    assert revision.id == commit
    assert [data for _, data in source.contents(source.files(revision))] == [ENTRY]
