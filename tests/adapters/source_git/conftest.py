"""Fixtures: repositories on disk and the real servers in front of them, each started once per worker."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from reconciler.adapters.source_git import Credentials, GitSettings, GitSource, Timeouts
from tests.contracts.source import FOLDER
from tests.real import report
from tests.real.git_https import Authority, GitHttps
from tests.real.git_repository import GitRepository
from tests.real.git_ssh import GitSsh

Make = Callable[..., GitSource]


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitSsh]:
    """The worker's Git server over ssh."""
    with report.needed("sshd"):
        server = GitSsh.start(tmp_path_factory.mktemp("ssh") / "d")
        report.used("git over ssh")
        yield server
        server.stop()


@pytest.fixture
def repository(git_root: Path) -> GitRepository:
    """An empty repository that the servers serve, for this test alone."""
    return GitRepository.create(git_root / f"{uuid4().hex}.git")


@pytest.fixture
def settings(repository: GitRepository, tmp_path: Path) -> GitSettings:
    """Settings for the repository as a file, looking at FOLDER, with short deadlines."""
    return GitSettings(
        url=f"file://{repository.path}",
        data_dir=tmp_path / "data",
        folder=FOLDER,
        allow_local=True,
        timeouts=Timeouts(exchange=timedelta(seconds=20), fetch=timedelta(seconds=20), stall=timedelta(seconds=10)),
    )


@pytest.fixture
def make(settings: GitSettings) -> Iterator[Make]:
    """A function that makes a source from `settings`, with fields changed."""
    made = []

    def make_source(**changes: Any) -> GitSource:
        made.append(GitSource(replace(settings, **changes)))
        return made[-1]

    yield make_source
    for source in made:
        source.close()


@pytest.fixture
def over_https(https: GitHttps, authority: Authority, repository: GitRepository) -> dict[str, Any]:
    """The changes of settings by which the repository is reached over https."""
    return {"url": f"{https.url}/{repository.path.name}", "ca_file": authority.certificate, "allow_local": False}


@pytest.fixture
def over_ssh(ssh: GitSsh, repository: GitRepository) -> dict[str, Any]:
    """The changes of settings by which the repository is reached over ssh."""
    credentials = Credentials(ssh_key_file=ssh.key, known_hosts_file=ssh.known_hosts)
    return {"url": f"{ssh.prefix}{repository.path}", "credentials": credentials, "allow_local": False}
