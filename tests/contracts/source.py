"""What every source promises: one commit at a time, its manifest files, their bytes, and how commits relate."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import pytest

from reconciler.core.resources import Relation
from reconciler.errors import InvalidInput, Unavailable
from reconciler.ports import Source

ENTRY = b"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: billing, namespace: shop}\n"
ACCOUNT = b"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: billing, namespace: shop}\n"
#: The folder that the source under test looks at.
FOLDER = "production"


class Author(Protocol):
    """Whoever writes the repository that the source under test reads."""

    def commit(self, files: Mapping[str, bytes], *, root: bool = False) -> str:
        """Commit exactly these files, on top of the branch or as a new history, and return the id."""

    def reset(self, commit: str) -> None:
        """Put the branch on a commit that was there before."""

    def delete_branch(self) -> None: ...


def read(source: Source) -> dict[str, bytes]:
    """Poll and return what the commit holds, by path."""
    files = source.files(source.poll())
    return {file.path: data for file, data in source.contents(files)}


class SourceContract:
    """Derive from it, and give the fixtures `source` (looking at FOLDER, branch main) and `author`."""

    def test_poll_returns_the_commit_of_the_branch(self, source: Source, author: Author) -> None:
        """A poll tells of the newest commit, and of the same one until there is another."""
        first = author.commit({f"{FOLDER}/a.yaml": ENTRY})
        assert source.poll().id == first
        assert source.poll() == source.poll()
        second = author.commit({f"{FOLDER}/a.yaml": ACCOUNT})
        assert source.poll().id == second

    def test_files_are_the_manifests_of_the_folder(self, source: Source, author: Author) -> None:
        """Manifest files of the folder alone, by path; what is hidden or has another name is left alone."""
        author.commit(
            {
                f"{FOLDER}/shop/b.yml": ENTRY,
                f"{FOLDER}/shop/a.yaml": ACCOUNT,
                f"{FOLDER}/c.json": b"{}",
                f"{FOLDER}/README.md": b"# not a manifest\n",
                f"{FOLDER}/CODEOWNERS": b"* @shop\n",
                f"{FOLDER}/.hidden.yaml": b"no: manifest\n",
                f"{FOLDER}/.github/workflows/mesh.yml": b"no: manifest\n",
                f"{FOLDER}-other/d.yaml": ENTRY,
                "top.yaml": ENTRY,
            }
        )
        files = source.files(source.poll())
        assert [file.path for file in files] == [f"{FOLDER}/c.json", f"{FOLDER}/shop/a.yaml", f"{FOLDER}/shop/b.yml"]
        assert [file.size for file in files] == [2, len(ACCOUNT), len(ENTRY)]
        assert not any(file.rendered for file in files)

    def test_contents_are_the_bytes_in_the_order_asked(self, source: Source, author: Author) -> None:
        """Every byte arrives as it was committed, in any order, more than once, also none."""
        odd = {f"{FOLDER}/{number:03}.yaml": b"x" * number + b"\n\r\0\xff" for number in range(300)}
        author.commit(odd)
        files = source.files(source.poll())
        backwards = [*reversed(files), files[0]]
        assert [(file, data) for file, data in source.contents(backwards)] == [(file, odd[file.path]) for file in backwards]
        assert list(source.contents([])) == []

    def test_equal_bytes_have_equal_ids(self, source: Source, author: Author) -> None:
        """The id of a file says what is in it, wherever it stands: that is what a parse cache rests on."""
        author.commit({f"{FOLDER}/a.yaml": ENTRY, f"{FOLDER}/b.yaml": ENTRY, f"{FOLDER}/c.yaml": ACCOUNT})
        one, other, third = source.files(source.poll())
        assert one.id == other.id != third.id
        author.commit({f"{FOLDER}/moved.yaml": ENTRY})
        assert source.files(source.poll())[0].id == one.id

    def test_an_earlier_commit_can_still_be_listed(self, source: Source, author: Author) -> None:
        """What was accepted before stays readable while newer commits are refused."""
        author.commit({f"{FOLDER}/a.yaml": ENTRY})
        earlier = source.poll()
        author.commit({f"{FOLDER}/b.yaml": ENTRY})
        source.poll()
        assert [file.path for file in source.files(earlier)] == [f"{FOLDER}/a.yaml"]

    @pytest.mark.case("G-13", "G-19")
    def test_relation_follows_the_graph(self, source: Source, author: Author) -> None:
        """Forward is a descendant, back is not (a mirror that serves an older commit), another history is not either."""
        first = author.commit({f"{FOLDER}/a.yaml": ENTRY})
        source.poll()
        second = author.commit({f"{FOLDER}/a.yaml": ACCOUNT})
        source.poll()
        assert source.relation(first, first) is Relation.SAME
        assert source.relation(first, second) is Relation.DESCENDANT
        assert source.relation(second, first) is Relation.DIVERGED
        third = author.commit({f"{FOLDER}/a.yaml": ENTRY}, root=True)
        assert source.poll().id == third
        assert source.relation(second, third) is Relation.DIVERGED

    def test_relation_to_a_commit_that_nobody_knows_is_unknown(self, source: Source, author: Author) -> None:
        """A base commit may be lost; that is said, and is no error."""
        commit = author.commit({f"{FOLDER}/a.yaml": ENTRY})
        source.poll()
        assert source.relation("0123456789" * 4, commit) is Relation.UNKNOWN
        assert source.relation("not an id", commit) is Relation.UNKNOWN

    @pytest.mark.case("G-12", "G-19")
    def test_the_branch_may_go_back(self, source: Source, author: Author) -> None:
        """A poll tells what the branch names now, older or not: whether that is taken, policy decides."""
        first = author.commit({f"{FOLDER}/a.yaml": ENTRY})
        author.commit({f"{FOLDER}/a.yaml": ACCOUNT})
        source.poll()
        author.reset(first)
        assert source.poll().id == first

    @pytest.mark.case("G-12")
    def test_an_empty_repository_and_a_lost_branch_are_unavailable(self, source: Source, author: Author) -> None:
        """No commit is never the wish to have nothing."""
        with pytest.raises(Unavailable):
            source.poll()
        author.commit({f"{FOLDER}/a.yaml": ENTRY})
        source.poll()
        author.delete_branch()
        with pytest.raises(Unavailable):
            source.poll()

    @pytest.mark.case("G-12")
    @pytest.mark.parametrize("files", [{"a.yaml": ENTRY}, {f"{FOLDER}/README.md": b"# moved away\n"}], ids=["missing", "empty"])
    def test_a_folder_without_manifests_is_an_error(self, source: Source, author: Author, files: dict[str, bytes]) -> None:
        """A wrong path, or a folder that was moved, never reads as the wish to have nothing."""
        author.commit(files)
        revision = source.poll()
        with pytest.raises(InvalidInput):
            source.files(revision)

    def test_threads_may_share_it(self, source: Source, author: Author) -> None:
        """Many threads poll, list and read at once, and each gets all of it right."""
        files = {f"{FOLDER}/{number}.yaml": b"%d " % number * 50 for number in range(100)}
        author.commit(files)
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: read(source), range(8)))
        assert all(result == files for result in results)
