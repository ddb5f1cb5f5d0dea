"""Settings are checked as a whole before any process is started."""

from pathlib import Path

import pytest

from reconciler.adapters.source_git import GitSettings, GitSource
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.target import checked_folder, parse_target
from reconciler.errors import InvalidInput


@pytest.mark.case("G-01", "G-03")
def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """URL, ref and folder are each refused, and nothing was made on disk."""
    settings = GitSettings(url="ext::sh", ref="--x", folder="../other", data_dir=tmp_path / "data")
    with pytest.raises(InvalidInput) as refused:
        GitSource(settings)
    assert [problem.code for problem in refused.value.problems] == [Code.URL, Code.REF, Code.FOLDER]
    assert not settings.data_dir.exists()


def test_ssh_needs_a_key_and_host_keys(tmp_path: Path) -> None:
    """Neither is ever looked for in the user's home."""
    with pytest.raises(InvalidInput) as refused:
        parse_target(GitSettings(url="ssh://git@example.com/mesh", data_dir=tmp_path))
    assert [problem.code for problem in refused.value.problems] == [Code.CREDENTIALS, Code.CREDENTIALS]


@pytest.mark.parametrize("folder", ["..", "a/../b", "/a", "a//b", "a/./b", ".git", "a/.GIT", "-a", "a\nb", "a\\b", "a" * 600])
def test_odd_folders_are_refused(folder: str) -> None:
    """Only a plain relative path."""
    with pytest.raises(InvalidInput):
        checked_folder(folder)


@pytest.mark.parametrize(
    ("folder", "path"), [("", ""), (".", ""), ("a/b/", "a/b"), ("a b", "a b"), ("clusters/prod", "clusters/prod")]
)
def test_plain_folders_are_taken(folder: str, path: str) -> None:
    """A slash at the end is no harm."""
    assert checked_folder(folder) == path
