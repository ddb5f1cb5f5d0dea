"""Checks of a folder: every problem with the path that a person knows, nothing read that has not changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.adapters.cache_sqlite import SqliteCache
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.source_directory import DirectorySource
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document
from reconciler.desired.checking import Checker, NoCrds
from reconciler.errors import Place, Problem, Severity
from reconciler.ports import Schemas

ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\n"
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
ODD = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: Web\n  namespace: shop\n"


@dataclass
class Names:
    """CRDs that dislike names, and count how often they were made."""

    origin: str = "crds.yaml"
    id: str = "names"
    made: int = 0

    def judge(self, documents: Sequence[Document]) -> list[tuple[Problem, ...]]:
        return [(Problem("MR5101", "is not nice", Severity.WARNING, field="metadata.name"),)] * len(documents)

    def make(self) -> Schemas:
        self.made += 1
        return self


@dataclass
class Stages:
    """Counts the pieces of each stage that were announced and done."""

    told: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    def __call__(self, name: str, pieces: int) -> Callable[[], None]:
        self.told[name] = pieces

        def tick() -> None:
            self.done[name] = self.done.get(name, 0) + 1

        return tick


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of manifests."""
    made = tmp_path / "manifests"
    made.mkdir()
    return made


def check(folder: Path, shown: str = "production", **options: object) -> Report:
    """Check a folder with a cache beside it, as a process of its own would."""
    clock, cache = SystemClock(), SqliteCache(folder.parent / "cache" / "check.db", version="1")
    stage = options.pop("stage", Stages())
    source = DirectorySource(folder, clock, cache)
    options.setdefault("crds", NoCrds)
    try:
        return Checker(source, cache, clock, **options).check(shown, stage)  # type: ignore[arg-type]
    finally:
        cache.close()


def test_a_good_folder_is_valid(folder: Path) -> None:
    """Files, objects and what was skipped are counted; the report says that no CRDs were at hand."""
    (folder / "web.yaml").write_text(f"{ACCOUNT}---\n{DEPLOYMENT}")
    (folder / "README.md").write_text("no manifest")
    report = check(folder)
    assert (report.verdict, report.verdict.exit_code) == (Verdict.VALID, 0)
    assert (report.files, report.objects, report.target) == (1, 1, "production")
    assert [(one.kind, one.count, one.place) for one in report.skipped] == [
        ("Deployment", 1, Place("production/web.yaml", 7, 1))
    ]
    assert report.notes == ("checked against the built-in rules; not against your Istio's CRDs: give --crds FILE",)


def test_problems_have_the_path_that_was_asked_for(folder: Path) -> None:
    """An editor can jump there from where the command was typed; `.` adds nothing."""
    (folder / "web.yaml").write_text(ODD)
    assert check(folder).problems[0].place == Place("production/web.yaml", 4, 9)
    assert check(folder, ".").problems[0].place == Place("web.yaml", 4, 9)
    assert check(folder, "../production/").problems[0].place == Place("../production/web.yaml", 4, 9)


def test_what_does_not_belong_there_has_that_path_too(folder: Path) -> None:
    """The folder itself can be wrong."""
    (folder / "link.yaml").symlink_to("web.yaml")
    report = check(folder)
    assert [(problem.code, problem.place) for problem in report.problems] == [("MR6211", Place("production/link.yaml"))]
    assert report.verdict.exit_code == 1


def test_what_does_not_belong_there_hides_nothing_else(folder: Path) -> None:
    """All at once is the rule: the other files are read, and so they are the next time, though nothing has changed."""
    (folder / "link.yaml").symlink_to("web.yaml")
    (folder / "web.yaml").write_text(ODD)
    alone = check(folder).problems
    for _ in range(2):
        report = check(folder)
        places = [problem.place.path for problem in report.problems if problem.place]
        assert places == ["production/link.yaml", "production/web.yaml"]
        assert (report.problems, report.files) == (alone, 1)


def test_an_invalid_folder_is_counted_all_the_same(folder: Path) -> None:
    """The summary of a failed check has the same numbers as that of a good one."""
    (folder / "web.yaml").write_text(f"{ODD}---\n{DEPLOYMENT}")
    report = check(folder)
    assert (report.verdict, report.files, report.objects, report.skipped[0].count) == (Verdict.INVALID, 1, 1, 1)


@pytest.mark.case("M-12")
def test_kinds_of_others_may_be_refused(folder: Path) -> None:
    """Strict kinds turn what is skipped into errors; namespaces that are not allowed are errors too."""
    (folder / "web.yaml").write_text(f"{ACCOUNT}---\n{DEPLOYMENT}")
    assert [one.code for one in check(folder, strict_kinds=True).problems] == ["MR1203"]
    assert [one.code for one in check(folder, namespaces=frozenset({"other"})).problems] == ["MR1202"]
    assert not check(folder, namespaces=frozenset({"shop"})).problems


def test_an_unchanged_folder_is_not_checked_again(folder: Path) -> None:
    """The whole result is kept; another rule, other CRDs or another path ask anew."""
    (folder / "web.yaml").write_text(f"{ACCOUNT}---\n{DEPLOYMENT}")
    crds = Names()
    first, second = (check(folder, crds=crds.make, crds_id="1") for _ in range(2))
    assert crds.made == 1
    assert (first.problems, first.skipped, first.notes) == (second.problems, second.skipped, second.notes)
    assert (first.files, first.objects, first.verdict) == (second.files, second.objects, second.verdict)
    check(folder, crds=crds.make, crds_id="2")
    check(folder, "staging", crds=crds.make, crds_id="1")
    check(folder, crds=crds.make, crds_id="1", strict_kinds=True)
    assert crds.made == 4
    (folder / "web.yaml").write_text(ACCOUNT)
    assert not check(folder, crds=crds.make, crds_id="1").skipped


def test_crds_are_named_and_their_word_is_placed(folder: Path) -> None:
    """Where they came from, and where in the file."""
    (folder / "web.yaml").write_text(ACCOUNT)
    report = check(folder, crds=Names().make)
    assert report.notes == ("checked against the built-in rules and the CRDs of crds.yaml",)
    assert report.problems[0].place == Place("production/web.yaml", 4, 9)


def test_progress_is_told_in_stages(folder: Path) -> None:
    """Each stage announces its pieces; what is known already is no work."""
    for number in range(3):
        (folder / f"{number}.yaml").write_text(ACCOUNT.replace("web", f"web-{number}"))
    stages = Stages()
    check(folder, crds=Names().make, stage=stages)
    assert stages.told["checking against the CRDs"] == stages.done["checking against the CRDs"] == 3
    assert stages.done["reading"] >= 3
    again = Stages()
    check(folder, crds=Names().make, stage=again)
    assert again.told == {}
