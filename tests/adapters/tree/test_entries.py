"""Listings are judged as a whole, before anything is read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.entries import (
    Entry,
    manifests_of,
    may_be_pointer,
    odd_name,
    over_caps,
    pointer_problem,
    problems,
)
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.adapters.tree.words import shown

ID = "a" * 40
LIMITS = TreeLimits()


def entries(*paths: str, mode: str = "100644", size: int = 10) -> list[Entry]:
    """Entries of these paths."""
    return [Entry(path, mode, ID, size) for path in paths]


def codes(found: list[Entry], folder: str = "") -> list[str]:
    """What is said against them."""
    return [problem.code for problem in problems(found, folder, LIMITS)]


def test_manifests_are_chosen_from_the_folder_down() -> None:
    """A hidden folder that the operator names is not hidden; links are never manifests."""
    found = [*entries(".mesh/a.yaml", ".mesh/.b.yaml", ".mesh/c.txt"), *entries(".mesh/d.yaml", mode="120000")]
    assert [entry.path for entry in manifests_of(found, ".mesh")] == [".mesh/a.yaml"]
    assert manifests_of(found) == []


@pytest.mark.case("G-04", "G-05")
def test_links_and_submodules_are_refused_by_name() -> None:
    """Anywhere in the folder, whatever their names; what is hidden is never read."""
    found = [*entries("a.yaml", "docs/b", mode="120000"), *entries("lib", mode="160000"), *entries(".x", mode="120000")]
    assert codes(found) == [Code.SYMLINK, Code.SYMLINK, Code.SUBMODULE]
    first = next(problems(found, "", LIMITS))
    assert (str(first.place), first.message) == ("a.yaml", "is a symlink, which is never followed: put the file itself there")


@pytest.mark.case("G-07")
@pytest.mark.parametrize("path", ["../a.yaml", "a/../b.yaml", "a//b.yaml", "./a.yaml", ".git/a.yaml", "a/.GIT/config"])
def test_paths_that_climb_are_refused(path: str) -> None:
    """Git's own check refuses such trees too; we do not rest on it."""
    assert codes(entries(path)) == [Code.NAME]


@pytest.mark.case("G-07")
@pytest.mark.parametrize(
    "paths",
    [
        ("a.yaml", "A.yaml"),
        ("a.yaml", "a.yaml"),
        ("shop/a.yaml", "Shop/b.yaml"),
        ("a", "A/b.yaml"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}.yaml", "cafe\N{COMBINING ACUTE ACCENT}.yaml"),
        ("straße.yaml", "STRASSE.yaml"),
    ],
)
def test_twins_are_refused(paths: tuple[str, ...]) -> None:
    """Names that differ by case or spelling only, of files and of folders, and doubled ones."""
    assert codes(entries(*paths)) == [Code.TWINS]


def test_likes_that_are_no_twins_are_fine() -> None:
    """The same name in two folders, and folders that many files share."""
    assert codes(entries("a/x.yaml", "b/x.yaml", "a/y.yaml", "a/b/x.yaml", "a/b/y.yaml", "x.yaml")) == []


@pytest.mark.case("G-08")
@pytest.mark.parametrize(
    "path",
    [
        "a\nb.yaml",
        "a\x1b[2J.yaml",
        "a\x7f.yaml",
        "a\u202eb.yaml",
        "a\u200bb.yaml",
        "a\\b.yaml",
        "a\udce9.yaml",
        "x" * 4096,
        "d/" * 50 + "a",
    ],
    ids=range(9),
)
def test_odd_names_are_refused_on_one_line(path: str) -> None:
    """Line breaks, escapes, invisible characters, bytes that are no UTF-8, 4 KB of name, 50 folders."""
    (problem,) = problems(entries(path), "", LIMITS)
    assert problem.code == Code.NAME
    assert str(problem).isprintable()
    assert len(str(problem)) < 400


def test_letters_of_any_language_are_fine() -> None:
    """Printable is what counts."""
    assert codes(entries("zürich/größe.yaml", "日本/サービス.yaml", "a b/c'd.yaml")) == []


@pytest.mark.case("G-09")
def test_caps_are_judged_by_the_sizes_of_the_listing() -> None:
    """A 2 GB file, too many files, and too much in sum are each named, before anything is read."""
    limits = replace(LIMITS, files=2, total_bytes=1000)
    found = [*entries("a.yaml", "b.yaml", "c.yaml"), *entries("huge.yaml", size=2 * 1024**3)]
    said = [(problem.code, problem.message.split(" (")[0]) for problem in over_caps(found, limits)]
    assert said == [
        (Code.CAP, "has 2147483648 bytes, more than the cap of 1048576"),
        (Code.CAP, "the commit has 4 manifest files, more than the cap of 2"),
        (Code.CAP, "the commit's manifests have 2147483678 bytes, more than the cap of 1000"),
    ]
    assert list(over_caps(entries("a.yaml"), limits)) == []


@pytest.mark.case("G-06")
def test_a_pointer_is_known_by_its_beginning() -> None:
    """Only files of a pointer's size are looked at."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
    (entry,) = entries("a.yaml", size=len(pointer))
    assert may_be_pointer(entry)
    problem = pointer_problem(entry, pointer)
    assert problem is not None
    assert problem.code == Code.LFS
    assert pointer_problem(entry, b"apiVersion: v1\n") is None
    assert not any(may_be_pointer(other) for other in (*entries("a.yaml", size=5000), *entries("l", mode="120000", size=130)))


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_name_can_be_judged_and_shown(path: str) -> None:
    """On one line, whatever it holds."""
    assert odd_name(path, LIMITS).isprintable()
    assert shown(path).isprintable()
    for problem in problems(entries(path), "", LIMITS):
        assert str(problem).isprintable()
