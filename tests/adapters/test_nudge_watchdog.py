"""A repository on this machine tells when a ref moves."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from reconciler.adapters.nudge_watchdog import git_folder, watch
from reconciler.errors import InvalidInput

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": os.environ["PATH"],
    **{f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, timeout=60)  # noqa: S607


def _commit(copy: Path, text: str) -> None:
    (copy / "file").write_text(text)
    _git(copy, "add", "--all")
    _git(copy, "commit", "--message", text)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A working copy with one commit, and a bare repository that it pushes to."""
    _git(tmp_path, "init", "--bare", "--initial-branch=main", "bare.git")
    _git(tmp_path, "init", "--initial-branch=main", "copy")
    folder = tmp_path / "copy"
    _git(folder, "remote", "add", "origin", str(tmp_path / "bare.git"))
    _commit(folder, "one")
    return folder


@pytest.fixture
def nudged() -> threading.Event:
    """Set by the nudge under test."""
    return threading.Event()


def test_a_commit_in_a_working_copy_nudges(copy: Path, nudged: threading.Event) -> None:
    """The branch moves: somebody is told, within seconds and without polling."""
    stop = watch(copy, nudged.set)
    _commit(copy, "two")
    assert nudged.wait(10)
    stop()


def test_a_push_to_a_bare_repository_nudges(copy: Path, nudged: threading.Event) -> None:
    """A push creates or moves a ref: somebody is told."""
    stop = watch(copy.parent / "bare.git", nudged.set)
    _git(copy, "push", "origin", "main")
    assert nudged.wait(10)
    stop()


def test_what_moves_no_ref_nudges_nobody(copy: Path, nudged: threading.Event) -> None:
    """Edited files, the index and objects are not commits: only Git's refs count."""
    stop = watch(copy, nudged.set)
    (copy / "file").write_text("edited, not committed")
    _git(copy, "add", "--all")
    _git(copy, "status")
    assert not nudged.wait(0.7)
    stop()


def test_a_linked_worktree_is_watched_where_its_refs_are(copy: Path) -> None:
    """``git worktree add`` makes a folder whose .git is a file; its refs live in the main repository."""
    _git(copy, "worktree", "add", "../linked")
    assert git_folder(copy.parent / "linked") == (copy / ".git").resolve()


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    """What is no repository cannot be watched, and the sentence says so."""
    with pytest.raises(InvalidInput, match="no Git repository"):
        git_folder(tmp_path)
