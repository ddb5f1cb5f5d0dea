"""One Consul server, a child of this process, in memory and on free loopback ports; nobody does anything without a token."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from tests.real.binaries import CONSUL, executable
from tests.real.locations import Progress, write_whole
from tests.real.processes import Child, free_ports, wait_until


@dataclass(frozen=True, slots=True)
class Consul:
    """A running Consul as a value: where it is (host:port), its version, and the file with the token that may do all."""

    address: str
    version: str
    token_file: Path

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Ask its API for what no port of ours does, and return the JSON of the answer, which must be one of success."""
        return json.loads(self._ask(method, path, json.dumps(body).encode()))

    def snapshot(self) -> bytes:
        """Return all that it holds."""
        return self._ask("GET", "/v1/snapshot")

    def restore(self, snapshot: bytes) -> None:
        """Set it back to what it held then."""
        self._ask("PUT", "/v1/snapshot", snapshot)

    def check(self, node: str, address: str, name: str, status: str, service: str = "") -> None:
        """Register a node with one check, of itself or of a service on it, as an agent on it would."""
        check = {"Node": node, "CheckID": name, "Name": name, "Status": status, "ServiceID": service}
        wanted = {"Node": node, "Address": address, "Check": check}
        if service:
            wanted["Service"] = {"ID": service, "Service": service}
        self.request("PUT", "/v1/catalog/register", wanted)

    def token(self, rules: str, folder: Path) -> Path:
        """Return a file with a new token that has these rules."""
        name = f"test-{secrets.token_hex(4)}"
        self.request("PUT", "/v1/acl/policy", {"Name": name, "Rules": rules})
        made = self.request("PUT", "/v1/acl/token", {"Policies": [{"Name": name}]})
        write_whole(folder / name, made["SecretID"])
        return folder / name

    def _ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        headers = {"X-Consul-Token": self.token_file.read_text(encoding="ascii")}
        with urllib3.PoolManager(timeout=30, retries=False) as pool:
            answer = pool.request(method, f"http://{self.address}{path}", body=body, headers=headers)
        assert answer.status == 200, answer.data
        return answer.data


class ConsulProcess:
    """Starts and stops one Consul; everything it writes is under `directory`."""

    def __init__(self, directory: Path, progress: Progress) -> None:
        """Raises PartMissing when the executable cannot be had; starts nothing yet."""
        self._path = executable(CONSUL, progress)
        self._http, self._server, self._lan = free_ports(3)
        self._directory = directory
        self._child: Child | None = None
        directory.mkdir(parents=True)
        token = "00000000-0000-4000-8000-000000000001"
        write_whole(directory / "token", token)
        acl = {"enabled": True, "default_policy": "deny", "tokens": {"initial_management": token, "agent": token}}
        write_whole(directory / "consul.json", json.dumps({"acl": acl, "disable_update_check": True}))

    def start(self) -> Consul:
        """Start it, and wait until it leads and has registered itself."""
        server = Consul(f"127.0.0.1:{self._http}", CONSUL.version, self._directory / "token")
        self._child = Child(self._command(), self._directory / "consul.log")
        wait_until("Consul", lambda: _ready(server), self._child)
        return server

    def stop(self) -> None:
        """End it at once."""
        if self._child is not None:
            self._child.kill()

    def _command(self) -> list[str | Path]:
        return [
            self._path,
            "agent",
            "-dev",
            "-node=server",
            "-bind=127.0.0.1",
            f"-config-file={self._directory / 'consul.json'}",
            f"-http-port={self._http}",
            f"-server-port={self._server}",
            f"-serf-lan-port={self._lan}",
            "-serf-wan-port=-1",
            "-grpc-port=-1",
            "-grpc-tls-port=-1",
            "-dns-port=-1",
            "-log-level=warn",
        ]


def _ready(server: Consul) -> bool:
    try:
        return bool(server.request("GET", "/v1/catalog/nodes?consistent"))
    except (urllib3.exceptions.HTTPError, AssertionError):
        return False
