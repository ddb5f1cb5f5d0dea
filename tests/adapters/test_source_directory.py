"""The plain folder as a source."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.source_directory import DirectorySource
from reconciler.adapters.source_directory.scan import blob_id
from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.core.resources import Relation, Revision
from reconciler.errors import InvalidInput, Unavailable


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)  # noqa: TID251 - compared with the times of files, which the kernel sets

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


class DictMemory:
    """Remembers in a dictionary."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def recall(self, name: str) -> bytes | None:
        return self.values.get(name)

    def remember(self, name: str, value: bytes) -> None:
        self.values[name] = value


def write(root: Path, files: dict[str, str | bytes]) -> None:
    """Write files with their folders."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def read(source: DirectorySource) -> dict[str, bytes]:
    """Return all contents by path."""
    revision = source.poll()
    return {file.path: data for file, data in source.contents(source.files(revision))}


def refusals(root: Path, **options: Any) -> list[str]:
    """Return path and reason of everything that must not be there."""
    with pytest.raises(InvalidInput) as error:
        read(DirectorySource(root, SetClock(), **options))
    return sorted(f"{problem.place or ''} {problem.message}".strip() for problem in error.value.problems)


def test_manifest_files_are_found_in_path_order(tmp_path: Path) -> None:
    """YAML and JSON at any depth; other files and dot entries are left alone."""
    write(
        tmp_path,
        {"b/x.yaml": "b", "a.yml": "a", "b/c/y.json": "{}", "README.md": "#", ".ci.yaml": "x", ".git/config.yaml": "x"},
    )
    source = DirectorySource(tmp_path, SetClock())
    assert read(source) == {"a.yml": b"a", "b/c/y.json": b"{}", "b/x.yaml": b"b"}
    assert [file.path for file in source.files(Revision(""))] == ["a.yml", "b/c/y.json", "b/x.yaml"]


def test_files_have_the_ids_that_git_gives_them(tmp_path: Path) -> None:
    """So that a parse cache serves both sources. The id of an empty blob is well known."""
    write(tmp_path, {"a.yaml": ""})
    source = DirectorySource(tmp_path, SetClock())
    assert [file.id for file in source.files(source.poll())] == ["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"]


def test_equal_folders_are_equal_revisions(tmp_path: Path) -> None:
    """The revision's id is a digest of paths and contents; it moves with either."""
    write(tmp_path / "one", {"a.yaml": "x", "b.yaml": "y"})
    write(tmp_path / "two", {"a.yaml": "x", "b.yaml": "y"})
    source, other = DirectorySource(tmp_path / "one", SetClock()), DirectorySource(tmp_path / "two", SetClock())
    first = source.poll()
    assert other.poll().id == first.id
    (tmp_path / "one/b.yaml").rename(tmp_path / "one/c.yaml")
    assert source.poll().id != first.id
    assert source.relation(first.id, first.id) is Relation.SAME
    assert source.relation(first.id, "x") is Relation.UNKNOWN


@pytest.mark.case("G-04")
def test_symlinks_are_refused_and_never_opened(tmp_path: Path) -> None:
    """To a file, to a folder, to nowhere, to itself: each is named."""
    write(tmp_path, {"in/a.yaml": "a", "out/secret.yaml": "s"})
    folder = tmp_path / "in"
    (folder / "file.yaml").symlink_to(tmp_path / "out/secret.yaml")
    (folder / "folder").symlink_to(tmp_path / "out")
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    (folder / "nowhere").symlink_to("nothing")
    message = "is a symlink, which is never followed: put the file itself there"
    assert refusals(folder) == [f"{name} {message}" for name in ("file.yaml", "folder", "loop.yaml", "nowhere")]


@pytest.mark.case("G-08")
def test_names_that_would_garble_a_log_are_refused(tmp_path: Path) -> None:
    """A line break in a name, and bytes that are not UTF-8, are shown escaped; whatever sort of file it is, as from Git."""
    write(tmp_path, {"a\nb.yaml": "x", "c\x1b.txt": "x"})
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_bytes(b"x")
    assert [line.split(" has ")[0] for line in refusals(tmp_path)] == [r"\udcff.yaml", r"a\nb.yaml", r"c\x1b.txt"]


