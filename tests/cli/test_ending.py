"""Signals to commands that write."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from reconciler.cli.ending import LONGEST, ended_by_signals
from tests.waiting import SOON

ROOT = Path(__file__).parents[2]
#: A run that listens to nobody, or ends when it is told to.
SCRIPT = """
import threading
from reconciler.cli.ending import ended_by_signals
over = threading.Event()
with ended_by_signals(over.set if {obedient} else (lambda: None), lambda text: print(text, flush=True), {longest}):
    print("begun", flush=True)
    over.wait(60)
print("over", flush=True)
"""


@contextmanager
def running(*, obedient: bool, longest: float = LONGEST) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of a run."""
    script = SCRIPT.format(obedient=obedient, longest=longest)
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        yield process
        process.kill()


@pytest.mark.parametrize("by", [SIGTERM, SIGINT])
def test_a_signal_asks_for_the_end(by: Signals) -> None:
    """And the run comes to it."""
    with running(obedient=True) as process:
        process.send_signal(by)
        said, _ = process.communicate(timeout=SOON)
        assert process.returncode == 0
        assert said.endswith("\nover\n")


def test_a_second_signal_ends_at_once() -> None:
    """A person who presses ctrl-C twice means it."""
    with running(obedient=False) as process:
        process.send_signal(SIGINT)
        assert process.stdout
        assert "asked again, it ends at once" in process.stdout.readline()
        process.send_signal(SIGINT)
        assert process.wait(SOON) == 1


def test_a_run_that_nobody_answers_ends_anyway() -> None:
    """Before whoever sent the signal loses patience, and says what follows from it."""
    with running(obedient=False, longest=0.2) as process:
        process.send_signal(SIGTERM)
        said, _ = process.communicate(timeout=SOON)
        assert process.returncode == 1
        assert "the next run reads back what was being written" in said


def test_it_ends_before_its_pod_is_killed() -> None:
    """The deployment grants more than the command takes."""
    deployment = (ROOT / "deploy" / "kubernetes" / "deployment.yaml").read_text("utf-8")
    (line,) = [line for line in deployment.splitlines() if "terminationGracePeriodSeconds" in line]
    assert float(line.split()[-1]) - LONGEST >= 10


def test_the_handlers_of_before_come_back() -> None:
    """What comes after the run is not ended by it."""
    before = signal.getsignal(SIGTERM)
    stopped: list[int] = []
    with ended_by_signals(lambda: stopped.append(1), lambda _: None):
        os.kill(os.getpid(), SIGTERM)
    assert stopped == [1]
    assert signal.getsignal(SIGTERM) is before


def test_a_signal_finds_a_lock_held() -> None:
    """What the handler interrupts holds what `stop` needs: the handler returns, and `stop` gets it afterwards."""
    lock, stopped = threading.Lock(), threading.Event()

    def stop() -> None:
        with lock:
            stopped.set()

    with ended_by_signals(stop, lambda _: None):
        with lock:
            os.kill(os.getpid(), SIGTERM)
            assert not stopped.is_set()
        assert stopped.wait(SOON)
