"""The registry in a real Consul keeps the promises of the port, beside agents and other targets."""

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from reconciler.adapters.registry_consul import ConsulRegistry, ConsulSettings
from reconciler.errors import Conflict, Rejected, Unavailable
from reconciler.ports import VMRegistry
from tests.contracts.clock import SetClock
from tests.contracts.registry import RegistryContract, key, record
from tests.contracts.registry_model import RegistryModel
from tests.real.consul_process import Consul
from tests.waiting import SOON, becomes

Connect = Callable[..., ConsulRegistry]

READ_ALL = 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }'


def settings_of(consul: Consul, token_file: Path | None = None) -> ConsulSettings:
    """Return how to reach a Consul of the tests, as one who may do all unless another token is named."""
    return ConsulSettings(f"consul://{consul.address}", token_file=token_file or consul.token_file)


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands still."""
    return SetClock()


@pytest.fixture
def target() -> str:
    """The name of a target that no other test has."""
    return f"production-{secrets.token_hex(4)}"


@pytest.fixture
def connect(consul: Consul, target: str, clock: SetClock) -> Iterator[Connect]:
    """A function that returns another process's view of the registry, as far as Consul can tell."""
    made: list[ConsulRegistry] = []

    def connect(target: str = target, token_file: Path | None = None) -> ConsulRegistry:
        made.append(ConsulRegistry(settings_of(consul, token_file), target, clock))
        return made[-1]

    yield connect
    for registry in made:
        registry.close()


@pytest.fixture
def registry(connect: Connect) -> ConsulRegistry:
    """The registry."""
    return connect()


class TestConsulRegistry(RegistryContract):
    """The contract over a real Consul."""


def test_it_behaves_like_the_model(consul: Consul) -> None:
    """Whatever people, VMs and late readers do in whichever order, Consul holds what the model says."""

    class Model(RegistryModel):
        def __init__(self) -> None:
            self.target = f"run-{secrets.token_hex(4)}"
            super().__init__()

        def connect(self) -> VMRegistry:
            return ConsulRegistry(settings_of(consul), self.target, SetClock())

    checks = [HealthCheck.too_slow]
    run_state_machine_as_test(
        Model, settings=settings(deadline=None, max_examples=15, stateful_step_count=25, suppress_health_check=checks)
    )


def test_targets_do_not_see_each_other(connect: Connect, registry: VMRegistry, target: str) -> None:
    """A record carries the target that wrote it: a name may exist in each, and no prune reaches across."""
    staging = connect(target=f"{target}-staging")
    registry.put(record())
    assert staging.observe().machines == {}
    made = staging.put(record(address="10.0.0.9"))
    staging.delete(key(), uid=made.uid, resource_version="")
    assert registry.observe().machines.keys() == {key()}


def test_a_node_that_is_none_of_ours_is_left_alone(consul: Consul, registry: VMRegistry, target: str) -> None:
    """Whoever took the name of a record keeps it: it is not observed, not overwritten, not deleted."""
    name = f"mesh-reconciler.{target}.shop.vm-1"
    consul.check(name, "10.0.0.7", "serfHealth", "passing")
    assert registry.observe().machines == {}
    for touch in (
        lambda: registry.put(record()),
        lambda: registry.delete(key(), uid="a", resource_version=""),
        lambda: registry.report(key(), {"health": "healthy"}),
    ):
        with pytest.raises(Rejected, match="is no record of ours"):
            touch()
    assert consul.request("GET", f"/v1/catalog/node/{name}")["Node"]["Address"] == "10.0.0.7"


