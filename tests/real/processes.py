"""Child processes that never outlive the tests, free ports, and waiting with a limit."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.demo import tethered
from tests.real.missing import PartMissing

STOP_SECONDS = 10.0

#: Not the generator that hypothesis sets back: two workers must not go through the same ports.
_RANDOM = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """Loopback TCP ports that nobody listens on at this moment.

    They lie below those that systems give to outgoing connections (32768 and above on Linux, 49152 elsewhere), so that nobody
    is on one of them when a server comes back to it.
    """
    found: list[int] = []
    while len(found) < count:
        port = _RANDOM.randrange(10_000, 32_768)
        with socket.socket() as one, suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found


class Child:
    """One server process. Its output goes to `log`; it is killed by the system if this process ends without stopping it."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, user: int | None = None, variables: Mapping[str, str] | None = None
    ) -> None:
        """Start it at once, with `variables` beside our environment; `user` is the numeric user to run as, if not ours."""
        self.log = log
        become = "-" if user is None else str(user)
        script = [sys.executable, "-S", "-E", tethered.__file__, str(os.getpid()), become, *command]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                script,
                env={**os.environ, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it still runs; a paused process does."""
        return self._process.poll() is None

    def pause(self) -> None:
        """Stop all its threads; returns when the last one has stopped, which a busy system may put off."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on after a pause."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and kill it where it does not within ten seconds."""
        if self.alive():
            self._process.send_signal(by)
            self._process.send_signal(signal.SIGCONT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """The end of its output, for the message that says why it does not run."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]


def wait_until(what: str, ready: Callable[[], bool], child: Child | None = None, seconds: float = 60.0) -> None:
    """Ask `ready` until it says yes. Raises PartMissing after the limit, or as soon as the process behind it has ended."""
    until = time.monotonic() + seconds
    while not ready():
        if child is not None and not child.alive():
            raise PartMissing(f"{what} ended at once: {child.last_words()}")
        if time.monotonic() > until:
            said = f": {child.last_words()}" if child is not None else ""
            raise PartMissing(f"{what} was not ready within {seconds:.0f} s{said}")
        time.sleep(0.02)


def running(pid: int) -> bool:
    """Whether a process of this id runs; one that has ended and that nobody has waited for yet counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError):  # no /proc on this system: believe the signal
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    return True


def command_line(pid: int) -> str:
    """How the process of this id was started, as Linux tells it; empty where it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
