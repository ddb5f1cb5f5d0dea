"""Leases and the sweep: exactly who is silent is lost, never because of what we could not hear."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.fleet import operating
from reconciler.core.fleet.admission import Admission, admit
from reconciler.core.fleet.beating import Report, beat
from reconciler.core.fleet.leases import LAG, Pace, Tick, deadline, interrupted
from reconciler.core.fleet.operating import drain
from reconciler.core.fleet.refusals import Refused
from reconciler.core.fleet.values import Presence, Sign, reason_of
from reconciler.core.records import Health
from reconciler.errors import InvalidInput
from tests.core.fleet.fleets import HOUR, MINUTE, NOON, SECOND, SIGNER, FleetWorld, Vm, key


@pytest.fixture
def world() -> FleetWorld:
    """Return an empty fleet."""
    return FleetWorld()


def fleet(world: FleetWorld, count: int, namespace: str = "shop") -> list[Vm]:
    """Let so many VMs join and report that they are well."""
    vms = [world.newcomer(f"vm-{n}", f"10.{len(namespace)}.{n // 250}.{n % 250}", namespace) for n in range(count)]
    for vm in vms:
        world.beat(vm)
    return vms


@given(
    lease=st.integers(25, 120),
    sweep=st.integers(2, 20),
    phase=st.floats(0, 1, exclude_max=True),
    beats=st.lists(st.floats(1, 20), max_size=5),
)
def test_an_agent_is_lost_between_its_lease_and_its_lease_and_a_sweep(
    lease: int, sweep: int, phase: float, beats: list[float]
) -> None:
    """Never sooner, never later, wherever the sweeps fall and whenever it was last heard (Eureka adds its lease twice)."""
    pace = Pace(lease=timedelta(seconds=lease), sweep=timedelta(seconds=sweep))
    world = FleetWorld(pace=pace)
    vm = world.newcomer()
    for pause in beats:
        world.now += timedelta(seconds=pause)
        world.beat(vm)
    heard, every = world.now, LAG * pace.tick
    world.now += phase * every
    while not world.sweep():
        world.now += every
    assert pace.lease <= world.now - heard <= pace.lease + pace.sweep


@pytest.mark.case("V-04")
def test_what_is_lost_comes_back_by_a_beat_and_what_is_revoked_does_not(world: FleetWorld) -> None:
    """A late heartbeat of a VM that is merely lost brings it back; no heartbeat brings back what a person took away."""
    vm, other, third = fleet(world, 3)
    world.now += HOUR
    world.beat(other)
    world.beat(third)
    assert [one.name for one in world.sweep()] == ["vm-0"]
    world.beat(vm)
    assert world.workload("vm-0").presence is Presence.PRESENT
    world.store(operating.revoke(world.roster, world.silence, key("vm-1"), "ann", world.now))
    with pytest.raises(Refused, match="needs a new join token"):
        world.beat(other)
    assert world.workload("vm-1").presence is Presence.LEFT


@pytest.mark.case("V-12")
def test_a_revoked_vm_is_out_at_once(world: FleetWorld) -> None:
    """Its workloads leave in the write that takes its rights."""
    fleet(world, 3)
    world.store(operating.revoke(world.roster, world.silence, key("vm-1"), "ann", world.now))
    assert world.workload("vm-1").presence is Presence.LEFT
    assert world.actions()[-1] == "revoke"


@pytest.mark.case("V-12")
def test_a_revoked_vm_is_drained_until_another_joins_as_it(world: FleetWorld) -> None:
    """Its condition would take it out only where its health counts; that it was silent for long changes nothing."""
    vms = fleet(world, 3)
    world.now += HOUR
    world.beat(vms[0])
    world.beat(vms[2])
    world.sweep()
    world.store(operating.drain(world.roster, key("vm-2"), "bob", world.now, draining=True))
    drained = world.workload("vm-2").drain
    for name in ("vm-1", "vm-2"):
        world.store(operating.revoke(world.roster, world.silence, key(name), "ann", world.now))
    revoked = world.workload("vm-1")
    assert (revoked.presence, revoked.draining, revoked.drain and revoked.drain.by) == (Presence.LOST, True, "ann")
    assert world.workload("vm-2").drain == drained
    world.newcomer("vm-1", "10.0.0.9")
    assert (world.workload("vm-1").draining, world.workload("vm-1").drain) == (False, None)


@pytest.mark.case("V-06")
def test_when_many_vanish_at_once_one_goes_and_the_others_are_held(world: FleetWorld) -> None:
    """Of forty of a hundred only the floor is lost; who is held is listed, one event is told once."""
    vms = fleet(world, 100)
    world.now += world.pace.lease + world.pace.sweep
    for vm in vms[40:]:
        world.beat(vm)
    assert len(world.sweep()) == 1
    for _ in range(5):
        assert world.sweep() == []
    assert set(world.roster.fleet.tripped) == {"all", "namespace/shop"}
    assert world.actions().count("brake-holds") == 2


def test_few_of_many_are_lost_without_a_brake(world: FleetWorld) -> None:
    """Fifteen of a hundred may go within the window, one more may not."""
    vms = fleet(world, 100)
    world.now += world.pace.lease + world.pace.sweep
    for vm in vms[15:]:
        world.beat(vm)
    assert len(world.sweep()) == 15
    world.now += 2 * world.pace.lease
    for vm in vms[16:]:
        world.beat(vm)
    assert world.sweep() == []
    assert "namespace/shop" in world.roster.fleet.tripped


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_one_dead_vm_of_a_small_fleet_is_lost(world: FleetWorld, count: int) -> None:
    """Fifteen percent of four is none: the floor keeps a brake from freezing it for ever (Eureka's does up to six)."""
    vms = fleet(world, count)
    world.now += world.pace.lease + world.pace.sweep
    for vm in vms[1:]:
        world.beat(vm)
    assert [one.name for one in world.sweep()] == ["vm-0"]
    assert not world.roster.fleet.tripped


def test_a_small_fleet_is_not_emptied(world: FleetWorld) -> None:
    """All three fall silent: one is lost, two are held however long it takes."""
    fleet(world, 3)
    for _ in range(50):
        world.now += MINUTE
        world.sweep()
    assert sum(one.presence is Presence.PRESENT for one in world.roster.workloads.values()) == 2


def test_a_brake_holds_its_own_scope_only(world: FleetWorld) -> None:
    """A locality that is cut off is held; a single death elsewhere is a death."""
    vms = fleet(world, 40)
    world.localities |= {key(f"vm-{n}"): "eu-1" if n < 5 else "eu-2" for n in range(40)}
    world.now += world.pace.lease + world.pace.sweep
    for vm in vms[5:39]:
        world.beat(vm)
    lost = {one.name for one in world.sweep()}
    assert lost == {"vm-0", "vm-39"} or (len(lost) == 2 and "vm-39" in lost)
    assert set(world.roster.fleet.tripped) == {"locality/eu-1"}


def test_a_brake_ends_by_itself_when_all_are_back(world: FleetWorld) -> None:
    """The network was away; everybody is well, and nobody had to do anything."""
    vms = fleet(world, 50)
    world.now += HOUR
    world.sweep()
    assert world.roster.fleet.tripped
    for vm in vms:
        world.beat(vm)
    world.sweep()
    assert not world.roster.fleet.tripped
    assert world.actions().count("brake-ended") == 2


def test_a_person_releases_a_brake(world: FleetWorld) -> None:
    """Those that are held are lost then, and count against no brake after that."""
    vms = fleet(world, 50)
    world.now += HOUR
    for vm in vms[20:]:
        world.beat(vm)
    world.sweep()
    world.store(operating.release(world.roster, world.silence, "all", "ann", world.now))
    assert sum(one.presence is Presence.LOST for one in world.roster.workloads.values()) == 20
    assert not world.roster.fleet.tripped
    world.now += world.pace.lease + world.pace.sweep
    for vm in vms[21:]:
        world.beat(vm)
    assert [one.name for one in world.sweep()] == ["vm-20"]


def test_a_planned_scale_down_trips_nothing(world: FleetWorld) -> None:
    """What was drained before it fell silent counts nowhere, however many they are."""
    vms = fleet(world, 40)
    for n in range(30):
        world.store(drain(world.roster, key(f"vm-{n}"), "ann", world.now, draining=True))
    world.now += world.pace.lease + world.pace.sweep
    for vm in vms[30:]:
        world.beat(vm)
    assert len(world.sweep()) == 30
    assert not world.roster.fleet.tripped


def test_what_git_has_dropped_goes_without_a_brake(world: FleetWorld) -> None:
    """A scale-down takes VMs out of Git, then away: however many they are, and they take no room from the others."""
    vms = fleet(world, 40)
    for n in range(30):
        del world.localities[key(f"vm-{n}")]
    world.now += world.pace.lease + world.pace.sweep
    for vm in vms[31:]:
        world.beat(vm)
    assert len(world.sweep()) == 31
    assert not world.roster.fleet.tripped


@pytest.mark.case("V-14")
def test_a_mass_goodbye_is_silence_that_the_brake_holds(world: FleetWorld) -> None:
    """Agents that say goodbye all at once leave only as many as may be lost; the others stay until a person decides."""
    vms = fleet(world, 40)
    for vm in vms:
        agent = world.roster.agents[world.workload(f"vm-{vms.index(vm)}").agent]
        world.store(operating.leave(world.roster, world.silence, Admission(agent), world.now))
    present = [one for one in world.roster.workloads.values() if one.presence is Presence.PRESENT]
    assert len(present) == 34


@pytest.mark.case("V-14")
def test_an_operator_s_token_revokes_no_fleet(world: FleetWorld) -> None:
    """Whoever has stolen it is stopped by the brake, and told by which."""
    fleet(world, 40)
    for n in range(6):
        world.store(operating.revoke(world.roster, world.silence, key(f"vm-{n}"), "eve", world.now))
    with pytest.raises(Refused, match="the brake of all, namespace/shop holds"):
        operating.revoke(world.roster, world.silence, key("vm-6"), "eve", world.now)


@pytest.mark.case("V-07")
def test_after_our_own_outage_every_lease_begins_anew(world: FleetWorld) -> None:
    """An hour without us is held against nobody; who stays silent for a full lease after it is lost."""
    vm, _ = fleet(world, 2)
    world.now += HOUR
    world.since = world.now
    assert world.sweep() == []
    world.now += world.pace.lease
    world.beat(vm)
    assert world.sweep() == []
    world.now += world.pace.sweep
    assert [one.name for one in world.sweep()] == ["vm-1"]


@pytest.mark.case("K-01")
@pytest.mark.parametrize("jump", [timedelta(days=1), -timedelta(days=1)])
def test_a_clock_that_jumps_is_noticed_and_loses_nobody(jump: timedelta) -> None:
    """Forward or back: wall and monotonic clock part, and leases begin anew; a sign from the future is no life insurance."""
    pace = Pace()
    assert interrupted(Tick(NOON, 100.0), Tick(NOON + jump + SECOND, 101.0), pace.sweep)
    assert not interrupted(Tick(NOON, 100.0), Tick(NOON + SECOND, 101.0), pace.sweep)
    now = NOON + jump
    assert deadline(Sign(NOON, pace.lease), now, now, pace) == now + pace.lease


@pytest.mark.case("K-05")
def test_a_pause_is_noticed(world: FleetWorld) -> None:
    """Both clocks went on without us."""
    assert interrupted(Tick(NOON, 0.0), Tick(NOON + MINUTE, 60.0), world.pace.sweep)


@pytest.mark.case("V-05")
def test_a_larger_fleet_beats_slower_and_leases_stretch_with_it() -> None:
    """What the server cannot take in time it does not ask for, and does not hold against anybody."""
    pace = Pace(beats=100)
    assert pace.next_in(1000) == pace.heartbeat
    assert pace.next_in(4000) == 4 * pace.heartbeat
    assert pace.lease_for(pace.next_in(4000)) == 4 * pace.lease


def test_a_lease_that_one_lost_beat_would_end_is_refused() -> None:
    """At load of the settings, not in the night."""
    with pytest.raises(InvalidInput, match="as long as two late heartbeats"):
        Pace(lease=timedelta(seconds=20))


@pytest.mark.case("V-08")
def test_a_vm_that_flaps_is_held_out_until_it_is_calm(world: FleetWorld) -> None:
    """The third fall within minutes keeps it out; the mesh sees few changes, and why."""
    vm = world.newcomer()
    changes, before = 0, Health.UNKNOWN
    for number in range(60):
        world.now += world.pace.heartbeat
        world.beat(vm, Health.UNHEALTHY if number % 2 else Health.HEALTHY, "probe failed")
        changes += world.workload().health is not before
        before = world.workload().health
    assert changes <= 8
    assert world.workload().damping.held_out
    world.beat(vm)
    assert (world.workload().health, world.workload().reported) == (Health.UNHEALTHY, Health.HEALTHY)
    assert "flaps" in reason_of(world.workload())
    calm: datetime | None = None
    for _ in range(200):
        world.now += world.pace.heartbeat
        world.beat(vm)
        if world.workload().health is Health.HEALTHY:
            calm = world.now
            break
    assert calm is not None


def test_a_calm_vm_is_not_written_again_and_again(world: FleetWorld) -> None:
    """A thousand beats that say the same are no write at all."""
    vm = world.newcomer()
    world.beat(vm, Health.UNHEALTHY, "probe failed")
    before = world.version
    for _ in range(100):
        world.now += SECOND
        world.beat(vm, Health.UNHEALTHY, "probe failed")
    assert world.version == before


def test_what_an_agent_leaves_out_is_as_it_was(world: FleetWorld) -> None:
    """One that has just started has no verdict yet; that it is alive again is all that it says."""
    vm, _ = fleet(world, 2)
    world.now += world.pace.lease + world.pace.sweep
    world.beat(_)
    world.sweep()
    credential = world.roster.agents[world.workload("vm-0").agent]
    world.store(beat(world.roster, Admission(credential), Report({}, vm.address, {}), world.now, world.is_silent))
    back = world.workload("vm-0")
    assert (back.presence, back.health, back.reason) == (Presence.PRESENT, Health.HEALTHY, "")


def test_a_goodbye_by_a_new_credential_is_one_too(world: FleetWorld) -> None:
    """The first use of a successor rotates and takes the workloads out, in one write."""
    vm, _ = fleet(world, 2)
    world.now += world.pace.rotate
    assert world.beat(vm)
    admission = admit(world.roster, SIGNER.read(vm.credential), world.now)
    world.store(operating.leave(world.roster, world.silence, admission, world.now))
    assert world.workload("vm-0").presence is Presence.LEFT
    assert world.roster.agents[world.workload("vm-0").agent].counter == 2
