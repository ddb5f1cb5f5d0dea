"""A keeper is a process that holds one server for a whole test run, for all its parallel workers.

Whoever needs a server first spawns its keeper; the others find its answer in the run's folder. It ends its server and itself
when it is told to (SIGTERM) or when the process it watches is gone, whichever way that ended; its servers are killed by the
system when the keeper itself is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Literal, Protocol

from tests.real.apiserver_process import ApiServerProcess
from tests.real.binaries import CONSUL, ETCD, ISTIOD, KUBE_APISERVER, PROMETHEUS, executable
from tests.real.crds import crd_documents
from tests.real.locations import PROJECT, Progress, lock, write_whole
from tests.real.missing import PartMissing
from tests.real.postgresql import PostgreSQLProcess
from tests.real.processes import STOP_SECONDS, command_line, running
from tests.real.prometheus_process import PrometheusProcess

Name = Literal["api-server", "postgresql", "prometheus"]
#: What can be got early: the servers that keepers hold, and those of the mesh tier, which its one process starts itself.
Part = Name | Literal["istiod", "consul"]
START_SECONDS = 45.0

_spawned: list[subprocess.Popen[bytes]] = []


class Server(Protocol):
    """What a keeper keeps."""

    def start(self) -> str:
        """Start it and return what others need to know to use it."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class _ApiServer:
    def __init__(self, directory: Path, progress: Progress) -> None:
        self._process = ApiServerProcess(directory, progress)

    def start(self) -> str:
        return self._process.start().to_json()

    def stop(self) -> None:
        self._process.stop()


def prepare(name: Part, progress: Progress) -> None:
    """Get what the server is made of; minutes the first time. Raises PartMissing."""
    if name == "api-server":
        executable(ETCD, progress)
        executable(KUBE_APISERVER, progress)
        crd_documents("newest", progress)
    if name == "prometheus":
        executable(PROMETHEUS, progress)
    if name == "istiod":
        executable(ISTIOD, progress)
    if name == "consul":
        executable(CONSUL, progress)


def spawn(name: Name, run: Path, watch: int | None) -> None:
    """Start the keeper of one server, unless this run has it already; does not wait until the server is ready.

    `run` is the folder of the run, `watch` the process with which the keeper ends.
    """
    with lock(run / f"{name}.lock", lambda _: None, f"it starts {name}"):
        if (run / f"{name}.pid").exists():
            return
        watched = () if watch is None else ("--watch", str(watch))
        command = [sys.executable, "-m", "tests.real", "keep", name, "--directory", run, *watched]
        with (run / f"{name}.keeper.log").open("ab") as log:
            keeper = subprocess.Popen(
                command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        _spawned.append(keeper)  # forgetting a running child would be a ResourceWarning
        write_whole(run / f"{name}.pid", str(keeper.pid))


def answer(name: Name, run: Path) -> str:
    """What the server's `start` returned, as soon as it has. Raises PartMissing when it could not be started."""
    ready = run / f"{name}.ready"
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if ready.exists():
            return ready.read_text(encoding="utf-8")
        refuse_if_failed(name, run)
        if not running(int((run / f"{name}.pid").read_text(encoding="utf-8"))):
            break
        time.sleep(0.02)
    log = (run / f"{name}.keeper.log").read_text(encoding="utf-8")
    raise PartMissing(f"{name} did not get ready within {START_SECONDS:.0f} s, its keeper says: {log[-1000:]}")


def refuse_if_failed(name: Part, run: Path) -> None:
    """Raises PartMissing where this run has already found out that the server cannot be had: trying again takes long."""
    failed = run / f"{name}.failed"
    if failed.exists():
        raise PartMissing(failed.read_text(encoding="utf-8"))


def alive(run: Path) -> list[int]:
    """The process ids of the run's keepers. An id that the system has meanwhile given to another program is none of ours."""
    pids = [int(path.read_text(encoding="utf-8")) for path in run.glob("*.pid")]
    return [pid for pid in pids if running(pid) and "tests.real" in command_line(pid)]


def stop_all(run: Path) -> None:
    """End every keeper of the run by its process id, and wait until they are gone."""
    keepers = alive(run)
    for keeper in keepers:
        with suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGTERM)
    until = time.monotonic() + 2 * STOP_SECONDS
    while any(running(keeper) for keeper in keepers) and time.monotonic() < until:
        time.sleep(0.02)
    for child in _spawned:
        child.wait(timeout=STOP_SECONDS)
    _spawned.clear()


def keep(name: Name, directory: Path, watch: int | None) -> None:
    """Be the keeper: start the server, say so in `directory`, hold it until told to end or until `watch` is gone."""
    signal.signal(signal.SIGTERM, _leave)
    server: Server | None = None
    try:
        server = _server(name, directory / name)
        write_whole(directory / f"{name}.ready", server.start())
        while watch is None or running(watch):
            time.sleep(0.2)
    except PartMissing as missing:
        write_whole(directory / f"{name}.failed", str(missing))
    finally:
        if server is not None:
            server.stop()
        if watch is not None and not running(watch):
            shutil.rmtree(directory, ignore_errors=True)  # the run was killed and will not tidy up itself


def _server(name: Name, directory: Path) -> Server:
    match name:
        case "api-server":
            return _ApiServer(directory, lambda line: print(line, flush=True))
        case "postgresql":
            return PostgreSQLProcess(directory)
        case "prometheus":
            return PrometheusProcess(directory, lambda line: print(line, flush=True))


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
