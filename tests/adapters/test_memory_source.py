"""The source in memory keeps the promises of the port."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from reconciler.adapters.memory_source import MemorySource
from reconciler.core.resources import Relation
from reconciler.errors import Unavailable
from tests.contracts.source import ENTRY, FOLDER, Author, SourceContract


@dataclass(frozen=True, slots=True)
class Calls:
    """An author who calls the twin."""

    source: MemorySource

    def commit(self, files: Mapping[str, bytes], *, root: bool = False) -> str:
        return self.source.commit(files, root=root)

    def reset(self, commit: str) -> None:
        self.source.reset(commit)

    def delete_branch(self) -> None:
        self.source.reset("")


class TestMemorySource(SourceContract):
    """The contract over memory."""

    @pytest.fixture
    def source(self) -> MemorySource:
        return MemorySource(FOLDER)

    @pytest.fixture
    def author(self, source: MemorySource) -> Author:
        return Calls(source)


def test_it_fails_until_told_otherwise() -> None:
    """A test may take the repository away for a while."""
    source = MemorySource()
    commit = source.commit({"a.yaml": ENTRY})
    source.fail(Unavailable("down"))
    with pytest.raises(Unavailable, match="down"):
        source.poll()
    source.fail(None)
    assert source.poll().id == commit


def test_it_forgets_a_commit() -> None:
    """A lost base commit is unknown, and what builds on it no descendant of anything."""
    source = MemorySource()
    first = source.commit({"a.yaml": ENTRY})
    second = source.commit({"b.yaml": ENTRY})
    source.forget(first)
    assert source.relation(first, second) is Relation.UNKNOWN
