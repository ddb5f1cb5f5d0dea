"""Agents as processes: the packed file under a Python, with a folder of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reconciler.vms.agent_file import NAME, agent_file
from tests.waiting import SOON


@dataclass(slots=True)
class AgentProcess:
    """An agent in `folder`, started where the `with` begins and killed where it ends, if it has not ended by itself.

    `within` is a command that runs it somewhere else, such as in a network namespace.
    """

    folder: Path
    configuration: dict[str, Any]
    python: str = sys.executable
    within: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> Path:
        """Its state folder."""
        return self.folder / "state"

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return (self.folder / "log").read_text("utf-8")

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def give(self, token: str, name: str = "token") -> None:
        """Put a join token where the agent looks for it, whole at once."""
        tokens = self.state / "tokens"
        self.state.mkdir(mode=0o700, exist_ok=True)
        tokens.mkdir(mode=0o700, exist_ok=True)
        (tokens / f".{name}").write_text(token)
        (tokens / f".{name}").chmod(0o600)
        (tokens / f".{name}").rename(tokens / name)

    def __enter__(self) -> Self:
        packed, config = self.folder / NAME, self.folder / "agent.json"
        packed.write_bytes(agent_file())
        config.write_text(json.dumps({"stateDir": str(self.state), **self.configuration}))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.within, self.python, "-I", packed, "--debug", "--config", config], stderr=log
            )
        return self

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(by)
        return self._process.wait(SOON)

    def ended(self) -> int:
        """Wait until it ends by itself; returns its exit code."""
        assert self._process is not None
        return self._process.wait(SOON)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(SOON)
