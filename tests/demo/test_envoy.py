"""Real Envoy, real backends, real requests: what was measured is what Envoy was told, and a lie shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.plans import EndpointShare, Split
from reconciler.demo.envoy import Envoy
from reconciler.demo.measured import Era
from reconciler.demo.story import Story
from reconciler.demo.traffic import Traffic, flowing
from reconciler.errors import Unavailable
from reconciler.wiring import command_of
from tests.demo.splits import POD, VM, split

REQUESTS = 600


@pytest.fixture
def envoy() -> Path:
    """The command that `make setup` installs."""
    found = command_of("envoy")
    if found is None:
        pytest.skip("there is no Envoy for this machine")
    return found


def _silent(_address: str, _requests: int, _failed: int) -> None:
    """Count nothing."""


@pytest.fixture
def wanted() -> list[Split]:
    """What the mesh predicts; the test puts something else in its place."""
    return [split(9, 1)]


@pytest.fixture
def traffic(envoy: Path, wanted: list[Split], tmp_path: Path) -> Iterator[Traffic]:
    """Requests to a VM and a Pod."""
    with flowing(envoy, tmp_path / "envoy", Story(1), _silent, lambda: wanted[0]) as found:
        yield found


def test_requests_go_by_weight_and_none_fails_while_endpoints_change(traffic: Traffic, wanted: list[Split]) -> None:
    """From 10 % through a half to none, all the time under requests."""
    for weights in ((9, 1), (1, 1), (1, 0)):
        wanted[0] = split(*weights)
        traffic.tell()
        traffic.wait_for(split(*weights), REQUESTS)
    traffic.end()
    assert [era.shares for era in traffic.eras] == [Era(split(*one)).shares for one in ((9, 1), (1, 1), (1, 0))]
    assert [line for era in traffic.eras for line in era.faults()] == []
    assert traffic.eras[0].answered[POD] / traffic.eras[0].requests == pytest.approx(0.1, abs=0.01)
    assert traffic.web.failed.total() == 0


def test_a_prediction_that_is_wrong_shows(envoy: Path, tmp_path: Path) -> None:
    """Envoy goes by even weights where 90 % were predicted for the VM."""
    even = [EndpointShare(one.name, one.platform, one.address, 1, one.share) for one in split(9, 1).endpoints]
    lie = Split("svc1.internal.com", 80, tuple(even))
    with flowing(envoy, tmp_path / "envoy", Story(1), _silent, lambda: lie) as traffic:
        traffic.wait_for(lie, REQUESTS)
    assert [line.split()[0] for line in traffic.eras[0].faults()] == [VM, POD]


def test_bad_backends_fail_and_are_named(envoy: Path, tmp_path: Path) -> None:
    """Every request that a bad Pod answers counts as failed, and is told with its address."""
    told: list[tuple[str, int, int]] = []
    story = Story(1, works=False)
    with flowing(envoy, tmp_path / "envoy", story, lambda *count: told.append(count), lambda: split(1, 1)) as traffic:
        traffic.wait_for(split(1, 1), REQUESTS)
    (era,) = traffic.eras
    assert era.failed[POD] == era.answered[POD] > 0
    assert traffic.web.failed[VM] == 0
    assert sum(failed for address, _, failed in told if address == POD) > 0
    assert all(not failed for address, _, failed in told if address == VM)


def test_what_envoy_says_is_told_where_it_does_not_start(envoy: Path, tmp_path: Path) -> None:
    """Not only that it has ended."""
    script = tmp_path / "envoy.sh"
    script.write_text("#!/bin/sh\necho no such option\nexit 1\n", "utf-8")
    script.chmod(0o755)
    with pytest.raises(Unavailable, match="Envoy does not start: no such option"), Envoy(script, tmp_path / "envoy", 1):
        pass
