"""What people say to rollouts on the command line is in the state store afterwards, and nowhere else."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.adapters.store_sql import SqlStore
from reconciler.cli.main import main
from reconciler.core.resources import Key
from reconciler.core.rollouts.records import Change
from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Word
from reconciler.ports import Store
from reconciler.settings import Settings
from tests.core.rollouts.play import DIGEST, HOUR, rollout


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of the machine decide."""
    for name in [*Settings.model_fields, "config"]:
        monkeypatch.delenv(f"RECONCILER_{name.upper()}", raising=False)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A state store."""
    return f"sqlite:///{tmp_path}/state/state.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The same, with two rollouts and a service in it."""
    store = SqlStore(url, "default")
    billing, ledger = rollout(id="r1", phase=Phase.SOAKING), rollout(id="r2", unit="shop/ledger", phase=Phase.PAUSED)
    store.rollouts.save([Change(billing), Change(ledger), Change(replace(rollout(id="r0"), phase=Phase.IDLE, successor="r1"))])
    store.widen([Key("ServiceEntry", "shop", "billing")])
    yield store
    store.close()


def run(url: str, *arguments: str) -> Result:
    """Run a command against the store."""
    return CliRunner().invoke(main, [*arguments, "--state", url])


def said(store: Store) -> list[tuple[str, Word, str, str]]:
    """What is noted in the store, and for which rollout."""
    return [(one.rollout, one.word, one.reason, one.digest) for one in store.rollouts.commands()]


@pytest.mark.parametrize("word", [Word.PAUSE, Word.RESUME, Word.ABORT, Word.RETRY, Word.UNDO])
def test_a_word_is_noted_for_the_rollout(url: str, store: Store, word: Word) -> None:
    """By its unit or its id, with the reason; the person is told for which one, and where that is."""
    done = run(url, word, "shop/billing", "--reason", "INC-7")
    assert (done.exit_code, done.output.split(": ")[0]) == (0, "noted for shop/billing (rollout r1, soaking, step 1 of 2)")
    assert run(url, word, "r2").exit_code == 0
    assert said(store) == [("r1", word, "INC-7", ""), ("r2", word, "", "")]


def test_abort_all_is_for_everything_under_way(url: str, store: Store) -> None:
    """And for nothing else; one must say which, or all."""
    assert run(url, "abort", "--all", "--reason", "bad night").exit_code == 0
    assert said(store) == [("r1", Word.ABORT, "bad night", ""), ("r2", Word.ABORT, "bad night", "")]
    for arguments in ([], ["r1", "--all"]):
        assert run(url, "abort", *arguments).exit_code == 1
    assert len(said(store)) == 2


def test_abort_all_where_nothing_is_under_way(url: str) -> None:
    """Is told, and no error."""
    done = run(url, "abort", "--all")
    assert (done.exit_code, done.output) == (0, "no rollout is under way\n")


def test_approve_is_about_a_plan_with_allow_and_about_a_step_without(url: str, store: Store) -> None:
    """A plan gets overrides, a rollout an approval; what is meant is never guessed."""
    assert run(url, "approve", DIGEST, "--allow", "wholesale:shop/billing", "--reason", "agreed").exit_code == 0
    assert [one.name for one in store.overrides(DIGEST)] == ["wholesale:shop/billing"]
    assert said(store) == []
    assert run(url, "approve", "shop/billing", "--digest", DIGEST[:12], "--reason", "known").exit_code == 0
    assert run(url, "approve", "r2", "--reason", "known").exit_code == 0
    assert said(store) == [("r1", Word.APPROVE, "known", DIGEST), ("r2", Word.APPROVE, "known", DIGEST)]
    for arguments in (
        [DIGEST],
        ["shop/billing"],
        ["shop/billing", "--allow", "wholesale:shop/billing"],
        ["r1", "--digest", "d"],
    ):
        assert run(url, "approve", *arguments, "--reason", "x").exit_code == 1, arguments
    assert run(url, "approve", "r1").exit_code == 1
    assert len(said(store)) == 2


def test_who_speaks_is_the_systems_word_and_no_variables(url: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the host, since logins are of one."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    me = f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"
    assert run(url, "approve", "r2", "--reason", "known").exit_code == 0
    assert run(url, "approve", DIGEST, "--allow", "wholesale:shop/billing", "--reason", "agreed").exit_code == 0
    assert run(url, "hold", "shop/billing", "--for", "2h").exit_code == 0
    assert [one.by for one in store.rollouts.commands()] == [me]
    assert [one.by for one in store.overrides(DIGEST)] == [me]
    assert [one.by for one in store.rollouts.holds()] == [me]


def test_a_service_is_held_for_a_while(url: str, store: Store) -> None:
    """Until then, or until somebody ends it; for a time that is one."""
    assert run(url, "hold", "shop/billing", "--for", "2h", "--reason", "INC-7").exit_code == 0
    (held,) = store.rollouts.holds()
    assert (held.unit, held.reason) == ("shop/billing", "INC-7")
    assert run(url, "hold", "shop/billing", "--for", "3h").exit_code == 0
    assert HOUR - HOUR / 60 < store.rollouts.holds()[0].until - held.until < HOUR + HOUR / 60
    for arguments in (["--for", "soon"], ["--for", "0s"], [], ["--for", "2h", "--end"]):
        assert run(url, "hold", "shop/billing", *arguments).exit_code == 1
    assert run(url, "hold", "shop/biling", "--for", "2h").exit_code == 1
    assert run(url, "hold", "shop/ledger", "--end").output == "shop/ledger was not held\n"


def test_a_hold_goes_on_while_nobody_can_say_what_differs(url: str, store: Store, tmp_path: Path) -> None:
    """What was done by hand is shown before it is written over: without Git there is nothing to hold it against."""
    assert run(url, "hold", "shop/billing", "--for", "2h").exit_code == 0
    for more in ([], ["--repo", f"{tmp_path}/nowhere", "--kubeconfig", "/nowhere", "--data", f"{tmp_path}"]):
        assert run(url, "hold", "shop/billing", "--end", *more).exit_code == 1
    assert [one.unit for one in store.rollouts.holds()] == ["shop/billing"]


def test_a_name_that_nobody_has_is_an_error(url: str, store: Store) -> None:
    """And nothing is noted."""
    done = run(url, "pause", "shop/biling")
    assert done.exit_code == 1
    assert "there is no rollout 'shop/biling'" in done.output
    assert said(store) == []
