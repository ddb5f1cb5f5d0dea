"""A local repository whose refs move is noticed at once, and nothing else is."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.adapters.nudge_watchdog import SETTLE, git_folders, watch
from reconciler.errors import InvalidInput
from tests.real.git_repository import GIT, clean_environment
from tests.waiting import SOON

Git = Callable[..., None]


class Bell:
    """Counts nudges."""

    def __init__(self) -> None:
        self.rang = threading.Event()
        self.count = 0

    def ring(self) -> None:
        """Be nudged."""
        self.count += 1
        self.rang.set()

    def heard(self) -> bool:
        """Whether there was a nudge since the last time; waits for it a while."""
        heard = self.rang.wait(SOON)
        self.rang.clear()
        return heard

    def silent(self) -> bool:
        """Whether there is none for some time."""
        return not self.rang.wait(SETTLE * 8)


def git_in(folder: Path) -> Git:
    """A function that runs Git in a folder."""

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(
            [GIT, *who, *arguments], cwd=folder, env=clean_environment(folder), check=True, capture_output=True, timeout=60
        )

    return git


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working copy with one commit."""
    folder = tmp_path / "copy"
    folder.mkdir()
    git = git_in(folder)
    git("init", "--quiet", "--initial-branch=main")
    git("commit", "--quiet", "--allow-empty", "--message=first")
    return folder


@pytest.fixture
def git(folder: Path) -> Git:
    """Git in the working copy."""
    return git_in(folder)


@pytest.fixture
def bell(folder: Path) -> Iterator[Bell]:
    """Rings when the working copy's refs move."""
    bell = Bell()
    stop = watch(folder, bell.ring)
    yield bell
    stop()


def test_a_commit_nudges(git: Git, bell: Bell) -> None:
    """As do a new branch in a new folder, a checkout, a tag, a reset and packed refs."""
    git("commit", "--quiet", "--allow-empty", "--message=second")
    assert bell.heard()
    for command in (
        "checkout --quiet -b team/feature",
        "commit --quiet --allow-empty --message=third",
        "tag v1",
        "reset --quiet --hard HEAD~1",
        "checkout --quiet main",
        "pack-refs --all",
    ):
        time_to_settle(bell)
        git(*command.split())
        assert bell.heard(), command


def test_reading_and_editing_nudge_nobody(git: Git, folder: Path, bell: Bell) -> None:
    """What our polls do, and work that is not committed yet."""
    git("ls-remote", "--quiet", f"file://{folder}")
    git("log", "--oneline")
    (folder / "a.yaml").write_text("a: 1\n", encoding="utf-8")
    git("add", "a.yaml")
    git("status")
    assert bell.silent()


def test_many_movements_are_few_nudges(git: Git, bell: Bell) -> None:
    """A rebase is not a nudge per commit."""
    for number in range(10):
        git("update-ref", f"refs/heads/b{number}", "HEAD")
    assert bell.heard()
    time_to_settle(bell)
    assert bell.count <= 10


def test_a_push_to_a_bare_repository_nudges(git: Git, folder: Path, tmp_path: Path) -> None:
    """The demo's way."""
    bare = tmp_path / "bare.git"
    git("clone", "--quiet", "--bare", str(folder), str(bare))
    bell = Bell()
    stop = watch(bare, bell.ring)
    git("commit", "--quiet", "--allow-empty", "--message=pushed")
    git("push", "--quiet", str(bare), "main")
    assert bell.heard()
    stop()


def test_a_linked_working_tree_nudges_for_its_own_head_and_the_shared_refs(git: Git, tmp_path: Path) -> None:
    """HEAD lies in one folder, branches in another."""
    tree = tmp_path / "tree"
    git("worktree", "add", "--quiet", "-b", "side", str(tree))
    own, shared = git_folders(tree)
    assert own != shared
    bell = Bell()
    stop = watch(tree, bell.ring)
    git_in(tree)("commit", "--quiet", "--allow-empty", "--message=in the tree")
    assert bell.heard()
    stop()


def test_after_the_end_nobody_is_nudged(git: Git, folder: Path) -> None:
    """Not even by what is still settling."""
    bell = Bell()
    threads = threading.active_count()
    stop = watch(folder, bell.ring)
    git("commit", "--quiet", "--allow-empty", "--message=second")
    stop()
    assert bell.silent() or bell.count == 1
    git("commit", "--quiet", "--allow-empty", "--message=third")
    bell.rang.clear()
    assert bell.silent()
    assert threading.active_count() <= threads + 1


def test_idle_costs_nothing(bell: Bell) -> None:
    """No thread of the watch wakes up while nothing moves."""
    before = os.times()
    assert bell.silent()
    after = os.times()
    assert (after.user + after.system) - (before.user + before.system) < 0.2


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    """Said at once, not found out by silence."""
    with pytest.raises(InvalidInput, match="no Git repository"):
        watch(tmp_path, lambda: None)


def time_to_settle(bell: Bell) -> None:
    """Wait until no nudge comes any more."""
    until = time.monotonic() + SOON
    while not bell.silent() and time.monotonic() < until:
        bell.rang.clear()
