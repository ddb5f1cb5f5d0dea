"""One istiod, a child of this process, on a running API server and free loopback ports; it speaks without TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests.real.apiserver import ApiServer
from tests.real.binaries import ISTIOD, executable
from tests.real.kube import Refused
from tests.real.locations import Progress, write_whole
from tests.real.processes import Child, free_ports, wait_until

NAMESPACE = "istio-system"
#: No tracing, no telemetry of its own: the mesh has but the defaults that decide where requests go.
MESH_CONFIG = "enableTracing: false\n"


@dataclass(frozen=True, slots=True)
class Istiod:
    """A running istiod as a value: where proxies find it (`port` of 127.0.0.1, xDS over plain gRPC), and its debug pages."""

    port: int
    url: str
    version: str

    @property
    def host(self) -> str:
        """Where it listens."""
        return "127.0.0.1"


class IstiodProcess:
    """Starts and stops one istiod; everything it writes is under `directory`."""

    def __init__(self, directory: Path, server: ApiServer, progress: Progress) -> None:
        """Raises PartMissing when the executable cannot be had; starts nothing yet."""
        self._directory, self._server = directory, server
        self._path = executable(ISTIOD, progress)
        self._xds, self._http, self._monitoring = free_ports(3)
        self._child: Child | None = None
        directory.mkdir(parents=True)
        write_whole(directory / "mesh.yaml", MESH_CONFIG)

    def start(self) -> Istiod:
        """Start it and wait until it has read the cluster and serves proxies. About two seconds."""
        self._create_namespace()
        self._child = Child(self._command(), self._directory / "istiod.log", variables=_VARIABLES)
        wait_until("istiod", self._ready, self._child)
        return Istiod(self._xds, f"http://127.0.0.1:{self._http}", ISTIOD.version)

    def stop(self) -> None:
        """End it at once."""
        if self._child is not None:
            self._child.kill()

    def _create_namespace(self) -> None:
        try:
            self._server.kube.create_namespace(NAMESPACE)
        except Refused as refused:
            if refused.status != 409:
                raise

    def _ready(self) -> bool:
        with urllib3.PoolManager(timeout=5, retries=False) as pool:
            try:
                return pool.request("GET", f"http://127.0.0.1:{self._http}/ready").status == 200
            except urllib3.exceptions.HTTPError:
                return False

    def _command(self) -> list[str | Path]:
        return [
            self._path,
            "discovery",
            f"--kubeconfig={self._server.kubeconfig}",
            f"--meshConfig={self._directory / 'mesh.yaml'}",
            f"--httpAddr=127.0.0.1:{self._http}",
            f"--grpcAddr=127.0.0.1:{self._xds}",
            f"--monitoringAddr=127.0.0.1:{self._monitoring}",
            "--secureGRPCAddr=",
            "--httpsAddr=",
            "--ctrlz_port=0",
        ]


_VARIABLES = {"POD_NAMESPACE": NAMESPACE, "POD_NAME": "istiod-1"}
