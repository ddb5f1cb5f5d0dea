"""Files that hold secrets."""

import stat
import subprocess
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput
from reconciler.vms.private import check_private, write_private


def modes(folder: Path) -> dict[str, str]:
    """The mode of everything in a folder."""
    return {str(one.relative_to(folder)): f"{stat.S_IMODE(one.stat().st_mode):o}" for one in folder.rglob("*")}


def test_for_the_owner_alone(tmp_path: Path) -> None:
    """Files and new folders; what stood there is replaced, with its mode, and a link is not followed."""
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "token").write_text("old")
    (tmp_path / "out" / "link").symlink_to(tmp_path / "victim")
    write_private(tmp_path / "out", {"token": b"new", "link": b"own", "deep/er/token": b"other"})
    assert modes(tmp_path / "out") == {"token": "600", "link": "600", "deep": "700", "deep/er": "700", "deep/er/token": "600"}
    assert (tmp_path / "out" / "token").read_bytes() == b"new"
    assert (tmp_path / "victim").read_text() == "untouched"
    write_private(tmp_path / "a" / "b", {"token": b"x"})
    assert modes(tmp_path)["a"] == "700"


@pytest.mark.parametrize("bare", [False, True])
def test_never_where_git_is(tmp_path: Path, bare: bool) -> None:  # noqa: FBT001 - a parameter of a test
    """Neither in a working copy nor below one, there or not yet, nor in a bare repository, nor through a link."""
    repository = tmp_path / "repository"
    options = ["--bare"] if bare else []
    subprocess.run(["git", "init", "-q", *options, str(repository)], check=True)  # noqa: S607 - the git on the path
    (tmp_path / "link").symlink_to(repository)
    for folder in (repository, repository / "vms" / "new", tmp_path / "link" / "vms"):
        with pytest.raises(InvalidInput, match="tokens never go to Git"):
            write_private(folder, {"token": b"x"})
        assert not (folder / "token").exists()
    check_private(tmp_path / "beside")


def test_not_where_others_may_write(tmp_path: Path) -> None:
    """Who may write there may put something else in a token's place; nor into what is no folder."""
    tmp_path.chmod(0o777)
    with pytest.raises(InvalidInput, match="others may write"):
        write_private(tmp_path, {"token": b"x"})
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="is no folder"):
        check_private(tmp_path / "file")
