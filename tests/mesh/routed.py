"""The calling side of the mesh with its routes from istiod, too: a VirtualService decides which subset a request goes to.

Stock Envoy takes istiod's routes; the clusters that they lead to are given, one a subset, and get their endpoints from istiod
(https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/rds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.mesh.sidecar import Sidecar


@dataclass(slots=True)
class RoutedSidecar(Sidecar):
    """A sidecar that goes by istiod's routes, to all endpoints of its host or to these subsets."""

    subsets: tuple[str, ...] = ()

    def shares(self) -> dict[str, Fraction]:
        """The share of the requests that each address gets by the routes and endpoints which Envoy has now.

        Who gets nothing is not among them, and empty is what nobody answers; empty as a whole: there is no route yet.
        """
        found: dict[str, Fraction] = {}
        clusters = self._endpoints()
        for name, share in self._routes().items():
            total = sum(clusters.get(name, {}).values())
            for address, weight in clusters.get(name, {}).items():
                found[address] = found.get(address, Fraction(0)) + share * Fraction(weight, total)
            if share and not total:
                found[""] = found.get("", Fraction(0)) + share
        return {address: share for address, share in found.items() if share}

    def _routes(self) -> dict[str, Fraction]:
        """The share of each cluster by the last route of the host, which takes all requests."""
        dump = self._page("/config_dump?resource=dynamic_route_configs")["configs"]
        hosts = [host for one in dump for host in one["route_config"].get("virtual_hosts") or ()]
        action: dict[str, Any] = next((one["routes"][-1]["route"] for one in hosts if self.host in one["domains"]), {})
        if "cluster" in action:
            return {action["cluster"]: Fraction(1)}
        parts = {one["name"]: one.get("weight", 0) for one in action.get("weighted_clusters", {}).get("clusters", ())}
        return {name: Fraction(weight, sum(parts.values())) for name, weight in parts.items()}

    def _endpoints(self) -> Mapping[str, Mapping[str, int]]:
        found = self._page("/clusters?format=json")["cluster_statuses"]
        return {
            one["name"]: {
                each["address"]["socket_address"]["address"]: each["weight"] for each in one.get("host_statuses") or ()
            }
            for one in found
        }

    def _bootstrap(self) -> dict[str, Any]:
        found = Sidecar._bootstrap(self)
        static = found["static_resources"]
        static["clusters"] += [self._cluster_of(subset) for subset in self.subsets]
        manager = static["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        del manager["route_config"]
        manager["rds"] = {
            "route_config_name": str(self.service_port),
            "config_source": {"ads": {}, "resource_api_version": "V3"},
        }
        return found

    def _cluster_of(self, subset: str) -> dict[str, Any]:
        """A subset's cluster. Istiod says nothing of one that no rule defines yet, so nothing waits for it."""
        service = Sidecar._service(self)
        eds = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "1s"}
        name = f"outbound|{self.service_port}|{subset}|{self.host}"
        return {**service, "name": name, "eds_cluster_config": {"eds_config": eds}}
