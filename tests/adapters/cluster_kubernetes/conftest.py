"""Fixtures: the adapter behind a proxy that breaks things, and accounts with few rights."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.cluster_kubernetes.worlds import RealWorld, settings
from tests.real.apiserver import ApiServer

Proxied = Callable[..., RealWorld]


@pytest.fixture
def proxied(proxied_api_server: ApiServer, api_server: ApiServer, namespace: str) -> Iterator[Proxied]:
    """A function that gives a world whose adapter goes through the proxy; everybody else's hands do not."""
    worlds: list[RealWorld] = []

    def make(*, kubeconfig: Path | None = None, namespaces: tuple[str, ...] | None = None, **more: Any) -> RealWorld:
        names = (namespace,) if namespaces is None else namespaces
        chosen = settings(kubeconfig or proxied_api_server.kubeconfig, *names, **more)
        worlds.append(RealWorld(api_server, namespace, chosen))
        return worlds[-1]

    yield make
    for world in worlds:
        world.cluster.close()
