"""Judging in a process of its own: the same verdicts, and what happens where that process cannot give them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.schemas_crd.apart import SchemasApart
from reconciler.adapters.schemas_crd.definitions import read_crds
from reconciler.adapters.schemas_crd.schemas import CrdSchemas
from reconciler.errors import Unavailable
from tests.adapters.schemas_crd.definitions_of_widgets import crd, widget
from tests.adapters.schemas_crd.test_schemas_crd import variations
from tests.real.crds import Which

WIDGETS = crd(
    {"type": "object", "properties": {"size": {"type": "integer", "x-kubernetes-validations": [{"rule": "self < 9"}]}}}
)


def test_verdicts_are_those_of_this_process(istio_crds: Callable[[Which], Path]) -> None:
    """Around every rule of Istio's, problem by problem; and the CRDs are told apart alike, so that both may share a cache."""
    crds = read_crds(istio_crds("newest"))
    here, apart = CrdSchemas(crds, "a file"), SchemasApart(crds, "a file")
    documents = [document for _, document in variations()]
    assert apart.judge(documents) == list(here.judge(documents))
    assert (apart.origin, apart.id) == (here.origin, here.id)


def test_other_crds_and_other_origins_have_another_id() -> None:
    """What is remembered under an id names the origin in its words."""
    ids = {SchemasApart(*of).id for of in (([WIDGETS], "a"), ([WIDGETS], "b"), ([crd({"type": "object"})], "a"), ([], "a"))}
    assert len(ids) == 4


@pytest.mark.parametrize(("crds", "documents"), [([], [widget({})]), ([WIDGETS], [])])
def test_nothing_to_judge_starts_nothing(crds: list[Any], documents: list[Any]) -> None:
    """No time at all would be enough to start a process."""
    assert SchemasApart(crds, "a test", longest=-60).judge(documents) == [()] * len(documents)


def test_a_judgement_that_takes_too_long_is_ended() -> None:
    """And it is not taken for a good one."""
    with pytest.raises(Unavailable, match=r"the check against the CRDs took longer than 0 s and was ended"):
        SchemasApart([WIDGETS], "a test", longest=0).judge([widget({"size": 1})])


def test_a_judge_that_dies_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The last line of what it said goes into the report."""
    (tmp_path / "jsonschema_rs.py").write_text("raise SystemExit('no such luck')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"the check against the CRDs ended with status 1: no such luck"):
        SchemasApart([WIDGETS], "a test").judge([widget({"size": 1})])


def test_no_code_is_taken_from_the_folder_that_we_were_started_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It may be the checkout of a repository with a folder named like our package."""
    (tmp_path / "reconciler").mkdir()
    (tmp_path / "reconciler" / "__init__.py").write_text("raise SystemExit('theirs')")
    monkeypatch.chdir(tmp_path)
    ((problem,),) = SchemasApart([WIDGETS], "a test").judge([widget({"size": 9})])
    assert problem.field == "spec.size"
