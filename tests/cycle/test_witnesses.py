"""Health that others tell than a VM's own agent, in a cycle: Consul's checks, and probes from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from reconciler.adapters.memory_witness import MemoryChecks
from reconciler.core.health.brakes import Brake
from reconciler.core.health.codes import Code
from reconciler.core.health.conditions import Condition, Reason
from reconciler.core.health.sources import Source
from reconciler.core.health.witnesses import Patient
from reconciler.core.machines import GROUP_ANNOTATION
from reconciler.core.plans import GuardCode
from reconciler.core.records import Health, MachineStatus
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document, Key
from reconciler.cycle.run import Cycle
from reconciler.cycle.status import read_status
from tests.building import document
from tests.vms.scene import VM1, VM2, checked, report
from tests.worlds import TARGET, World, mixed

SOURCE = "mesh-reconciler.io/health"
GROUP = document("WorkloadGroup", "billing", spec={"template": {}, "probe": {"tcpSocket": {"port": 22}}})
#: Lets everybody go.
FREE = Brake(percent=100)


def by(source: str, entry: Document, **annotations: str) -> Document:
    """A WorkloadEntry whose health somebody else tells."""
    metadata = entry["metadata"]
    return {**entry, "metadata": {**metadata, "annotations": {**metadata["annotations"], SOURCE: source, **annotations}}}


def settle(world: World, process: Cycle) -> Report:
    """Serve until nothing is left to do."""
    for _ in range(6):
        found = world.serve(process)
        if not found.results:
            break
    return found


def condition(world: World, name: str) -> Condition | None:
    """The condition of a VM."""
    live = world.live("WorkloadEntry", name)
    assert live is not None
    return Condition.of(live.document)


def healthy(world: World) -> Mapping[str, bool | None]:
    """What the conditions of the VMs say."""
    found = {name: condition(world, name) for name in ("vm1", "vm2")}
    return {name: one.healthy if one else None for name, one in found.items()}


@pytest.fixture
def consul() -> MemoryChecks:
    """Consul, which knows both VMs and finds them well."""
    found = MemoryChecks()
    for number in (1, 2):
        found.check(f"10.0.0.{number}", "serfHealth", "passing")
    return found


@pytest.fixture
def world() -> World:
    """Two VMs behind billing whose health is Consul's to tell; their agents are heard of, too."""
    world = World()
    world.commit(mixed(by("consul", VM1), by("consul", VM2)))
    world.run()
    for name in ("vm1", "vm2"):
        report(world, name, "unhealthy")
    return world


def serving(world: World, consul: MemoryChecks, **more: Any) -> Cycle:
    """A process that asks Consul."""
    return world.process("serving:1", witnesses={Source.CONSUL: consul}, brake=FREE, **more)


def test_consuls_checks_take_a_vm_out_and_let_it_in(world: World, consul: MemoryChecks) -> None:
    """Its agent's word counts for nothing; the message says which check it was."""
    process = serving(world, consul)
    settle(world, process)
    assert healthy(world) == {"vm1": True, "vm2": True}
    assert process.nothing_new()
    consul.check("10.0.0.2", "disk", "critical")
    assert not process.nothing_new()
    settle(world, process)
    found = condition(world, "vm2")
    assert found
    assert (found.healthy, found.reason, "Consul's check disk" in found.message) == (False, Reason.REPORTED_UNHEALTHY, True)
    consul.check("10.0.0.2", "disk", "warning")
    settle(world, process)
    assert healthy(world) == {"vm1": True, "vm2": True}


def test_where_consul_is_away_nothing_is_concluded_and_git_goes_on(world: World, consul: MemoryChecks) -> None:
    """The report says so; who was out stays out."""
    process = serving(world, consul)
    consul.check("10.0.0.2", "disk", "critical")
    settle(world, process)
    before = healthy(world)
    consul.down = True
    world.commit(mixed(by("consul", VM1), by("consul", VM2), by("consul", checked("vm3", "10.0.0.3"))))
    found = settle(world, process)
    assert world.live("WorkloadEntry", "vm3")
    assert healthy(world) == before == {"vm1": True, "vm2": False}
    (problem,) = (one for one in found.problems if one.code is Code.UNHEARD)
    assert problem.message.endswith("nothing is concluded about them: Consul cannot be reached")
    assert process.nothing_new()
    consul.down = False
    assert not process.nothing_new()


