"""Which files of a real commit are read, and which commits are refused whole."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.source_git import GitSource, Limits
from reconciler.adapters.source_git.codes import Code as GitCode
from reconciler.adapters.source_git.listing import parse_listing
from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.entries import Entry
from reconciler.errors import InvalidInput, Problem, Unavailable
from tests.adapters.source_git.conftest import Make
from tests.contracts.source import ENTRY, FOLDER
from tests.real.git_repository import Files, GitRepository, Item, submodule, symlink

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


def refusal(source: GitSource) -> list[Problem]:
    """What is said against the newest commit."""
    revision = source.poll()
    with pytest.raises(InvalidInput) as refused:
        source.files(revision)
    return list(refused.value.problems)


def said(source: GitSource) -> list[tuple[str, str]]:
    """Code and path of what is said."""
    return [(problem.code, str(problem.place or "")) for problem in refusal(source)]


@pytest.mark.case("G-04")
def test_symlinks_are_refused_and_never_opened(repository: GitRepository, make: Make, tmp_path: Path) -> None:
    """To a file of the host, to another tenant's, to itself, and forty in a chain; all are named at once."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2", encoding="utf-8")
    links: dict[str, bytes | str | Item] = {
        "host.yaml": symlink(str(secret)),
        "other.yaml": symlink("../../staging/a.yaml"),
        "self.yaml": symlink("self.yaml"),
        **{f"chain{number:02}.yaml": symlink(f"chain{number + 1:02}.yaml") for number in range(40)},
    }
    repository.commit(
        {"staging/a.yaml": ENTRY, f"{FOLDER}/a.yaml": ENTRY, **{f"{FOLDER}/{path}": link for path, link in links.items()}}
    )
    problems = refusal(make())
    assert [str(problem.place) for problem in problems] == sorted(f"{FOLDER}/{path}" for path in links)
    assert {problem.code for problem in problems} == {Code.SYMLINK}
    assert "hunter2" not in "".join(map(str, problems))


@pytest.mark.case("G-04")
def test_a_symlink_in_place_of_the_folder_is_no_folder(repository: GitRepository, make: Make) -> None:
    """The folder itself may not be a link either."""
    repository.commit({"real/a.yaml": ENTRY, FOLDER: symlink("real")})
    assert [problem.code for problem in refusal(make())] == [GitCode.NO_FOLDER]


@pytest.mark.case("G-05")
def test_submodules_are_refused_without_being_asked_for(repository: GitRepository, make: Make) -> None:
    """Neither its URL nor what `.gitmodules` includes is ever looked at."""
    modules = '[include]\n\tpath = /etc/passwd\n[submodule "lib"]\n\tpath = production/lib\n\turl = https://evil.example/lib\n'
    repository.commit({".gitmodules": modules, f"{FOLDER}/a.yaml": ENTRY, f"{FOLDER}/lib": submodule()})
    assert said(make()) == [(Code.SUBMODULE, f"{FOLDER}/lib")]


@pytest.mark.case("G-05")
def test_a_hostile_gitmodules_is_refused_by_git(repository: GitRepository, make: Make) -> None:
    """Names that climb and URLs that are options never get into the mirror."""
    modules = '[submodule "../../hooks"]\n\tpath = lib\n\turl = -u./evil\n'
    repository.commit({".gitmodules": modules, f"{FOLDER}/a.yaml": ENTRY})
    with pytest.raises(InvalidInput) as refused:
        make().poll()
    assert refused.value.problems[0].code == GitCode.MALFORMED


@pytest.mark.case("G-06")
def test_lfs_pointers_are_named(repository: GitRepository, make: Make) -> None:
    """Where a manifest is expected; elsewhere they are none of our business."""
    repository.commit({f"{FOLDER}/a.yaml": ENTRY, f"{FOLDER}/big.yaml": POINTER, f"{FOLDER}/logo.png": POINTER})
    source = make()
    assert said(source) == [(Code.LFS, f"{FOLDER}/big.yaml")]
    repository.commit({f"{FOLDER}/a.yaml": ENTRY})
    assert len(source.files(source.poll())) == 1


@pytest.mark.case("G-06")
def test_attributes_have_no_effect(repository: GitRepository, make: Make) -> None:
    """Filters, text conversion, encodings and expansions are inert text."""
    attributes = "* filter=evil diff=evil ident text eol=crlf working-tree-encoding=UTF-16 export-subst\n"
    content = b"$Id$ $Format:%H$\nline\n"
    repository.commit({".gitattributes": attributes, f"{FOLDER}/.gitattributes": attributes, f"{FOLDER}/a.yaml": content})
    source = make()
    files = source.files(source.poll())
    assert [data for _, data in source.contents(files)] == [content]


Tree = Callable[[GitRepository], str]


def dot_dot(repository: GitRepository) -> str:
    """A folder named `..`."""
    return repository.raw_tree([("40000", "..", repository.tree({"a.yaml": ENTRY}))])


def dot_git(repository: GitRepository) -> str:
    """A folder named `.git`."""
    return repository.raw_tree([("40000", ".git", repository.tree({"config": "x"}))])


def doubled(repository: GitRepository) -> str:
    """One name twice."""
    blob = repository.blob(ENTRY)
    return repository.raw_tree([("100644", "a.yaml", blob), ("100644", "a.yaml", repository.blob(b"other"))])


def link_and_folder(repository: GitRepository) -> str:
    """A symlink and a folder of one name."""
    return repository.raw_tree([("120000", "a", repository.blob(b"/etc")), ("40000", "a", repository.tree({"b.yaml": ENTRY}))])


