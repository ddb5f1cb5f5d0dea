"""What istiod tells proxies, from its debug pages (`/debug/endpointShardz`, pilot/pkg/xds/debug.go of Istio 1.31).

They are read from loopback, or with a token of a service account of istiod's own namespace or of one that it allows
(DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES). Each replica knows its own proxies only, so that each is asked.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.adapters.outbound.addresses import Allowed, route
from reconciler.adapters.outbound.exchange import Limits, exchange
from reconciler.adapters.outbound.tokens import bearer
from reconciler.core.rollouts.values import Told
from reconciler.errors import Unavailable

#: The largest answer that is read, in bytes: 100,000 endpoints of some 600.
LONGEST = 1 << 26
_PAGE = "/debug/endpointShardz"
#: Health that istiod gives to no proxy: ill, draining, terminating (pilot/pkg/model/service.go).
_OUT = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class IstiodSettings:
    """Where istiod's debug pages are (`urls`, one for each replica), and how long one may take.

    `token_file` holds a bearer token and is read each time. A name that leads to loopback or the like is refused unless
    `networks` opens that network.
    """

    urls: tuple[str, ...]
    token_file: Path | None = None
    timeout: timedelta = timedelta(seconds=5)
    networks: tuple[str, ...] = ()


class IstiodDiscovery:
    """`ports.Discovery`."""

    def __init__(self, settings: IstiodSettings) -> None:
        """Raises InvalidInput for a URL or network that is none."""
        self._settings = settings
        self._urls = tuple(f"{url.rstrip('/')}{_PAGE}" for url in settings.urls)
        self._allowed = Allowed.of(settings.urls, settings.networks)
        self._limits = Limits(settings.timeout.total_seconds(), LONGEST)

    def told(self) -> tuple[Told, ...]:
        return tuple(self._told(url) for url in self._urls)

    def close(self) -> None:
        """Nothing is kept open."""

    def _told(self, url: str) -> Told:
        headers = {"Accept": "application/json", **bearer(self._settings.token_file)}
        received = exchange(route(url, self._allowed), "GET", b"", headers, self._limits)
        if received.status != 200:
            raise Unavailable(f"{url} answered with status {received.status}")
        try:
            return dict(_services(json.loads(received.body)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Unavailable(f"{url} answered with something else than istiod's endpoints") from error


def _services(hosts: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, int]]]:
    """Yield each service with its addresses; an endpoint is listed once for each port, and without a weight it has 1."""
    for host, namespaces in hosts.items():
        for namespace, found in namespaces.items():
            endpoints = [one for shard in found["Shards"].values() for one in shard if one["HealthStatus"] not in _OUT]
            yield (namespace, host), {address: one["LbWeight"] or 1 for one in endpoints for address in one["Addresses"]}