def test_health_is_read_from_the_checks_of_an_agent_at_the_address(consul: Consul, registry: VMRegistry) -> None:
    """An agent's checks count, also against what the VM reports; its node and they stay as they are."""
    address = f"fd00::{secrets.randbelow(9000) + 1000}"
    agent = f"agent-{secrets.token_hex(4)}"
    made = registry.put(record(address=address))

    def health() -> str:
        live, observed = registry.get(key()), registry.observe().machines[key()]
        assert live is not None
        assert observed.document["status"]["health"] == live.document["status"]["health"]
        return str(live.document["status"]["health"])

    assert health() == "unknown"
    consul.check(agent, address, "serfHealth", "passing")
    assert health() == "healthy"
    consul.check(agent, address, "disk", "critical")
    assert health() == "unhealthy"
    registry.report(key(), {"health": "healthy"})
    assert health() == "unhealthy"
    consul.check(agent, address, "disk", "warning")
    assert health() == "healthy"
    registry.delete(key(), uid=made.uid, resource_version=made.resource_version)
    checks = consul.request("GET", f"/v1/health/node/{agent}")
    assert {(check["CheckID"], check["Status"]) for check in checks} == {("serfHealth", "passing"), ("disk", "warning")}


def test_a_subscriber_hears_what_others_write(connect: Connect, registry: VMRegistry) -> None:
    """A change by another process calls it, the next observation shows it, and a bug in one listener silences nobody."""
    told = threading.Event()

    def fail() -> None:
        raise KeyError("a bug")

    registry.subscribe(fail)
    registry.subscribe(told.set)
    registry.observe()
    for number in range(2):
        connect().put(record(f"vm-{number}"))
        assert told.wait(SOON)
        told.clear()
    assert registry.observe().machines.keys() == {key("vm-0"), key("vm-1")}


def test_what_is_hidden_from_our_token_does_not_look_gone(
    consul: Consul, connect: Connect, registry: VMRegistry, tmp_path: Path
) -> None:
    """A token that may not read all nodes sees none of our records; that is no empty registry. An unknown one sees nothing."""
    registry.put(record())
    blind = connect(token_file=consul.token('node "server" { policy = "read" }', tmp_path))
    with pytest.raises(Unavailable, match="hides a part of its catalog"):
        blind.observe()
    unknown = tmp_path / "unknown"
    unknown.write_text("00000000-0000-4000-8000-00000000dead")
    with pytest.raises(Rejected, match="ACL not found") as rejected:
        connect(token_file=unknown).observe()
    assert "dead" not in str(rejected.value)


def test_the_rights_that_the_readme_names_suffice(
    consul: Consul, connect: Connect, registry: VMRegistry, target: str, tmp_path: Path
) -> None:
    """With less, reads work as before and a write is refused with Consul's reason."""
    registry.put(record())
    reader = connect(token_file=consul.token(READ_ALL, tmp_path))
    assert reader.observe().machines == registry.observe().machines
    with pytest.raises(Rejected, match=r"refuses the write: .*[Pp]ermission denied"):
        reader.put(record("vm-2"))
    write_ours = f'node_prefix "mesh-reconciler.{target}." {{ policy = "write" }}'
    writer = connect(token_file=consul.token(f"{write_ours} {READ_ALL}", tmp_path))
    made = writer.put(record("vm-2"))
    writer.report(made.key, {"health": "healthy"})
    writer.delete(made.key, uid=made.uid, resource_version=made.resource_version)
    assert registry.observe().machines.keys() == {key()}


def test_a_consul_that_was_set_back_to_yesterday(consul: Consul, registry: ConsulRegistry) -> None:
    """Its indexes go back and the watch begins anew; what was decided today is refused, and today's epochs are spent."""
    old = registry.put(record())
    yesterday = consul.snapshot()
    today = registry.put(record(address="10.0.0.2"), uid=old.uid)
    registry.put(record("vm-2"))
    told = threading.Event()
    registry.subscribe(told.set)
    assert becomes(lambda: all(watch.tells_all for watch in registry._watches))
    assert len(registry.observe().machines) == 2
    consul.restore(yesterday)
    assert told.wait(SOON)
    assert registry.observe().machines == {key(): old}
    with pytest.raises(Conflict, match="has changed"):
        registry.put(record(address="10.0.0.3"), uid=today.uid, resource_version=today.resource_version)
    tomorrow = registry.put(record(address="10.0.0.3"), uid=old.uid, resource_version=old.resource_version)
    assert int(tomorrow.resource_version) > int(today.resource_version)
