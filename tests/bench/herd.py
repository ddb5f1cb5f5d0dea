"""A herd of VM agents in one process: each keeps a connection and beats when it is told to, as the real one does.

    python -m tests.bench.herd FILE PORT STEADY ARRIVAL [CA]

FILE has a line ``ADDRESS CREDENTIAL NAMESPACE NAME`` for each VM. They come one after the other within one heartbeat, beat for
STEADY seconds, of which the first ARRIVAL have figures of their own, then lose all their connections in the same moment and
come back at once: a storm. All figures are printed as JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

#: Seconds between beats, how far agents spread around what they are told, and how long a storm may take.
HEARTBEAT, JITTER, LONGEST_STORM = 10.0, 0.1, 120.0
#: Seconds within which a connection must stand and an answer come.
PATIENCE = 30.0


@dataclass(slots=True)
class Figures:
    """What was seen: seconds of answers, by their status, and what went wrong on the way."""

    took: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0

    def book(self, status: int, took: float) -> None:
        """Count an answer."""
        self.took.append(took)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def begin_anew(self) -> None:
        """Forget what was seen so far."""
        self.took, self.statuses, self.broken = [], {}, 0

    def shown(self) -> dict[str, Any]:
        """What was seen, as JSON."""
        took = sorted(self.took)
        return {
            "answers": len(took),
            "statuses": self.statuses,
            "broken": self.broken,
            "p50": took[len(took) // 2] if took else 0.0,
            "p99": took[int(len(took) * 0.99)] if took else 0.0,
        }


class Vm:
    """One agent."""

    def __init__(self, line: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._address, self._credential, namespace, name = line.split()
        self._port, self._tls = port, tls
        said = {"namespace": namespace, "name": name, "health": "healthy", "reason": ""}
        self._body = json.dumps({"workloads": [said], "addresses": [self._address], "versions": {"agent": "1"}})
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None

    async def beat(self, figures: Figures) -> float:
        """Send a heartbeat; returns after how many seconds to come again, below 0 where it was refused and has to."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                status, headers, answer = await self._exchange()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            figures.broken += 1
            self.drop()
            return -1.0
        figures.book(status, time.perf_counter() - began)
        if status != 200:
            return -float(headers.get("retry-after", "5"))
        self._credential = answer["credential"] or self._credential
        return float(answer["nextIn"])

    def drop(self) -> None:
        """Lose the connection."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _exchange(self) -> tuple[int, dict[str, str], Any]:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1",
                self._port,
                local_addr=(self._address, 0),
                ssl=self._tls,
                server_hostname="localhost" if self._tls else None,
            )
        lines = (
            "POST /v1/heartbeat HTTP/1.1",
            "Host: registry",
            f"Authorization: Bearer {self._credential}",
            "Content-Type: application/json",
            f"Content-Length: {len(self._body)}",
        )
        self._writer.write("\r\n".join((*lines, "", self._body)).encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name}
        return int(head[0].split()[1]), headers, json.loads(await self._reader.readexactly(int(headers["content-length"])))


async def steady(vm: Vm, wait: float, figures: Figures) -> None:
    """Beat after so many seconds, and again and again, until cancelled."""
    while True:
        await asyncio.sleep(wait)
        wait = abs(await vm.beat(figures)) * random.uniform(1 - JITTER, 1 + JITTER)


async def come_back(vm: Vm, figures: Figures, back: asyncio.Semaphore) -> None:
    """Beat at once, and again when told to, until it is let in; then go on as before."""
    vm.drop()
    wait = await vm.beat(figures)
    while wait < 0:
        await asyncio.sleep(-wait * random.uniform(1, 1 + JITTER))
        wait = await vm.beat(figures)
    back.release()
    await steady(vm, wait, figures)


async def herd(vms: list[Vm], seconds: float, arrival: float) -> None:
    """Beat steadily, then come back all at once; print what was seen."""
    loop, calm, storm, back = asyncio.get_running_loop(), Figures(), Figures(), asyncio.Semaphore(0)
    async with _doing(steady(vm, random.random() * HEARTBEAT, calm) for vm in vms):
        await asyncio.sleep(arrival)
        print(json.dumps({"arrival": calm.shown()}), flush=True)
        calm.begin_anew()
        await asyncio.sleep(seconds - arrival)
    print(json.dumps({"calm": calm.shown()}), flush=True)
    began = loop.time()
    async with _doing(come_back(vm, storm, back) for vm in vms), asyncio.timeout(LONGEST_STORM):
        for _ in vms:
            await back.acquire()
    print(json.dumps({"storm": {**storm.shown(), "seconds": loop.time() - began}}), flush=True)


@asynccontextmanager
async def _doing(works: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def main(arguments: list[str]) -> None:
    """Run a herd."""
    path, port, seconds, arrival, *ca = arguments
    tls = ssl.create_default_context(cafile=ca[0]) if ca else None
    vms = [Vm(line, int(port), tls) for line in Path(path).read_text("utf-8").splitlines()]
    uvloop.run(herd(vms, float(seconds), float(arrival)))


if __name__ == "__main__":
    main(sys.argv[1:])