@pytest.mark.case("G-08")
def test_what_git_would_refuse_is_refused(tmp_path: Path) -> None:
    """Names that are one on other systems, files that are LFS pointers, repositories within: a check says it beforehand."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
    write(tmp_path, {"a.yaml": "a", "A.yaml": "a", "big.yaml": pointer, "lib/.git": "gitdir: x", "lib/b.yaml": "b"})
    with pytest.raises(InvalidInput) as error:
        read(DirectorySource(tmp_path, SetClock()))
    found = [(str(problem.place), problem.code) for problem in error.value.problems]
    assert found == [("a.yaml", Code.TWINS), ("lib", Code.SUBMODULE), ("big.yaml", Code.LFS)]


@pytest.mark.case("G-09")
def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """Its size is looked up first (the file here is all hole)."""
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(2 * 1024**3)
    (line,) = [line for line in refusals(tmp_path) if line.startswith("a.yaml")]
    assert line == f"a.yaml has {2 * 1024**3} bytes, more than the cap of 1048576 (git.max_file_bytes): split it"


@pytest.mark.case("G-10")
def test_caps_are_those_of_git(tmp_path: Path) -> None:
    """On files, on their bytes, and on entries of any kind, of which no more are looked at."""
    write(tmp_path, {f"{number}.yaml": "x" * 10 for number in range(5)})
    limits = TreeLimits(files=4, total_bytes=40)
    assert [line.partition(",")[0] for line in refusals(tmp_path, limits=limits)] == [
        "the commit has 5 manifest files",
        "the commit's manifests have 50 bytes",
    ]
    assert refusals(tmp_path, limits=TreeLimits(entries=4)) == ["the folder holds more than 4 files: give a narrower path"]
    assert len(read(DirectorySource(tmp_path, SetClock(), limits=TreeLimits(files=5, entries=5)))) == 5


def test_a_pipe_is_refused_and_never_opened(tmp_path: Path) -> None:
    """Opening it would wait for ever."""
    os.mkfifo(tmp_path / "a.yaml")
    assert refusals(tmp_path) == ["a.yaml is not a regular file: remove it"]


@pytest.mark.case("G-08")
def test_very_deep_folders_are_refused(tmp_path: Path) -> None:
    """They are named, not followed to their end."""
    write(tmp_path, {"/".join(["d"] * 60) + "/a.yaml": "x", "b.yaml": "x"})
    (line,) = refusals(tmp_path)
    assert line == "/".join(["d"] * 33) + " is nested in more than 31 folders: move it up"


def test_a_folder_that_is_none_or_empty_is_refused(tmp_path: Path) -> None:
    """A mistyped path must not look like a folder without faults."""
    write(tmp_path, {"file": "x", "empty/README": "x"})
    assert "is not a folder" in refusals(tmp_path / "missing")[0]
    assert "is not a folder" in refusals(tmp_path / "file")[0]
    assert "holds no manifests" in refusals(tmp_path / "empty")[0]


def test_unchanged_files_are_not_read_again(tmp_path: Path) -> None:
    """With an index, a file at rest is known by its looks; only its content is read, when asked for."""
    write(tmp_path, {"a.yaml": "a"})
    clock, memory = SetClock(), DictMemory()
    clock.time += timedelta(seconds=10)
    first = DirectorySource(tmp_path, clock, memory).poll()
    source = DirectorySource(tmp_path, clock, memory)
    assert source.poll().id == first.id
    assert source._scan is not None
    assert source._scan.kept == {}
    assert read(source) == {"a.yaml": b"a"}


def test_a_file_written_just_before_the_index_is_read_again(tmp_path: Path) -> None:
    """Two writes within one tick of the clock look alike, so looks that young are not trusted."""
    write(tmp_path, {"a.yaml": "a"})
    clock, memory = SetClock(), DictMemory()
    first = DirectorySource(tmp_path, clock, memory).poll()
    found = (tmp_path / "a.yaml").stat()
    (tmp_path / "a.yaml").write_bytes(b"b")
    os.utime(tmp_path / "a.yaml", ns=(found.st_atime_ns, found.st_mtime_ns))
    assert DirectorySource(tmp_path, clock, memory).poll().id != first.id


def test_a_changed_file_is_noticed_although_its_size_and_time_are_kept(tmp_path: Path) -> None:
    """The time of the last change of the inode gives it away."""
    write(tmp_path, {"a.yaml": "a"})
    clock, memory = SetClock(), DictMemory()
    clock.time += timedelta(seconds=10)
    first = DirectorySource(tmp_path, clock, memory).poll()
    found = (tmp_path / "a.yaml").stat()
    (tmp_path / "a.yaml").write_bytes(b"b")
    os.utime(tmp_path / "a.yaml", ns=(found.st_atime_ns, found.st_mtime_ns))
    assert DirectorySource(tmp_path, clock, memory).poll().id != first.id


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"at": "x", "files": {}}', b'{"at": 9e99, "files": {"a.yaml": [1]}}'])
def test_a_damaged_index_is_no_index(tmp_path: Path, damaged: bytes) -> None:
    """Files are read again, and nothing fails."""
    write(tmp_path, {"a.yaml": "a"})
    memory = DictMemory()
    memory.remember(f"directory {tmp_path.resolve()}", damaged)
    assert read(DirectorySource(tmp_path, SetClock(), memory)) == {"a.yaml": b"a"}


def test_a_file_that_changes_while_it_is_read_is_reported(tmp_path: Path) -> None:
    """What is parsed is what was listed, or nothing."""
    write(tmp_path, {"a.yaml": "a"})
    source = DirectorySource(tmp_path, SetClock())
    files = source.files(source.poll())
    assert list(source.contents(files)) == [(files[0], b"a")]
    write(tmp_path, {"a.yaml": "b"})
    with pytest.raises(Unavailable, match=r"a\.yaml was changed while it was read"):
        list(source.contents(files))
    (tmp_path / "a.yaml").unlink()
    with pytest.raises(Unavailable, match=r"a\.yaml cannot be read"):
        list(source.contents(files))


def test_blob_ids_are_those_of_git() -> None:
    """Git's own example: `test content` and a line break."""
    assert blob_id(b"test content\n") == "d670460b4b4aece5915caf5c68d12f560a9fe3e4"
