"""A VM of the mesh: a network namespace with a workload in it that a test can kill and start again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.real.netns import VM
from tests.waiting import SOON

_WORKLOAD = Path(__file__).with_name("workload.py")


@dataclass(slots=True)
class Machine:
    """One VM, which serves at a port from where the `with` begins to its end."""

    vm: VM
    port: int
    _workload: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve; who is first asked may be refused yet."""
        command = [*self.vm.within, sys.executable, "-I", str(_WORKLOAD), self.vm.address, str(self.port)]
        self._workload = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """Serve no more, without a goodbye."""
        if self._workload is not None:
            self._workload.kill()
            self._workload.wait(SOON)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
