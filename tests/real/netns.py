"""VMs as the kernel knows them: network namespaces with an address each, on a bridge of this machine's own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.real.missing import PartMissing


@dataclass(slots=True)
class Network:
    """A bridge with an address in this namespace (`host`) and VMs behind it, all of it gone where the `with` ends."""

    prefix: str = field(default_factory=lambda: f"10.199.{secrets.randbelow(254) + 1}")
    _name: str = field(default_factory=lambda: f"mr{secrets.token_hex(3)}")
    _vms: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """The address under which VMs reach this namespace."""
        return f"{self.prefix}.1"

    def __enter__(self) -> Self:
        """Raises PartMissing where we may not make namespaces."""
        if shutil.which("ip") is None or os.geteuid() != 0:
            raise PartMissing("network namespaces need root and iproute2")
        _ip(f"link add {self._name} type bridge")
        _ip(f"addr add {self.host}/24 dev {self._name}")
        _ip(f"link set {self._name} up")
        return self

    def add(self, number: int) -> VM:
        """Add a VM with an address of its own."""
        vm = VM(f"{self._name}-{number}", f"{self.prefix}.{number}")
        _ip(f"netns add {vm.name}")
        self._vms.append(vm.name)
        _ip(f"link add {vm.name} type veth peer name eth0 netns {vm.name}")
        _ip(f"link set {vm.name} master {self._name} up")
        for command in ("link set lo up", f"addr add {vm.address}/24 dev eth0", "link set eth0 up"):
            _ip(f"-n {vm.name} {command}")
        return vm

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in self._vms:
            with suppress(PartMissing):
                _ip(f"netns delete {name}")
        with suppress(PartMissing):
            _ip(f"link delete {self._name}")


@dataclass(frozen=True, slots=True)
class VM:
    """A network namespace with one address."""

    name: str
    address: str

    @property
    def within(self) -> tuple[str, ...]:
        """What runs a command there."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Take it off the network; what runs there goes on."""
        _ip(f"link set {self.name} down")

    def connect(self) -> None:
        """Put it back."""
        _ip(f"link set {self.name} up")


def _ip(command: str) -> None:
    done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, timeout=30, check=False)  # noqa: S607
    if done.returncode:
        raise PartMissing(f"ip {command}: {done.stderr.strip()}")
