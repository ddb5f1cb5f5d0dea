"""The cache on disk: it forgets, heals and never lies."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.adapters.cache_sqlite import SqliteCache
from reconciler.errors import InvalidInput


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the cache's file will be."""
    return tmp_path / "cache" / "parsed.db"


def opened(path: Path, version: str = "1", max_bytes: int = 1_000_000) -> SqliteCache:
    """Return a cache over the file."""
    return SqliteCache(path, version=version, max_bytes=max_bytes)


def test_values_come_back_by_name(path: Path) -> None:
    """Those that are there, and no others; a later value replaces an earlier one."""
    cache = opened(path)
    cache.put({"a": b"1", "b": b"\x00\xff"})
    cache.put({"a": b"2"})
    assert cache.get(["a", "b", "c"]) == {"a": b"2", "b": b"\x00\xff"}
    cache.put({})
    assert cache.get([]) == {}


def test_values_outlive_the_process(path: Path) -> None:
    """Closing and opening again loses nothing; a closed cache opens itself again."""
    cache = opened(path)
    cache.put({"a": b"1"})
    cache.close()
    assert opened(path).get(["a"]) == {"a": b"1"}
    assert cache.get(["a"]) == {"a": b"1"}


def test_many_values_at_once(path: Path) -> None:
    """More names than SQLite takes in one query."""
    cache = opened(path, max_bytes=10_000_000)
    values = {f"name {number}": b"x" * number for number in range(2500)}
    cache.put(values)
    assert cache.get(values) == values


def test_another_version_sees_nothing(path: Path) -> None:
    """What an older parser made is not taken for what this one would make; both versions may work side by side."""
    old, new = opened(path, "1"), opened(path, "2")
    old.put({"a": b"old"})
    assert new.get(["a"]) == {}
    new.put({"a": b"new"})
    assert old.get(["a"]) == {"a": b"old"}


def test_small_named_values_are_remembered(path: Path) -> None:
    """A folder's index, a finished result."""
    cache = opened(path)
    assert cache.recall("index") is None
    cache.remember("index", b"{}")
    assert cache.recall("index") == b"{}"


def test_the_cache_is_bounded_and_drops_what_was_unused_for_longest(path: Path) -> None:
    """A value that is used now and then survives newer ones that are not."""
    for number in range(40):
        cache = opened(path, max_bytes=2000)
        cache.put({f"value {number}": b"x" * 100})
        cache.get(["value 0"])
        cache.close()
    cache = opened(path, max_bytes=2000)
    kept = cache.get([f"value {number}" for number in range(40)])
    assert sum(map(len, kept.values())) <= 2000
    assert "value 0" in kept
    assert "value 39" in kept
    assert "value 1" not in kept


def test_nobody_else_can_read_the_cache(path: Path) -> None:
    """Folder 0700, file 0600, and SQLite's side files like the file."""
    cache = opened(path)
    cache.put({"a": b"1"})
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


@pytest.mark.case("S-09")
@pytest.mark.parametrize("spoil", [lambda path: path.chmod(0o644), lambda path: path.parent.chmod(0o777)])
def test_a_cache_that_others_may_change_is_refused(path: Path, spoil: Callable[[Path], None]) -> None:
    """What is in it would decide what is applied."""
    opened(path).close()
    spoil(path)
    with pytest.raises(InvalidInput, match="open to others"):
        opened(path)


@pytest.mark.case("S-09")
def test_a_symlink_is_refused(tmp_path: Path, path: Path) -> None:
    """It could lead to any file of ours."""
    path.parent.mkdir(mode=0o700)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="symlink"):
        opened(path)


def other_tables(path: Path) -> None:
    """Replace the cache by a database of somebody else."""
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE entry (other TEXT)")
    connection.close()
    path.chmod(0o600)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"this is no database, whatever its name says" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 3000),
        lambda path: path.write_bytes(path.read_bytes()[:100]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        other_tables,
    ],
)
def test_a_damaged_file_is_made_anew(path: Path, damage: Callable[[Path], None]) -> None:
    """The next runs miss and then work again, without anybody's help."""
    cache = opened(path)
    cache.put({f"value {number}": b"x" * 100 for number in range(50)})
    cache.close()
    damage(path)
    for _ in range(2):
        cache = opened(path)
        cache.get(f"value {number}" for number in range(50))
        cache.put({"new": b"1"})
        cache.close()
    assert opened(path).get(["new"]) == {"new": b"1"}


def test_a_value_with_a_flipped_bit_is_a_miss(path: Path) -> None:
    """Each value carries a digest of name and content."""
    cache = opened(path)
    cache.put({"a": b"weight 10", "b": b"weight 20"})
    cache.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entry SET value = ? WHERE value = ?", (b"weight 90", b"weight 10"))
    connection.close()
    assert opened(path).get(["a", "b"]) == {"b": b"weight 20"}


def test_without_a_writable_disk_there_is_no_cache(tmp_path: Path) -> None:
    """Nothing is kept and nothing fails: here a file stands where the folder should be."""
    (tmp_path / "file").write_bytes(b"")
    cache = opened(tmp_path / "file" / "cache" / "parsed.db")
    cache.put({"a": b"1"})
    assert cache.get(["a"]) == {}


WORKER = """
import sys
from pathlib import Path
from reconciler.adapters.cache_sqlite import SqliteCache
cache = SqliteCache(Path(sys.argv[1]), version="1")
for number in range(40):
    cache.put({f"{sys.argv[2]} {number}": b"x" * 50, "shared": sys.argv[2].encode()})
    assert cache.get(["shared"])
"""


def test_processes_share_one_file(path: Path) -> None:
    """Four of them write at once; nothing is lost and nothing is damaged."""
    opened(path).close()
    command = [sys.executable, "-c", WORKER, str(path)]
    workers = [subprocess.Popen([*command, str(number)], env={**os.environ}) for number in range(4)]
    assert [worker.wait(timeout=50) for worker in workers] == [0, 0, 0, 0]
    names = [f"{worker} {number}" for worker in range(4) for number in range(40)]
    assert len(opened(path).get(names)) == len(names)
