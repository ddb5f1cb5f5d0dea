"""The data folder on disk."""

import fcntl
import os
from pathlib import Path

import pytest

from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.store import SCRATCH, StoreFolder, private_folder
from reconciler.errors import InvalidInput, Unavailable


@pytest.fixture
def store(tmp_path: Path) -> StoreFolder:
    """A store folder with a file or two in it."""
    data = private_folder(tmp_path / "data")
    (data / SCRATCH).mkdir()
    path = data / "x.git"
    (path / "objects" / "pack").mkdir(parents=True)
    (path / "refs").mkdir()
    for name in ("a.pack", "a.idx"):
        (path / "objects" / "pack" / name).write_bytes(b"12345")
    store = StoreFolder(data, path)
    store.complete_files()
    return store


def test_a_data_folder_is_ours_alone(tmp_path: Path) -> None:
    """It is made with mode 0700, whatever the umask."""
    before = os.umask(0)
    try:
        made = private_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert made.stat().st_mode & 0o777 == 0o700
    assert private_folder(made) == made


@pytest.mark.case("S-09")
def test_a_data_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    """As are a symlink, a file, and a place where nothing can be made."""
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(private_folder(tmp_path / "real"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    for name in ("open", "link", "file", "file/below"):
        with pytest.raises(InvalidInput) as refused:
            private_folder(tmp_path / name)
        assert refused.value.problems[0].code == Code.DATA_DIR


def test_one_writer_at_a_time(store: StoreFolder) -> None:
    """Another process that holds the lock is waited for, and then said to be there."""
    with (store.data / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="another process"), store.exclusive(0.2):
            pass
    with store.exclusive(0.2) as handle:
        assert handle > 0


@pytest.mark.case("G-14")
def test_a_sweep_removes_what_a_crash_left(store: StoreFolder) -> None:
    """Locks, half packs, other stores and old scratch; what is in use stays."""
    left = ["HEAD.lock", "refs/tip.lock", "objects/pack/tmp_pack_x", "objects/pack/.tmp-1-pack-x", "objects/tmp_obj_y"]
    for name in left:
        (store.path / name).write_bytes(b"")
    (store.data / "trash-1-2").mkdir()
    (store.data / "y.git").mkdir()
    old, new = store.data / SCRATCH / "old", store.data / SCRATCH / "new"
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, 0))
    (store.data / "lock").touch()
    store.sweep()
    assert not any((store.path / name).exists() for name in left)
    assert sorted(path.name for path in store.data.iterdir()) == ["lock", SCRATCH, "x.git"]
    assert [path.name for path in (store.data / SCRATCH).iterdir()] == ["new"]
    assert store.complete
    assert (store.packs, store.bytes()) == (1, 10 + sum((store.path / name).stat().st_size for name in ("HEAD", "config")))


@pytest.mark.case("G-15")
@pytest.mark.parametrize("name", ["HEAD", "config"])
def test_a_store_whose_fixed_files_differ_is_none(store: StoreFolder, name: str) -> None:
    """A flipped byte in them would stop every command, or say something else than we mean."""
    assert store.complete
    (store.path / name).write_bytes(b"[core]\n\tsshCommand = evil\n\xff")
    assert not store.complete


def test_a_store_is_removed_whole(store: StoreFolder) -> None:
    """Nobody ever sees half of one, and removing what is gone is fine."""
    for _ in range(2):
        store.remove()
        assert not store.path.exists()
        assert not store.complete
        assert (store.packs, store.bytes()) == (0, 0)