def test_a_source_that_the_operator_has_not_named_says_so(world: World) -> None:
    """No condition is written for VMs about whom nobody can be asked."""
    found = world.run()
    assert (found.verdict, healthy(world)) == (Verdict.IN_SYNC, {"vm1": None, "vm2": None})
    (problem,) = (one for one in found.problems if one.code is Code.UNHEARD)
    assert "no Consul is named (consul.url)" in problem.message


def test_a_person_and_the_last_endpoint_count_as_ever(world: World, consul: MemoryChecks) -> None:
    """A drain takes out who is well by Consul; where all are ill by Consul nobody leaves."""
    process = serving(world, consul)
    settle(world, process)
    drained = {"health": "healthy", "address": "10.0.0.1", "draining": True}
    world.registry.report(Key("VirtualMachine", "shop", "vm1"), drained)
    settle(world, process)
    assert healthy(world) == {"vm1": False, "vm2": True}
    report(world, "vm1", "unhealthy")
    settle(world, process)
    for number in (1, 2):
        consul.check(f"10.0.0.{number}", "serfHealth", "critical")
    found = world.serve(process)
    assert {guard.code for guard in found.guards} == {GuardCode.LAST_ENDPOINT}
    assert healthy(world) == {"vm1": True, "vm2": True}


class Refusing(MemoryChecks):
    """Says of all VMs why it cannot say anything."""

    def testify(self, vms: Sequence[Patient]) -> Mapping[Key, MachineStatus]:
        """Return that nothing is known."""
        return {one.key: MachineStatus(reason="it cannot be probed from here: no") for one in vms}


def test_a_vm_that_cannot_be_probed_is_named() -> None:
    """Nothing is concluded about it, and every report says why."""
    world = World()
    world.commit([*mixed(by("probe", VM1, **{GROUP_ANNOTATION: "billing"})), GROUP])
    world.run()
    found = world.serve(world.process("serving:1", witnesses={Source.PROBE: Refusing()}))
    told = [(one.object, one.message) for one in found.problems if one.code is Code.UNPROBED]
    assert told == [
        ("WorkloadEntry shop/vm1", "nobody can tell whether it is well: it cannot be probed from here: no"),
    ]
    assert condition(world, "vm1") is None


def test_a_group_says_it_for_its_vms(consul: MemoryChecks) -> None:
    """With the service of Consul that is meant; another one on the same VM does not count."""
    world = World()
    group = document("WorkloadGroup", "billing", annotations={SOURCE: "consul", "mesh-reconciler.io/consul-service": "billing"})
    group["spec"] = {"template": {}}
    members = []
    for entry in (VM1, VM2):
        metadata = entry["metadata"]
        annotations = {**metadata["annotations"], GROUP_ANNOTATION: "billing"}
        members.append({**entry, "metadata": {**metadata, "annotations": annotations}})
    world.commit([*mixed(*members), group])
    process = serving(world, consul)
    consul.check("10.0.0.1", "web", "passing", "billing")
    consul.check("10.0.0.1", "cron", "critical", "reports")
    settle(world, process)
    assert healthy(world) == {"vm1": True, "vm2": None}


def member(number: int) -> Document:
    """A VM of the group, whose agent tells its health."""
    entry = checked(f"vm{number}", f"10.0.0.{number}")
    metadata = entry["metadata"]
    return {**entry, "metadata": {**metadata, "annotations": {**metadata["annotations"], GROUP_ANNOTATION: "billing"}}}


def silent(world: World, *numbers: int) -> None:
    """These VMs are silent past their leases, and a brake of the registry holds all of them."""
    for number in numbers:
        status = MachineStatus(f"10.0.0.{number}", Health.HEALTHY, held=True)
        world.registry.tell({Key("VirtualMachine", "shop", f"vm{number}"): status})


