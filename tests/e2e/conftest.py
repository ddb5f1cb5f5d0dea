"""Fixtures: a whole target for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.site import Site
from tests.real.apiserver import ApiServer


@pytest.fixture
def site(tmp_path: Path, api_server: ApiServer, namespace: str, git_root: Path) -> Site:
    """A target of this test's own, with nothing in Git yet."""
    return Site.create(tmp_path, api_server, namespace, git_root / f"{namespace}.git")
