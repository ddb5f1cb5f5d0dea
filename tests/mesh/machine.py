"""A VM of the mesh: a network namespace with a workload and an agent in it, both of which a test can kill."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.agent.agents import AgentProcess
from tests.real.netns import VM
from tests.waiting import SOON

_WORKLOAD = Path(__file__).with_name("workload.py")


@dataclass(frozen=True, slots=True)
class Machine:
    """One VM that runs. The agent's http probe, which its WorkloadGroup asks for, goes to the workload."""

    vm: VM
    workload: subprocess.Popen[bytes]
    agent: AgentProcess

    @classmethod
    @contextmanager
    def running(cls, vm: VM, port: int, folder: Path, registry: str, ca: Path) -> Iterator[Self]:
        """Serve at a port of the VM, and let an agent report to a registry, once it has a token, until the block ends."""
        command = [*vm.within, sys.executable, "-I", str(_WORKLOAD), vm.address, str(port)]
        workload = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            folder.mkdir()
            with AgentProcess(folder, {"server": registry, "caFile": str(ca)}, within=vm.within) as agent:
                yield cls(vm, workload, agent)
        finally:
            workload.kill()
            workload.wait(SOON)

    def kill(self) -> None:
        """Let it die: neither says goodbye."""
        self.workload.kill()
        self.workload.wait(SOON)
        self.agent.end(signal.SIGKILL)