class TestHeldByTheRegistrysBrake:
    """Four VMs behind billing, whose agents tell their health; `probes` are what probes from here find."""

    @pytest.fixture
    def probes(self) -> MemoryChecks:
        """Nothing found yet."""
        return MemoryChecks()

    @pytest.fixture
    def world(self) -> World:
        """All of them well."""
        world = World()
        world.commit([*mixed(*map(member, range(1, 5))), GROUP])
        world.run()
        for number in range(1, 5):
            report(world, f"vm{number}", "healthy")
        return world

    @pytest.fixture
    def process(self, world: World, probes: MemoryChecks) -> Cycle:
        """A process with a brake of its own, which lets one of them go."""
        process = world.process("serving:1", witnesses={Source.PROBE: probes}, brake=Brake())
        settle(world, process)
        return process

    def out(self, world: World) -> set[int]:
        """Who gets no requests."""
        return {number for number in range(1, 5) if not getattr(condition(world, f"vm{number}"), "healthy", False)}

    def test_while_the_record_is_doubted_nobody_leaves(self, world: World, process: Cycle, probes: MemoryChecks) -> None:
        """That somebody is held may be what an older record says; once a person has ended the doubt it counts."""
        world.registry.serve(recovering=True)
        silent(world, 1)
        probes.check("10.0.0.1", "probe", "critical")
        settle(world, process)
        assert self.out(world) == set()
        world.registry.serve(recovering=False)
        settle(world, process)
        assert self.out(world) == {1}

    def test_whose_probe_fails_too_leaves_by_condition(self, world: World, process: Cycle, probes: MemoryChecks) -> None:
        """Whatever our own brake says; whose probe succeeds, or finds nothing yet, stays; who is heard of again comes back."""
        silent(world, 1, 2, 3)
        settle(world, process)
        assert self.out(world) == set()
        probes.check("10.0.0.1", "probe", "critical")
        probes.check("10.0.0.2", "probe", "critical")
        probes.check("10.0.0.3", "probe", "passing")
        settle(world, process)
        assert self.out(world) == {1, 2}
        found = condition(world, "vm1")
        assert found
        assert (found.reason, found.message.startswith("silent past its lease, and ")) == (Reason.UNREACHABLE, True)
        assert settle(world, process).verdict is Verdict.IN_SYNC
        report(world, "vm1", "healthy")
        settle(world, process)
        assert self.out(world) == {2}

    def test_whom_it_holds_is_in_every_report(self, world: World, process: Cycle) -> None:
        """As long as it does, in the status, too: their last word stands, and may be wrong."""
        silent(world, 1, 2, 3)
        for _ in range(2):
            (held,) = (one.message for one in settle(world, process).problems if one.code is Code.HELD)
            assert "by the brake of the registry's server: shop/vm1, shop/vm2, shop/vm3; look" in held
        status = read_status(TARGET, world.store, world.lease(), world.clock.now())
        assert any("release-brake" in text for _, text in status.rows())
        for number in (1, 2, 3):
            report(world, f"vm{number}", "healthy")
        assert not [one for one in settle(world, process).problems if one.code is Code.HELD]

    def test_the_last_endpoint_stays(self, world: World, process: Cycle, probes: MemoryChecks) -> None:
        """Where no probe gets through it is rather our network than their death."""
        silent(world, 1, 2, 3, 4)
        for number in range(1, 5):
            probes.check(f"10.0.0.{number}", "probe", "critical")
        found = settle(world, process)
        assert self.out(world) == set()
        assert {guard.code for guard in found.guards} == {GuardCode.LAST_ENDPOINT}

    def test_nobody_else_is_probed(self, world: World, process: Cycle, probes: MemoryChecks) -> None:
        """An agent that is heard of has the word, whatever a probe from here would find."""
        for number in range(1, 5):
            probes.check(f"10.0.0.{number}", "probe", "critical")
        assert settle(world, process).verdict is Verdict.IN_SYNC
        assert self.out(world) == set()
