"""A registry that was restored from a backup: its agents know more than it does."""

import pytest

from reconciler.core.fleet import operating
from reconciler.core.fleet.audit import Entry, Mark, broken_at, linked
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.roster import Roster
from reconciler.core.fleet.values import AgentState, Presence, Row, Workload
from reconciler.core.records import Health
from tests.core.fleet.fleets import HOUR, NOON, SECOND, SIGNER, FleetWorld, Vm


def dump(world: FleetWorld) -> tuple[Row, ...]:
    """Return a backup of all rows."""
    roster = world.roster
    return (*roster.tokens.values(), *roster.agents.values(), *roster.workloads.values(), roster.fleet)


def restore(world: FleetWorld, rows: tuple[Row, ...]) -> None:
    """Put a backup in place of the record; the server was started again for it."""
    world.roster, world.signs, world.since = Roster(rows), {}, world.now


@pytest.mark.case("S-04", "V-07")
def test_yesterdays_dump_under_two_hundred_agents_that_rotate(subtests: pytest.Subtests) -> None:
    """Nobody is locked, nothing flips, nothing expires, though some have rotated often and some have joined since.

    While it recovers nobody joins, and a person ends it. Then silence counts again, and so does a copy.
    """
    world = FleetWorld()
    vms = [world.newcomer(f"vm-{n}", f"10.0.0.{n}") for n in range(200)]
    for vm in vms:
        world.beat(vm)
    unused = world.token("vm-999", life=7 * 24 * HOUR)
    backup = dump(world)
    for hour in range(24):
        world.now += HOUR
        for vm in vms[hour:]:
            world.beat(vm)
            world.beat(vm)
        if hour == 12:
            vms += [world.newcomer(f"late-{n}", f"10.0.1.{n}") for n in range(10)]
    spent = Vm(address="10.0.2.1")
    world.join(spent, unused)
    healths = {one.key: one.health for one in backup if isinstance(one, Workload)}
    restore(world, backup)
    for second in range(0, 3600, 10):
        world.now += 10 * SECOND
        for vm in vms[second // 10 % 5 :: 5]:
            world.beat(vm)
        assert world.sweep() == []
    with subtests.test("nothing has left, nobody is locked"):
        assert world.roster.fleet.recovering
        assert {one.key: one.health for one in world.roster.workloads.values() if one.name.startswith("vm")} == healths
        assert all(one.presence is Presence.PRESENT for one in world.roster.workloads.values())
        assert {one.state for one in world.roster.agents.values()} == {AgentState.ACTIVE}
        assert len(world.roster.workloads) == 210
    with subtests.test("a used token that looks unused is of no use"):
        with pytest.raises(Refused) as refused:
            world.join(Vm(address="10.0.9.9"), unused)
        assert refused.value.code is Refusal.RECOVERING
    meanwhile = world.token("vm-1000")
    world.store(operating.end_recovery(world.roster, "ann", world.now))
    world.since = world.now
    with subtests.test("nor is it afterwards"):
        with pytest.raises(Refused) as refused:
            world.join(Vm(address="10.0.9.9"), unused)
        assert refused.value.code is Refusal.TOKEN_UNKNOWN
    with subtests.test("all go on by their own credentials"):
        for vm in vms:
            world.beat(vm)
        assert all(one.health is Health.HEALTHY for one in world.roster.workloads.values())
    with subtests.test("silence counts again"):
        world.now += world.pace.lease + world.pace.sweep
        for vm in vms[1:]:
            world.beat(vm)
        assert [one.name for one in world.sweep()] == ["vm-0"]
    with subtests.test("a token that was issued meanwhile is good"):
        world.join(Vm(address="10.0.3.1"), meanwhile)
        assert world.workload("vm-1000").epoch == 1


def test_an_empty_registry_takes_its_agents_back() -> None:
    """A record that is lost altogether comes back from the credentials: names, epochs, counters."""
    world = FleetWorld()
    vm = world.newcomer()
    world.join(vm, world.token("vm-2"))
    world.beat(vm)
    restore(world, ())
    world.beat(vm)
    assert {one.name: one.epoch for one in world.roster.workloads.values()} == {"vm-1": 1, "vm-2": 1}
    assert world.actions().count("recovering") == 1


def test_a_member_of_a_group_comes_back_as_one() -> None:
    """Its credential says of which group; when it joined nobody knows any more."""
    world = FleetWorld()
    vm = Vm(address="10.0.0.7")
    world.join(vm, world.token("", networks=("10.0.0.0/24",), group="web"))
    world.beat(vm)
    restore(world, ())
    world.now += HOUR
    world.beat(vm)
    member = world.workload("web-10-0-0-7")
    assert (member.group, member.epoch, member.joined) == ("web", 1, world.now)


def test_a_fenced_agent_that_comes_back_first_does_not_keep_the_name() -> None:
    """Both claim the name after the record was lost; the later join wins, whoever speaks first."""
    world = FleetWorld()
    old = world.newcomer()
    new = world.newcomer(address="10.0.0.2")
    restore(world, ())
    world.beat(old)
    world.beat(new)
    world.beat(old)
    assert world.workload().epoch == 2
    assert len(world.roster.of(world.workload().agent)) == 1
    assert world.roster.agents[world.workload().agent].counter == 1


def test_in_a_recovery_a_superseded_credential_locks_nobody() -> None:
    """It is refused, and that is all: the record is not one to lock somebody by."""
    world = FleetWorld()
    vm = world.newcomer()
    world.beat(vm)
    other = world.newcomer("vm-2", "10.0.0.2")
    backup = dump(world)
    for _ in range(3):
        world.now += HOUR
        copy = Vm(vm.credential, vm.address)
        for one in (vm, other):
            world.beat(one)
            world.beat(one)
    restore(world, backup)
    world.beat(other)
    world.beat(vm)
    with pytest.raises(Refused) as refused:
        world.beat(copy)
    assert refused.value.code is Refusal.CREDENTIAL_UNKNOWN
    world.beat(vm)


def test_only_a_recovery_that_is_under_way_is_ended() -> None:
    """A person who is late hears so."""
    world = FleetWorld()
    with pytest.raises(Refused, match="is not recovering"):
        operating.end_recovery(world.roster, "ann", world.now)


@pytest.mark.case("S-06")
def test_an_audit_log_that_was_touched_shows_where() -> None:
    """An entry changed, taken out or put in breaks the chain at its place."""
    links = linked((Entry(NOON, "ann", "drain", f"vm-{n}") for n in range(5)), Mark())
    assert broken_at(links) is None
    changed = Entry(NOON, "bob", "drain", "vm-2")
    assert broken_at((*links[:2], *linked([changed], links[1].mark), *links[3:])) == 4
    assert broken_at((*links[:2], *links[3:])) == 3
    assert broken_at((links[0], links[0], *links[1:])) == 2
    assert broken_at(links[2:], links[1].mark) is None


def test_one_that_turns_up_after_the_recovery_takes_nothing_from_its_successor() -> None:
    """It was away while the record recovered, and its name was given anew with the same epoch: that stays where it is."""
    world = FleetWorld()
    world.newcomer()
    backup = dump(world)
    away = world.newcomer(address="10.0.0.2")
    restore(world, backup)
    new = world.newcomer(address="10.0.0.3")
    assert world.workload().epoch == SIGNER.read(away.credential).claims[0].epoch
    world.beat(away)
    assert world.workload().agent == SIGNER.read(new.credential).agent
