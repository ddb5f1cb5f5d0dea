"""`history` of a moment and `replay`, in every form: from the state store alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.adapters.store_sql import SqlStore
from reconciler.cli.main import main
from reconciler.core.rollouts.records import Change
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.history.replaying import all_evidence
from reconciler.settings import Settings
from tests.core.rollouts.play import rollout
from tests.cycle.test_evidence import gated
from tests.cycle.test_rollouts import Rolled, vm
from tests.worlds import mixed


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of the machine decide."""
    for name in [*Settings.model_fields, "config"]:
        monkeypatch.delenv(f"RECONCILER_{name.upper()}", raising=False)
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture(scope="module")
def undone() -> tuple[Rollout, Change]:
    """A rollout whose canary failed every request, with all its evidence."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1), vm(2)))
    gated(rolled, "vm3")
    kept = rolled.world.store.rollouts
    (found,) = kept.history(1)
    return found, Change(replace(found, turn=0), evidence=tuple(all_evidence(kept, found.id)))


@pytest.fixture
def url(tmp_path: Path, undone: tuple[Rollout, Change]) -> str:
    """A state store that holds it."""
    url = f"sqlite:///{tmp_path}/state.db"
    store = SqlStore(url, "default")
    store.rollouts.save([undone[1]])
    store.close()
    return url


def run(url: str, *arguments: str) -> Result:
    """Run a command against the store."""
    return CliRunner().invoke(main, [*arguments, "--state", url])


def test_a_replay_says_where_the_rollout_stopped(url: str) -> None:
    """On a terminal look by look with a sentence at the end; as JSON the same with the look that stopped it."""
    found = run(url, "replay", "shop/billing")
    assert found.exit_code == 0, found.output
    assert found.stdout.rstrip().splitlines()[-1].startswith("it would have gone back for harm at step 1, 2026-03-01")
    document = json.loads(run(url, "replay", "shop/billing", "-o", "json").stdout)
    assert document["stops"]["gate"] == "success"
    assert {one["then"] == one["now"] for one in document["looks"]} == {True}


def test_a_replay_with_another_threshold_shows_both_verdicts(url: str) -> None:
    """Who asks for nothing stops at nothing; a setting that no gate has is an error with the reason."""
    arguments = ("replay", "shop/billing", "--set", "success.min=0")
    assert run(url, *arguments).stdout.endswith("with these settings no gate would have stopped it\n")
    document = json.loads(run(url, *arguments, "-o", "json").stdout)
    assert document["stops"] is None
    assert {(one["then"].split(":")[0], one["now"]) for one in document["looks"]} >= {("fail", "pass")}
    wrong = run(url, "replay", "shop/billing", "--set", "other.min=1")
    assert (wrong.exit_code, "the rollout has no gate 'other'; its gates: success" in wrong.stderr) == (1, True)


def test_a_replay_of_nothing_passes_no_verdict(tmp_path: Path) -> None:
    """A rollout of which no sample was kept could have been stopped by anything: on a terminal and as JSON."""
    url = f"sqlite:///{tmp_path}/empty.db"
    store = SqlStore(url, "default")
    store.rollouts.save([Change(rollout())])
    store.close()
    found = run(url, "replay", "shop/billing").stdout
    assert found.endswith("no samples were kept: nobody can say what its gates would have done\n")
    assert "would have stopped" not in found
    document = json.loads(run(url, "replay", "shop/billing", "-o", "json").stdout)
    assert (document["samples"], document["looks"], document["stops"]) == (0, [], None)


def test_history_tells_of_a_service_at_a_moment(url: str, undone: tuple[Rollout, Change]) -> None:
    """On a terminal as two tables, and as JSON; without a moment it is now."""
    found = run(url, "history", "shop/billing").stdout
    assert undone[0].id in found
    assert "step 1 of 3, prepare" in found
    at = f"{undone[0].began:%Y-%m-%dT%H:%M:%SZ}"
    document = json.loads(run(url, "history", "shop/billing", "--at", at, "-o", "json").stdout)
    assert (document["at"], document["commit"]["id"], document["commit"]["subject"]) == (at, undone[0].commit, "change")
    assert {one["because"] for one in document["writes"]} == {"step 1 of 3, prepare"}


@pytest.mark.parametrize("wrong", [("--at", "2026-03-01"), ("shop/billing", "--rollouts"), ("shop/billing", "--at", "noon")])
def test_what_cannot_be_meant_is_refused(url: str, wrong: tuple[str, ...]) -> None:
    """With exit code 1."""
    assert run(url, "history", *wrong).exit_code == 1


@pytest.mark.parametrize("unit", ["shop/billing", "a-team-with-a-long-name/a-service-with-a-name-that-is-longer-still"])
def test_the_id_of_a_rollout_is_whole_on_a_narrow_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    """A person types it, or copies it: it stands in one line, whatever becomes of the rest."""
    monkeypatch.setenv("COLUMNS", "80")
    url, name = f"sqlite:///{tmp_path}/other.db", f"{unit}@3f2a61c09b.1"
    store = SqlStore(url, "default")
    store.rollouts.save([Change(rollout(id=name, unit=unit, phase=Phase.PAUSED, reason="the gate success has proven harm"))])
    store.close()
    lines = run(url, "history", "--rollouts").stdout.splitlines()
    assert any(name in line for line in lines), lines
    for word in (unit, "paused", "success"):
        assert any(word in line for line in lines), lines
