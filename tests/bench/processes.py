"""Processes, run to their end and measured, or run in the background and looked at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.bench.table import Unusable

LONGEST = 600.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """A process that has ended: its time on the clock, its CPU time with that of its children, what it printed."""

    seconds: float
    cpu: float
    output: str


def environment(home: Path, path: Path | None = None) -> dict[str, str]:
    """What a program is started with: nothing of the user's, byte code allowed, `path` before all other folders of PATH."""
    before = [str(path)] if path else []
    return {
        "PATH": os.pathsep.join([*before, str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }


def run(command: Sequence[str | Path], home: Path, ok: Collection[int] = (0,), stdin: str = "") -> Run:
    """Run a program to its end. Raises Unusable for any other exit status than these, with what it said."""
    log = home / "last-output"
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment(home), stdin=subprocess.PIPE, stdout=output, stderr=output)
        stop = threading.Timer(LONGEST, process.kill)
        stop.start()
        assert process.stdin
        with suppress(BrokenPipeError):
            process.stdin.write(stdin.encode())
            process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        stop.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode not in ok:
        raise Unusable(f"{' '.join(map(str, command))} ended with {process.returncode}: {text[-2000:]}")
    return Run(took, usage.ru_utime + usage.ru_stime, text)


class Background:
    """A program that goes on until `stop`; what it says goes to `log`."""

    def __init__(self, command: Sequence[str | Path], home: Path, log: Path, path: Path | None = None) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, env=environment(home, path), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def said(self) -> list[str]:
        """The lines that it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def wait_for(self, words: Sequence[str], times: int = 1, longest: float = LONGEST) -> None:
        """Wait until so many lines hold one of these words. Raises Unusable when it ends before or takes too long."""
        until = time.monotonic() + longest
        while sum(any(word in line for word in words) for line in self.said()) < times:
            if self._process.poll() is not None or time.monotonic() > until:
                raise Unusable(f"waited for {words}, but it says: {' / '.join(self.said()[-20:])}")
            time.sleep(0.1)

    def cpu(self) -> tuple[float, float]:
        """Its own CPU time and that of its children that have ended, in seconds."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        user, system, child_user, child_system = (int(field) / TICKS for field in fields[11:15])
        return user + system, child_user + child_system

    def memory(self) -> float:
        """Its resident memory in MB (of a million bytes)."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8").splitlines()
        found = next(line for line in lines if line.startswith("VmRSS:"))
        return int(found.split()[1]) * 1024 / 1e6

    def stop(self) -> None:
        """End it as an operator would, and kill it where that does not help."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
