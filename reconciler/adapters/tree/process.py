"""The one place that starts processes, through GitPython and never its high-level calls: those turn values into options.

Commands are lists of constants, ids and operands behind ``--end-of-options``. A process gets exactly the environment it is
given: GitPython lays that over our own, so `env -u` takes away each name that is ours (a stray GIT_DIR, a proxy, a token).
It leads a process group of its own, which is killed as a whole: at its deadline, and when it writes, takes or stores too much.
"""

import os
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from reconciler.adapters.tree.codes import Code
from reconciler.errors import InvalidInput

Process = subprocess.Popen[bytes]

#: How often a running command is looked after, in seconds.
_TICK = 0.2
#: Bytes of what it says on stderr that are kept.
_MAX_ERRORS = 64 * 1024
_CHUNK = 1024 * 1024


class Stop(StrEnum):
    """Why we killed a command."""

    TIME = "it took too long"
    OUTPUT = "its output is over a cap"
    WATCH = "it stored more than it may"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a command may take: seconds as a whole, bytes of output, of private memory and of any one file it writes."""

    seconds: float
    output: int = 1024 * 1024
    memory: int = 2 * 1024**3
    file: int = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended; `status` is negative for a signal, `stopped` says why it was ours."""

    status: int
    output: bytes
    errors: str
    stopped: Stop | None = None

    @property
    def ok(self) -> bool:
        return self.status == 0 and self.stopped is None


def program(name: str) -> Path:
    """Return the absolute path of a program. Raises InvalidInput where it is not installed."""
    places = [place for place in os.environ.get("PATH", os.defpath).split(os.pathsep) if place.startswith("/")]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise InvalidInput(f"{name} is not installed: install it, or set PATH so that it is found", code=Code.TOOL)
    return Path(found)


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    bounds: Bounds,
    *,
    keep: Sequence[int] = (),
    watch: Callable[[], bool] = lambda: True,
) -> Finished:
    """Run a command to its end and return what it said. `watch` is asked now and then whether it may go on.

    `keep` are file descriptors that the process and its children hold too.
    """
    with started(command, environment, folder, bounds, keep=keep) as process:
        output, errors = bytearray(), bytearray()
        stopped = _follow(process, output, errors, bounds, watch)
        if stopped:
            kill(process)
        return Finished(process.wait(), bytes(output), errors.decode(errors="replace"), stopped)


@contextmanager
def started(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    bounds: Bounds,
    *,
    keep: Sequence[int] = (),
    stdin: int | None = None,
) -> Iterator[Process]:
    """Give a running command, its group killed and its pipes closed at the end whatever happens."""
    from git.cmd import Git  # runs `git version` when first imported, so not before git is known to be there

    unset = chain.from_iterable(("-u", name) for name in list(os.environ) if name and name not in environment)
    wrapper: Any = Git(folder).execute(
        [str(part) for part in (program("env"), *unset, *command)],
        as_process=True,
        env=dict(environment),
        istream=stdin,
        shell=False,
        start_new_session=True,
        pass_fds=tuple(keep),
    )
    process: Process = wrapper.proc
    try:
        _limit(process.pid, bounds)
        yield process
    finally:
        if process.poll() is None:
            kill(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def kill(process: Process) -> None:
    """End a command and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _limit(pid: int, bounds: Bounds) -> None:
    """Let the kernel enforce what polling is too slow for. Not on every system; the watch remains there."""
    if hasattr(resource, "prlimit"):
        for kind, most in (
            (resource.RLIMIT_FSIZE, bounds.file),
            (resource.RLIMIT_DATA, bounds.memory),
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(OSError, ValueError):
                resource.prlimit(pid, kind, (most, most))


def _follow(process: Process, output: bytearray, errors: bytearray, bounds: Bounds, watch: Callable[[], bool]) -> Stop | None:
    """Collect what a command says until it ends; return why it must be killed, if it must."""
    deadline = time.monotonic() + bounds.seconds
    with selectors.DefaultSelector() as selector:
        for stream, into in ((process.stdout, output), (process.stderr, errors)):
            assert stream is not None  # noqa: S101 - both are pipes
            selector.register(stream, selectors.EVENT_READ, into)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return Stop.TIME
            ready = selector.select(min(left, _TICK))
            for key, _ in ready:
                _take(selector, key, errors)
            if len(output) > bounds.output:
                return Stop.OUTPUT
            if not ready and not watch():
                return Stop.WATCH
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return Stop.TIME
    return None if watch() else Stop.WATCH


def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey, errors: bytearray) -> None:
    chunk = os.read(key.fd, _CHUNK)
    if not chunk:
        selector.unregister(key.fileobj)
    elif key.data is not errors or len(errors) < _MAX_ERRORS:
        key.data.extend(chunk)