def slash(repository: GitRepository) -> str:
    """A name with a slash."""
    return repository.raw_tree([("100644", "../a.yaml", repository.blob(ENTRY))])


@pytest.mark.case("G-07")
@pytest.mark.parametrize("evil", [dot_dot, dot_git, doubled, link_and_folder, slash])
def test_malformed_trees_never_enter_the_mirror(repository: GitRepository, make: Make, evil: Tree) -> None:
    """Git's own check refuses the commit; the last good one stays readable, and the refusal lasts without a second fetch."""
    repository.commit({f"{FOLDER}/a.yaml": ENTRY})
    source = make()
    good = source.poll()
    tree = repository.raw_tree([("40000", FOLDER, evil(repository))])
    repository.reset(repository.commit_tree(tree, [good.id]))
    for _ in range(2):
        with pytest.raises(InvalidInput) as refused:
            source.poll()
        assert refused.value.problems[0].code == GitCode.MALFORMED
    assert [file.path for file in source.files(good)] == [f"{FOLDER}/a.yaml"]
    mended = repository.commit({f"{FOLDER}/b.yaml": ENTRY}, parents=[good.id])
    assert source.poll().id == mended


@pytest.mark.case("G-07", "G-08")
def test_odd_names_of_a_real_tree_are_refused(repository: GitRepository, make: Make) -> None:
    """Twins by case, a line break, bytes that are no UTF-8, 4 KB, 50 folders: each on one line."""
    files: Files = {
        f"{FOLDER}/a.yaml": ENTRY,
        f"{FOLDER}/A.yaml": ENTRY,
        f"{FOLDER}/new\nline.yaml": ENTRY,
        f"{FOLDER}/caf\udce9.yaml": ENTRY,
        f"{FOLDER}/{'long/' * 20}{'x' * 4000}.yaml": ENTRY,
        f"{FOLDER}/{'d/' * 50}deep.yaml": ENTRY,
    }
    repository.commit(files)
    problems = refusal(make())
    assert sorted(problem.code for problem in problems) == [Code.NAME] * 4 + [Code.TWINS]
    assert all(str(problem).isprintable() for problem in problems)


@pytest.mark.case("G-09")
def test_caps_are_named_before_anything_is_read(repository: GitRepository, make: Make) -> None:
    """A large blob and too many files; the sizes come from the listing."""
    repository.commit({f"{FOLDER}/{number}.yaml": ENTRY for number in range(12)} | {f"{FOLDER}/large.yaml": b"#" * 5000})
    source = make(limits=Limits(files=10, file_bytes=4096))
    assert said(source) == [(Code.CAP, f"{FOLDER}/large.yaml"), (Code.CAP, "")]


@pytest.mark.case("G-09")
def test_a_folder_of_very_many_files_is_refused(repository: GitRepository, make: Make) -> None:
    """200,000 files that are no manifests would fill the memory all the same."""
    repository.commit({f"{FOLDER}/{number}.txt": b"" for number in range(3000)} | {f"{FOLDER}/a.yaml": ENTRY})
    assert said(make(limits=Limits(entries=2500))) == [(Code.CAP, "")]
    assert said(make(limits=Limits(entries=100))) == [(Code.CAP, "")]


def test_the_whole_repository_may_be_the_folder(repository: GitRepository, make: Make) -> None:
    """An empty folder means all of it."""
    repository.commit({"a.yaml": ENTRY, "b/c.yaml": ENTRY})
    source = make(folder="")
    assert [file.path for file in source.files(source.poll())] == ["a.yaml", "b/c.yaml"]


def test_a_file_in_place_of_the_folder_is_no_folder(repository: GitRepository, make: Make) -> None:
    """As is one below a file."""
    repository.commit({FOLDER: ENTRY})
    for folder in (FOLDER, f"{FOLDER}/shop"):
        assert [problem.code for problem in refusal(make(folder=folder))] == [GitCode.NO_FOLDER]


def test_a_commit_that_is_not_there_is_unavailable(repository: GitRepository, make: Make) -> None:
    """Nothing is concluded from it, and the mirror is not taken for damaged."""
    repository.commit({f"{FOLDER}/a.yaml": ENTRY})
    source = make()
    revision = source.poll()
    for other in ("0123456789" * 4, "--output=/tmp/x", "HEAD"):
        with pytest.raises(Unavailable):
            source.files(replace(revision, id=other))
    assert source.files(revision)


def test_an_lfs_pointer_is_looked_for_once(repository: GitRepository, make: Make) -> None:
    """Small files that are no pointers are read for that only the first time they are seen."""
    small = b"a: " + b"b" * 120
    repository.commit({f"{FOLDER}/a.yaml": small, f"{FOLDER}/b.yaml": ENTRY})
    source = make()
    source.files(source.poll())
    repository.commit({f"{FOLDER}/a.yaml": small, f"{FOLDER}/b.yaml": POINTER})
    assert said(source) == [(Code.LFS, f"{FOLDER}/b.yaml")]


def test_a_listing_is_read_with_its_folder() -> None:
    """Modes, ids and sizes as Git prints them; what is no blob has no size."""
    blob, commit = "a" * 40, "b" * 40
    listing = f"100644 blob {blob}      12\ta.yaml\x00160000 commit {commit}       -\tlib\x00".encode()
    assert parse_listing(listing, "prod") == [Entry("prod/a.yaml", "100644", blob, 12), Entry("prod/lib", "160000", commit, 0)]
    assert parse_listing(b"") == []
