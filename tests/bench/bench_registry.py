"""The VM registry's server under a fleet: heartbeats every ten seconds, then a storm of all of them at once.

Over plain HTTP, as behind a TLS terminator, and with TLS in the process. Server and agents share the machine; only the server's
CPU is counted.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.fleet_sql import SqlFleet
from reconciler.adapters.registry_sql import SqlRegistry
from reconciler.core.fleet.credentials import Claim, Credential
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.values import Agent, Workload
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import API_VERSION, Health, MachineStatus
from reconciler.core.resources import Document
from reconciler.registry.keyfile import kept
from reconciler.registry.rules import signer
from tests.bench.processes import Background
from tests.bench.table import Bench, Row, Unusable, seconds
from tests.real.git_https import Authority

VMS = 10_000
#: Seconds of steady beats, the first of which bring the connections and count neither for CPU nor for the time of answers.
STEADY, ARRIVAL = 40.0, 12.0
#: Cores, MB, and seconds of the slowest hundredth.
CORE, MEMORY, P99 = 1.0, 400, 0.1
_PYTHON = Path(sys.executable)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one fleet saw: CPU seconds a second while it beats steadily, resident MB, answers at first, then, in the storm."""

    cpu: float
    memory: float
    arrival: dict[str, Any]
    calm: dict[str, Any]
    storm: dict[str, Any]
    lost: int


def rows(bench: Bench) -> Iterator[Row]:
    """Measure plain HTTP and TLS."""
    (vms,) = bench.sizes(VMS)
    for name, tls in (("plain", False), ("tls", True)):
        bench.progress(f"registry: {vms:,} VMs over {name}")
        yield from _rows(f"registry-{name}", f"{vms:,} VMs, {name}", _look(bench, vms, name, tls=tls))


def _rows(name: str, what: str, seen: Seen) -> Iterator[Row]:
    calm, storm = seen.calm, seen.storm
    figures = {"cpu": [seen.cpu], "memory": [seen.memory], "p99": [calm["p99"]], "storm": [storm["seconds"]]}
    behind = f"{calm['answers']:,} answers, statuses {calm['statuses']}, {calm['broken']} broken, p50 {seconds(calm['p50'])}"
    yield Row(
        f"{name}-cpu", f"{what}: CPU of the server", f"{seen.cpu:.2f} cores", "< 1 core", seen.cpu < CORE, behind, figures
    )
    yield Row(f"{name}-memory", f"{what}: memory", f"{seen.memory:.0f} MB", f"< {MEMORY} MB", seen.memory < MEMORY)
    behind = f"once all of them were connected; {seconds(seen.arrival['p99'])} while they were"
    yield Row(f"{name}-p99", f"{what}: p99", seconds(calm["p99"]), f"< {seconds(P99)}", calm["p99"] < P99, behind)
    behind = f"all came back within {seconds(storm['seconds'])}: statuses {storm['statuses']}, {storm['broken']} broken"
    yield Row(f"{name}-storm", f"{what}: lost in a storm", str(seen.lost), "0", seen.lost == 0, behind)


def _look(bench: Bench, vms: int, name: str, *, tls: bool) -> Seen:
    home = bench.folder(f"registry-{name}")
    data, herd = home / "data", home / "herd"
    herd.write_text("\n".join(_seeded(data / "default", vms)), encoding="utf-8")
    config, trust = home / "registry.toml", list[str]()
    lines = [f'data = "{data}"', "[registry_server]", 'listen = "127.0.0.1:0"']
    if tls:
        authority = Authority.create(home / "ca")
        lines += [f'certificate_file = "{authority.server[0]}"', f'certificate_key_file = "{authority.server[1]}"']
        trust = [str(authority.certificate)]
    config.write_text("\n".join(lines), encoding="utf-8")
    command: list[str | Path] = [_PYTHON.parent / "reconciler", "registry", "serve", "--config", config]
    with Background(command, home, home / "server.log") as server:
        server.wait_for(["startup complete"])
        port = re.findall(r"listens at port (\d+)", "\n".join(server.said()))[0]
        with Background(
            [_PYTHON, "-m", "tests.bench.herd", herd, port, str(STEADY), str(ARRIVAL), *trust], home, home / "herd.log"
        ) as agents:
            time.sleep(ARRIVAL)
            began, before = time.monotonic(), server.cpu()[0]
            agents.wait_for(['{"calm"'])
            cpu = (server.cpu()[0] - before) / (time.monotonic() - began)
            memory = server.memory()
            agents.wait_for(['{"storm"'])
            figures = {name: seen for line in agents.said()[-3:] for name, seen in json.loads(line).items()}
            lost = sum(": lost " in line for line in server.said())
        if not figures["calm"]["answers"]:
            raise Unusable(f"nobody was answered: {server.said()[-5:]}")
        return Seen(cpu, max(memory, server.memory()), figures["arrival"], figures["calm"], figures["storm"], lost)


def _seeded(folder: Path, vms: int) -> Iterator[str]:
    """Make a fleet that has joined and reported before; yields what each agent knows."""
    folder.mkdir(parents=True, mode=0o700)
    keys, store, now = (
        signer("default", kept(folder / "registry.key")),
        SqlFleet(f"sqlite:///{folder}/registry.db", "default"),
        datetime.now(UTC),
    )
    agents, workloads = list[Agent](), list[Workload]()
    for number in range(vms):
        address = f"127.{1 + number // 65_000}.{number // 250 % 250}.{1 + number % 250}"
        identity, name = f"agent-{number}", f"vm-{number}"
        agents.append(Agent(identity, now, now, 1, "n", address=address, networks=("127.0.0.0/8",), versions={"agent": "1"}))
        workloads.append(Workload("shop", name, 1, identity, "", Health.HEALTHY, Health.HEALTHY))
        credential = Credential(identity, 1, "n", (Claim("shop", name, 1),), ("127.0.0.0/8",))
        yield f"{address} {keys.text(credential)} shop {name}"
    store.save(Decision((*agents, *workloads)))
    store.close()
    registry = SqlRegistry(f"sqlite:///{folder}/registry.db", "default", SystemClock())
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(registry.put, map(_record, agents, workloads)))
    statuses = (MachineStatus(agent.address, Health.HEALTHY, now) for agent in agents)
    registry.tell({workload.key: status for workload, status in zip(workloads, statuses, strict=True)})
    registry.close()


def _record(agent: Agent, workload: Workload) -> Document:
    metadata = {"namespace": workload.namespace, "name": workload.name}
    return {"apiVersion": API_VERSION, "kind": VIRTUAL_MACHINE, "metadata": metadata, "spec": {"address": agent.address}}
