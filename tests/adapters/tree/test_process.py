"""Processes get the environment they are given and nothing else, and never outlive or outgrow what they are allowed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.adapters.tree.process import Bounds, Stop, program, run, started
from reconciler.errors import InvalidInput
from tests.real.processes import running
from tests.waiting import becomes

PLAIN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LANGUAGE": "C"}


def test_nothing_is_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what Git would obey nor anything else of ours."""
    for name in ("GIT_DIR", "GIT_TRACE", "GIT_SSH_COMMAND", "https_proxy", "SECRET", "-x"):
        monkeypatch.setenv(name, "x")
    finished = run((program("env"),), {**PLAIN, "OWN": "1"}, tmp_path, Bounds(20))
    assert dict(line.split("=", 1) for line in finished.output.decode().splitlines()) == {**PLAIN, "OWN": "1"}


def test_output_errors_and_status_come_back(tmp_path: Path) -> None:
    """Both streams, however much is on them."""
    finished = run(("sh", "-c", "yes | head -c 500000; yes no | head -c 500000 >&2; exit 3"), PLAIN, tmp_path, Bounds(20))
    assert (finished.status, len(finished.output), finished.stopped, finished.ok) == (3, 500_000, None, False)
    assert 60_000 < len(finished.errors) < 2_000_000


@pytest.mark.case("G-11")
def test_a_command_is_ended_at_its_deadline_with_all_that_it_started(tmp_path: Path) -> None:
    """The whole group goes, also a grandchild that holds the pipes open."""
    begin = time.monotonic()
    finished = run(("sh", "-c", "sleep 60 & echo $!; wait"), PLAIN, tmp_path, Bounds(0.5))
    assert finished.stopped is Stop.TIME
    assert time.monotonic() - begin < 20
    grandchild = int(finished.output)
    assert becomes(lambda: not running(grandchild))


@pytest.mark.case("G-09")
def test_a_command_that_says_too_much_is_ended(tmp_path: Path) -> None:
    """It would fill our memory."""
    finished = run(("yes",), PLAIN, tmp_path, Bounds(20, output=100_000))
    assert finished.stopped is Stop.OUTPUT
    assert len(finished.output) < 10_000_000


@pytest.mark.case("G-10")
def test_a_command_may_be_watched(tmp_path: Path) -> None:
    """It is ended as soon as the watch says so, and once more asked at the end."""
    assert run(("sleep", "60"), PLAIN, tmp_path, Bounds(20), watch=lambda: False).stopped is Stop.WATCH
    assert run(("true",), PLAIN, tmp_path, Bounds(20), watch=lambda: False).stopped is Stop.WATCH


@pytest.mark.case("G-10")
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits for another process are Linux's")
def test_the_kernel_limits_files_and_memory(tmp_path: Path) -> None:
    """Of the command and of what it starts afterwards."""
    code = "import time; time.sleep(0.3); open('out', 'wb').write(b'x' * 3_000_000)"
    assert run((sys.executable, "-c", code), PLAIN, tmp_path, Bounds(20, file=1_000_000)).status != 0
    assert (tmp_path / "out").stat().st_size <= 1_000_000
    code = "import time; time.sleep(0.3); x = bytearray(800_000_000)"
    finished = run((sys.executable, "-c", code), PLAIN, tmp_path, Bounds(20, memory=200_000_000))
    assert "MemoryError" in finished.errors


def test_a_command_that_is_left_early_is_ended(tmp_path: Path) -> None:
    """Whoever stops reading leaves nothing behind."""
    with started(("yes",), PLAIN, tmp_path, Bounds(20), stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"y\n"
    assert process.returncode is not None
    assert process.stdout.closed


def test_descriptors_are_kept_where_asked(tmp_path: Path) -> None:
    """A lock lives as long as the command."""
    reader, writer = os.pipe()
    code = f"import os; os.write({writer}, b'x')"
    run((sys.executable, "-IS", "-c", code), PLAIN, tmp_path, Bounds(20), keep=(writer,))
    os.close(writer)
    assert os.read(reader, 10) == b"x"
    os.close(reader)


def test_programs_are_found_by_absolute_path_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of the current folder is never taken for git; one that is missing is said."""
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{os.curdir}::{os.environ['PATH']}")
    assert program("git").is_absolute()
    assert program("git") != fake
    with pytest.raises(InvalidInput, match="not installed"):
        program("no-such-program-here")
