"""The calling side of the mesh: a stock Envoy whose endpoints come from istiod, as they come to Istio's own proxies.

Listener, route and cluster are fixed, since istiod's own ones need Istio's build of Envoy; the cluster bears the name by which
istiod knows a service, and its endpoints come over ADS (https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import urllib3

from tests.real.istiod_process import Istiod
from tests.real.processes import Child, wait_until

LOOPBACK = "127.0.0.1"
_TYPES = "type.googleapis.com/envoy.extensions"
_MANAGER = f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = f"{_TYPES}.filters.http.router.v3.Router"
_HTTP = f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions"


@dataclass(slots=True)
class Sidecar:
    """The Envoy of one client in a namespace, for one port of one host. A context manager that stops it.

    `port` is where the client sends its requests, `admin` (host:port) where it tells of itself.
    """

    command: Path
    folder: Path
    istiod: Istiod
    namespace: str
    host: str
    service_port: int = 80
    port: int = 0
    admin: str = ""
    _child: Child | None = None
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(timeout=10, retries=False))

    @property
    def cluster(self) -> str:
        """The name by which istiod knows the service's endpoints (pilot/pkg/model/service.go, BuildSubsetKey)."""
        return f"outbound|{self.service_port}||{self.host}"

    def __enter__(self) -> Self:
        """Start it and wait until it listens, which is once istiod has told it of endpoints. Raises PartMissing."""
        self.folder.mkdir(parents=True)
        config, admin = self.folder / "envoy.json", self.folder / "admin"
        config.write_text(json.dumps(self._bootstrap()), encoding="utf-8")
        # One worker: its round robin over weights is exact, that of several only on the whole.
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
        files: list[str | Path] = ["--config-path", config, "--admin-address-path", admin]
        self._child = Child([self.command, *files, *options], self.folder / "envoy.log")
        try:
            wait_until("Envoy's admin page", lambda: admin.exists() and ":" in admin.read_text(encoding="utf-8"), self._child)
            self.admin = admin.read_text(encoding="utf-8").strip()
            wait_until("Envoy", self._listens, self._child)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()
        if self._child is not None:
            self._child.kill()

    def endpoints(self) -> dict[str, int]:
        """The weights by address as istiod has told them."""
        found = self._page("/clusters?format=json")["cluster_statuses"]
        hosts = next((one.get("host_statuses") or () for one in found if one["name"] == self.cluster), ())
        return {one["address"]["socket_address"]["address"]: one["weight"] for one in hosts}

    def settle(self) -> None:
        """Return once the worker goes by what `endpoints` said before: the admin page is ahead of it by a turn of its loop."""
        self._pool.request("GET", f"http://{LOOPBACK}:{self.port}/", headers={"host": self.host})

    def _listens(self) -> bool:
        try:
            found = self._page("/listeners?format=json").get("listener_statuses") or ()
            if not found or self._page("/server_info")["state"] != "LIVE":
                return False
        except urllib3.exceptions.HTTPError:
            return False
        self.port = found[0]["local_address"]["socket_address"]["port_value"]
        return True

    def _page(self, path: str) -> Any:
        return self._pool.request("GET", f"http://{self.admin}{path}").json()

    def _bootstrap(self) -> dict[str, Any]:
        return {
            "node": {
                "id": f"sidecar~{LOOPBACK}~client.{self.namespace}~{self.namespace}.svc.cluster.local",
                "cluster": f"client.{self.namespace}",
                "metadata": {"NAMESPACE": self.namespace, "CLUSTER_ID": "Kubernetes", "ISTIO_VERSION": "1.31.4"},
            },
            "admin": {"address": _socket(LOOPBACK, 0)},
            "dynamic_resources": {
                "ads_config": {
                    "api_type": "GRPC",
                    "transport_api_version": "V3",
                    "grpc_services": [{"envoy_grpc": {"cluster_name": "istiod"}}],
                }
            },
            "static_resources": {"listeners": [self._listener()], "clusters": [self._istiod(), self._service()]},
        }

    def _listener(self) -> dict[str, Any]:
        route = {"match": {"prefix": "/"}, "route": {"cluster": self.cluster}}
        manager = {
            "@type": _MANAGER,
            "stat_prefix": "client",
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
        }
        filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
        return {"name": "client", "address": _socket(LOOPBACK, 0), "filter_chains": [{"filters": filters}]}

    def _istiod(self) -> dict[str, Any]:
        endpoint = {"endpoint": {"address": _socket(self.istiod.host, self.istiod.port)}}
        protocol = {"@type": _HTTP, "explicit_http_config": {"http2_protocol_options": {}}}
        return {
            "name": "istiod",
            "type": "STATIC",
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol},
            "load_assignment": {"cluster_name": "istiod", "endpoints": [{"lb_endpoints": [endpoint]}]},
        }

    def _service(self) -> dict[str, Any]:
        return {
            "name": self.cluster,
            "type": "EDS",
            "lb_policy": "ROUND_ROBIN",
            "eds_cluster_config": {"eds_config": {"ads": {}, "resource_api_version": "V3"}},
            # Otherwise weights that change within a second are collected, and the admin page tells of them before they count.
            "common_lb_config": {"update_merge_window": "0s"},
            # Requests and failures by endpoint: what Istio's own proxies tell by workload.
            "track_cluster_stats": {"per_endpoint_stats": True},
        }


def _socket(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}
