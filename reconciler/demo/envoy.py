"""A real Envoy on loopback for one service: listener and cluster are fixed, its endpoints come from a file (EDS).

Envoy watches the file and takes it when another one is moved into its place
(https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/xds_api#dynamic-filesystem). The ports are Envoy's choice.
"""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from reconciler.demo import tethered
from reconciler.errors import Unavailable

#: Longest time in seconds for a start, and until Envoy has taken new endpoints.
PATIENCE = 20.0
_LOOPBACK = "127.0.0.1"
_CLUSTER = "service"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"


class Envoy:
    """One process. `port` is where it listens once it has started, `endpoints` what it balances over: weights by address."""

    def __init__(self, command: Path, folder: Path, backend_port: int) -> None:
        self._command, self._folder, self._backend_port = command, folder, backend_port
        self._process: subprocess.Popen[bytes] | None = None
        self._admin_port = 0
        self._version = 0
        self._pause = threading.Event()
        self.port = 0

    def __enter__(self) -> Self:
        """Start it and wait until it listens. The thread that does so must live on: with it Envoy ends."""
        self._folder.mkdir()
        self._replace({})
        config, admin = self._folder / "envoy.json", self._folder / "admin"
        config.write_text(json.dumps(self._bootstrap()), "utf-8")
        with (self._folder / "envoy.log").open("wb") as log:
            # One worker: its round robin over weights is exact, that of several only on the whole.
            options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
            files = ["--config-path", str(config), "--admin-address-path", str(admin)]
            self._process = subprocess.Popen(
                [sys.executable, tethered.__file__, str(os.getpid()), "-", str(self._command), *files, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait(lambda: admin.exists() and admin.read_text("utf-8").count(":") > 0, "start")
            self._admin_port = int(admin.read_text("utf-8").rpartition(":")[2])
            self._wait(self._listens, "listen")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def balance(self, endpoints: Mapping[str, int]) -> None:
        """Replace the endpoints (address -> weight); returns once requests go by them. Raises Unavailable."""
        self._replace(endpoints)
        self._wait(lambda: self._endpoints() == endpoints, f"take {len(endpoints)} endpoints")
        # The admin page is ahead of the worker: what the worker answers after this, it answers by the new endpoints.
        _get(self.port, "/")

    def _replace(self, endpoints: Mapping[str, int]) -> None:
        self._version += 1
        listed = [
            {"endpoint": {"address": _socket(address, self._backend_port)}, "load_balancing_weight": weight}
            for address, weight in endpoints.items()
        ]
        assignment = {"@type": _ASSIGNMENT, "cluster_name": _CLUSTER, "endpoints": [{"lb_endpoints": listed}]}
        coming = self._folder / "coming.json"
        coming.write_text(json.dumps({"version_info": str(self._version), "resources": [assignment]}), "utf-8")
        coming.replace(self._folder / "endpoints.json")

    def _endpoints(self) -> dict[str, int]:
        found = self._admin("/clusters?format=json")["cluster_statuses"][0].get("host_statuses") or ()
        return {one["address"]["socket_address"]["address"]: one["weight"] for one in found}

    def _listens(self) -> bool:
        found = self._admin("/listeners?format=json").get("listener_statuses") or ()
        if not found or self._admin("/server_info")["state"] != "LIVE":
            return False
        self.port = found[0]["local_address"]["socket_address"]["port_value"]
        return True

    def _admin(self, path: str) -> Any:
        return json.loads(_get(self._admin_port, path))

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > ends or (self._process and self._process.poll() is not None):
                log = (self._folder / "envoy.log").read_text("utf-8", "replace").strip().splitlines()
                raise Unavailable(f"Envoy does not {what}: {log[-1] if log else 'it says nothing'}")
            self._pause.wait(0.01)

    def _bootstrap(self) -> dict[str, Any]:
        route = {"match": {"prefix": "/"}, "route": {"cluster": _CLUSTER}}
        manager = {
            "@type": _MANAGER,
            "stat_prefix": "demo",
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
        }
        listener = {
            "name": "demo",
            "address": _socket(_LOOPBACK, 0),
            "filter_chains": [
                {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
            ],
        }
        source = {"path_config_source": {"path": str(self._folder / "endpoints.json")}, "resource_api_version": "V3"}
        cluster = {
            "name": _CLUSTER,
            "type": "EDS",
            "lb_policy": "ROUND_ROBIN",
            "eds_cluster_config": {"eds_config": source},
        }
        return {
            "node": {"id": "client", "cluster": "demo"},
            "admin": {"address": _socket(_LOOPBACK, 0)},
            "static_resources": {"listeners": [listener], "clusters": [cluster]},
        }


def _socket(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except OSError as error:
        raise Unavailable(f"Envoy does not answer on port {port}: {error}") from error
    finally:
        connection.close()
