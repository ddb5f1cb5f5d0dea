"""The installed command as a person or a pipeline runs it: a process of its own, with nothing of ours in its environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import IO, Self

COMMAND = Path(sys.executable).with_name("reconciler")
#: Longest time for one command, and for one line of a command that goes on.
PATIENCE = 45.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"


@dataclass(frozen=True, slots=True)
class Command:
    """`reconciler` with some environment variables; `folder` is its home and its working directory."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def with_variables(self, **variables: str) -> Self:
        """The same command with more variables, or other values of them."""
        return replace(self, variables={**self.variables, **variables})

    def __call__(self, *arguments: str, stdin: str = "", code: int | None = None, patience: float = PATIENCE) -> Ended:
        """Run it to its end, for `patience` seconds at most; `code` fails the test for any other exit code."""
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in ended.err, ended
        assert code is None or ended.code == code, f"reconciler {' '.join(arguments)}: {ended}"
        return ended

    def start(self, *arguments: str) -> Running:
        """Start it and let it go on; a context manager that ends it."""
        return Running([COMMAND, *arguments], self.folder, self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """All that the process is told by its environment."""
        path = os.pathsep.join((str(COMMAND.parent), os.environ.get("PATH", os.defpath)))
        return {"PATH": path, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **self.variables}


class Running:
    """A command that goes on until it is told to end; each line it prints or logs is numbered."""

    def __init__(self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> None:
        self._lines: list[str] = []
        self._ended = False
        self._moved = Condition()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout
        self._reader = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def lines(self) -> tuple[str, ...]:
        """What it has said so far."""
        with self._moved:
            return tuple(self._lines)

    def wait_for(self, words: str, after: int = 0) -> int:
        """Wait until a line beyond the first `after` ones holds these words; returns how many lines there are up to it."""

        def found() -> int:
            return next((number for number, line in enumerate(self._lines[after:], after + 1) if words in line), 0)

        with self._moved:
            self._moved.wait_for(lambda: found() or self._ended, PATIENCE)
            number = found()
            said = "\n".join(self._lines)
        assert number, (
            f"it {'has ended' if self._ended else 'goes on'} without a word of {words!r} beyond line {after}:\n{said}"
        )
        return number

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end and wait until it has; returns its exit code."""
        self.send(by)
        return self.ended(PATIENCE)

    def ended(self, patience: float) -> int:
        """Wait until it has ended by itself; returns its exit code."""
        code = self._process.wait(patience)
        self._reader.join(PATIENCE)
        assert not any("Traceback" in line for line in self.lines), "\n".join(self.lines)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE)
        if error:
            error.add_note("\n".join(("it said:", *self._lines)))
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self, output: IO[str]) -> None:
        for line in output:
            with self._moved:
                self._lines.append(line.rstrip("\n"))
                self._moved.notify_all()
        with self._moved:
            self._ended = True
            self._moved.notify_all()
