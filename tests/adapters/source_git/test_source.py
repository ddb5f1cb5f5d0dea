"""The Git source keeps the promises of the port over file, https and ssh."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.adapters.source_git import GitSource
from tests.adapters.source_git.conftest import Make
from tests.contracts.source import Author, SourceContract
from tests.real.git_repository import GitRepository


@dataclass(frozen=True, slots=True)
class Pushes:
    """An author who writes the repository itself."""

    repository: GitRepository

    def commit(self, files: Mapping[str, bytes], *, root: bool = False) -> str:
        return self.repository.commit(files, parents=[] if root else None, message="other history" if root else "change")

    def reset(self, commit: str) -> None:
        self.repository.reset(commit)

    def delete_branch(self) -> None:
        self.repository.delete_branch()


class GitContract(SourceContract):
    """What the transports share."""

    @pytest.fixture
    def author(self, repository: GitRepository) -> Author:
        return Pushes(repository)


class TestOverFile(GitContract):
    """The contract over a repository on the same machine."""

    @pytest.fixture
    def source(self, make: Make) -> GitSource:
        return make()


class TestOverHttps(GitContract):
    """The contract over `git http-backend` behind TLS."""

    @pytest.fixture
    def source(self, make: Make, over_https: dict[str, Any]) -> GitSource:
        return make(**over_https)


class TestOverSsh(GitContract):
    """The contract over OpenSSH."""

    @pytest.fixture
    def source(self, make: Make, over_ssh: dict[str, Any]) -> GitSource:
        return make(**over_ssh)
