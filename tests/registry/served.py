"""The registry's server on a loopback port, in a thread, over stores in memory; and clients that speak HTTP to it."""

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.core.fleet.credentials import Signer
from reconciler.ports import FleetStore, ServedRegistry
from reconciler.registry.app import ServerRules, registry_app
from reconciler.registry.connections import PATIENCE
from reconciler.registry.doors import DoorRules
from reconciler.registry.server import RegistryServer, Tls
from tests.waiting import SOON

OPERATOR = "o" * 40
LOOPBACK = ["127.0.0.0/8"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Served:
    """A server that runs."""

    port: int
    fleet: FleetStore
    registry: ServedRegistry
    tls: ssl.SSLContext | None = None

    def ask(
        self, method: str, path: str, body: Any = None, bearer: str = "", source: str = "127.0.0.1", **headers: str
    ) -> Reply:
        """Send a request from a loopback address and return the answer; bytes are sent as they are."""
        where: dict[str, Any] = {"timeout": SOON, "source_address": (source, 0)}
        line = (
            http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, **where)
            if self.tls
            else http.client.HTTPConnection("127.0.0.1", self.port, **where)
        )
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **({"Authorization": f"Bearer {bearer}"} if bearer else {}), **headers}
        try:
            line.request(method, path, body, sent)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, json.loads(text) if text else None)

    def operate(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request as an operator."""
        return self.ask(method, path, body, OPERATOR)

    def token(self, name: str = "vm-1", networks: list[str] | None = None) -> str:
        """Issue a token."""
        asked = {"namespace": "shop", "name": name, "addresses": networks or LOOPBACK}
        issued = self.operate("POST", "/v1/tokens", asked)
        assert issued.status == 201, issued
        return str(issued.body["token"])

    def vm(self, name: str = "vm-1") -> Any:
        """Return a VM as operators see it."""
        return self.operate("GET", f"/v1/vms/shop/{name}").body


@dataclass(slots=True)
class Agent:
    """What runs on a VM: it keeps what it is told."""

    served: Served
    address: str = "127.0.0.1"
    credential: str = ""
    workloads: list[dict[str, Any]] = field(default_factory=list)

    def join(self, token: str) -> Reply:
        """Join with a token."""
        body = {"token": token, "addresses": [self.address], "versions": {"agent": "1"}}
        return self._heed(self.served.ask("POST", "/v1/join", body, self.credential, self.address))

    def beat(self, health: str = "healthy", reason: str = "") -> Reply:
        """Report this of all workloads."""
        said = [
            {"namespace": one["namespace"], "name": one["name"], "health": health, "reason": reason} for one in self.workloads
        ]
        body = {"workloads": said, "addresses": [self.address], "versions": {"agent": "1"}}
        return self._heed(self.served.ask("POST", "/v1/heartbeat", body, self.credential, self.address))

    def leave(self) -> Reply:
        """Say goodbye."""
        return self.served.ask("POST", "/v1/leave", None, self.credential, self.address)

    def _heed(self, reply: Reply) -> Reply:
        if reply.status in (200, 201):
            self.credential = reply.body["credential"] or self.credential
            self.workloads = reply.body["workloads"]
        return reply


@contextmanager
def served(
    rules: ServerRules | None = None,
    fleet: FleetStore | None = None,
    registry: ServedRegistry | None = None,
    tls: Tls | None = None,
    trust: ssl.SSLContext | None = None,
    patience: float = PATIENCE,
    port: int = 0,
) -> Iterator[Served]:
    """Run a server until the block ends; it must end by itself then."""
    clock = SystemClock()
    fleet, registry = fleet or MemoryFleet(), registry or MemoryRegistry(clock)
    signer = Signer("production", (b"k" * 32,))
    app = registry_app(fleet, registry, signer, clock, rules or ServerRules(DoorRules(OPERATOR)))
    server = RegistryServer(app, "127.0.0.1", port, tls, patience)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Served(server.port, fleet, registry, trust)
    finally:
        server.stop()
        thread.join(SOON)
        server.close()
        assert not thread.is_alive()
