"""Checks of a real Consul as a source of health: read, and never written."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.registry_consul import ConsulChecks, ConsulRegistry, ConsulSettings
from reconciler.errors import Unavailable
from tests.contracts.registry import record
from tests.contracts.witness import ChecksContract, SetCheck, said, vm
from tests.real.consul_process import Consul

READ_ALL = 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }'


def _settings(consul: Consul, token_file: Path) -> ConsulSettings:
    return ConsulSettings(f"consul://{consul.address}", token_file=token_file)


@pytest.fixture
def witness(consul: Consul, tmp_path: Path) -> Iterator[ConsulChecks]:
    """The checks, read by a token that can do nothing else."""
    found = ConsulChecks(_settings(consul, consul.token(READ_ALL, tmp_path)))
    yield found
    found.close()


@pytest.fixture
def check(consul: Consul) -> SetCheck:
    """An agent of Consul on each address."""

    def check(address: str, name: str, status: str, service: str = "") -> None:
        consul.check(f"agent-{address.replace(':', '-')}", address, name, status, service)

    return check


class TestConsulChecks(ChecksContract):
    """The contract over a real Consul."""


def test_records_of_ours_are_no_agents(consul: Consul, witness: ConsulChecks) -> None:
    """What a VM registry in Consul keeps of a VM is not what Consul knows of it."""
    address = f"fd00:2::{secrets.randbelow(60_000) + 1:x}"
    registry = ConsulRegistry(_settings(consul, consul.token_file), f"production-{secrets.token_hex(4)}", SystemClock())
    made = registry.put(record(address=address))
    registry.report(made.key, {"health": "healthy"})
    assert said(witness, vm(address)) == ("", "")
    registry.close()


def test_a_catalog_that_is_hidden_in_part_tells_nothing(consul: Consul, tmp_path: Path) -> None:
    """A check that we may not see must not look like one that is gone."""
    blind = ConsulChecks(_settings(consul, consul.token('node "server" { policy = "read" }', tmp_path)))
    with pytest.raises(Unavailable, match="hides a part of its catalog"):
        blind.testify([vm("10.0.0.1")])
