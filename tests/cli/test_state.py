"""What `status` and `history` tell of rollouts: from the state store alone, in every form."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.adapters.store_sql import SqlStore
from reconciler.cli.main import main
from reconciler.core.rollouts.records import Change
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.core.rollouts.seen import Hold
from reconciler.core.rollouts.stopwatch import Stopwatch
from reconciler.settings import Settings
from reconciler.wiring import system_clock
from tests.core.rollouts.play import HOUR, MINUTE, NOON, rollout, step

TREE = """\
rollouts
├── shop/billing  soaking, step 1 of 2  commit aaaaaaaaaa
│   ├──   ━━                       10 %
│   ├── →  1   10.0 %  traffic  then 10 min, endpoints
│   ├──    2  100.0 %  traffic  then endpoints, approval
│   └── waits    4 min more of 10 min
└── shop/ledger  paused, step 1 of 2  commit aaaaaaaaaa
"""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A state store with a rollout in each state, and a service that is held; no variable of the machine decides."""
    for name in [*Settings.model_fields, "config"]:
        monkeypatch.delenv(f"RECONCILER_{name.upper()}", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    url = f"sqlite:///{tmp_path}/state.db"
    store = SqlStore(url, "default")
    steps = (step(10, hold=10 * MINUTE), step(100, approval=True))
    soaking = rollout(*steps, phase=Phase.SOAKING, started=NOON, time=Stopwatch(held=6 * MINUTE))
    paused = rollout(id="r2", unit="shop/ledger", phase=Phase.PAUSED, started=NOON, reason="success has proven harm")
    ended = rollout(
        id="r0",
        unit="shop/cart",
        phase=Phase.IDLE,
        outcome=Outcome.SUCCEEDED,
        ended=NOON + 3 * HOUR,
        attempt=2,
        reason="through",
    )
    store.rollouts.save([Change(ended), Change(soaking), Change(paused)])
    store.rollouts.hold(Hold("shop/mail", system_clock().now() + HOUR, "eve", "INC-7"))
    store.rollouts.hold(Hold("shop/old", system_clock().now() - HOUR, "eve", ""))
    store.close()
    return url


def run(url: str, *arguments: str) -> Result:
    """Run a command against the store; there is no cluster."""
    done = CliRunner().invoke(main, [*arguments, "--state", url, "--kubeconfig", "/nowhere"])
    assert done.exit_code == 0, done.output
    return done


def test_status_draws_a_tree_of_the_rollouts_that_stand(url: str) -> None:
    """With what the store tells of what they wait for; holds whose time is over are none."""
    found = run(url, "status").stdout
    assert TREE in "".join(f"{line.rstrip()}\n" for line in found.splitlines())
    assert "because  success has proven harm" in found
    assert "shop/mail by eve until" in found
    assert "shop/old" not in found
    assert "shop/cart" not in found


def test_status_has_the_same_in_other_forms(url: str) -> None:
    """As rows, and as the objects that reports have."""
    assert "shop/billing: soaking, step 1 of 2, 10 %; waits: 4 min more of 10 min" in run(url, "status", "-o", "html").stdout
    assert "| rollout | shop/ledger: paused, step 1 of 2, 10 %: success has proven harm |" in (
        run(url, "status", "-o", "markdown").stdout
    )
    document = json.loads(run(url, "status", "-o", "json").stdout)
    assert [(one["unit"], one["phase"], len(one["steps"])) for one in document["rollouts"]] == [
        ("shop/billing", "soaking", 2),
        ("shop/ledger", "paused", 2),
    ]
    assert [one["unit"] for one in document["holds"]] == ["shop/mail"]


def test_status_says_which_words_nobody_has_heard_yet(url: str) -> None:
    """With nobody who runs the target an abort is noted, and nothing comes of it."""
    assert CliRunner().invoke(main, ["abort", "shop/billing", "--state", url]).exit_code == 0
    assert "said" in run(url, "status").stdout
    assert "for r1 at " in run(url, "status", "-o", "markdown").stdout
    (said,) = json.loads(run(url, "status", "-o", "json").stdout)["unheard"]
    assert (said["word"], said["rollout"]) == ("abort", "r1")


def test_watch_needs_a_terminal(url: str) -> None:
    """A file would grow without end."""
    done = CliRunner().invoke(main, ["status", "--watch", "--state", url, "--kubeconfig", "/nowhere"])
    assert done.exit_code == 1
    assert "--watch needs a terminal" in done.stderr


def test_watch_draws_again_and_again_until_ctrl_c(url: str) -> None:
    """What somebody leaves open in the night: it ends without an error."""
    command = shutil.which("reconciler", path=Path(sys.executable).parent) or "reconciler"
    master, slave = pty.openpty()
    arguments = [command, "status", "--watch", "--state", url, "--kubeconfig", "/nowhere"]
    process = subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave, close_fds=True)
    os.close(slave)
    seen = b""
    try:
        while seen.count(b"shop/billing") < 3:
            assert select.select([master], [], [], 30)[0], seen
            seen += os.read(master, 65_536)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_history_lists_rollouts_with_their_durations_and_reasons(url: str) -> None:
    """Newest first; one that has not ended is still counted."""
    found = [
        line.split("|") for line in run(url, "history", "--rollouts", "-o", "markdown").stdout.splitlines() if "shop/" in line
    ]
    rows = {cells[2].strip(): [cell.strip() for cell in cells] for cells in found}
    assert rows["shop/cart"][3:8] == ["aaaaaaaaaa (attempt 2)", "2026-03-01 12:00:00Z", "3 h", "succeeded", "through"]
    assert rows["shop/ledger"][5].endswith(" so far")
    assert rows["shop/ledger"][7] == "success has proven harm"
    documents = {one["id"]: one for one in json.loads(run(url, "history", "--rollouts", "-o", "json").stdout)}
    assert documents["r0"]["ended"] == "2026-03-01T15:00:00Z"
    assert documents["r1"]["ended"] is None


@pytest.mark.usefixtures("url")
def test_history_without_rollouts_says_so(tmp_path: Path) -> None:
    """Instead of an empty table."""
    empty = f"sqlite:///{tmp_path}/empty.db"
    assert run(empty, "history", "--rollouts").stdout == "no rollout of target default is known here\n"
