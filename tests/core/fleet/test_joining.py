"""Tokens and joins: one use, one workload, one address; a rebuilt VM fences the one before it."""

from datetime import timedelta

import pytest

from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.values import AgentState, Presence
from reconciler.core.records import Health
from tests.core.fleet.fleets import HOUR, MINUTE, SECOND, SIGNER, FleetWorld, Vm, key


@pytest.fixture
def world() -> FleetWorld:
    """Return an empty fleet."""
    return FleetWorld()


def refusal(code: Refusal) -> "pytest.RaisesExc[Refused]":
    """Return what expects this refusal."""
    return pytest.RaisesExc(Refused, check=lambda error: error.code is code)


@pytest.mark.case("V-02")
def test_a_token_is_good_once_and_for_a_time(world: FleetWorld) -> None:
    """Used, expired, withdrawn and unknown ones are told apart; none of them changes anything."""
    token, late = world.token(), world.token("vm-2")
    world.join(Vm(), token)
    before = world.version
    with refusal(Refusal.TOKEN_USED):
        world.join(Vm(address="10.0.0.2"), token)
    world.now += HOUR
    with refusal(Refusal.TOKEN_EXPIRED):
        world.join(Vm(address="10.0.0.2"), late)
    with refusal(Refusal.TOKEN_UNKNOWN):
        world.join(Vm(address="10.0.0.2"), "mrj1_guessed")
    assert world.version == before


@pytest.mark.case("V-02")
def test_of_a_token_only_its_hash_is_kept(world: FleetWorld) -> None:
    """Who reads the database or the audit log can join nothing."""
    text = world.token()
    assert text not in repr((world.roster.tokens, world.audit))


@pytest.mark.case("V-01")
def test_a_token_gives_its_own_workload_and_no_other(world: FleetWorld) -> None:
    """What joins is what the token says; the incumbent of another name is untouched."""
    incumbent = world.newcomer("vm-1", "10.0.0.1")
    world.newcomer("vm-2", "10.0.0.2")
    assert world.workload("vm-1").agent == SIGNER.read(incumbent.credential).agent
    assert world.beat(incumbent) == ""


@pytest.mark.case("V-01")
def test_the_address_of_a_vm_that_lives_is_not_given_away(world: FleetWorld) -> None:
    """Neither to one that joins nor to one that moves there; the incumbent is untouched, and the token is not used up."""
    incumbent, token, other = world.newcomer("vm-1", "10.0.0.1"), world.token("vm-2"), world.newcomer("vm-3", "10.0.0.3")
    with refusal(Refusal.ADDRESS_NOT_ALLOWED):
        world.join(Vm(address="10.0.0.1"), token)
    other.address = "10.0.0.1"
    with refusal(Refusal.ADDRESS_NOT_ALLOWED):
        world.beat(other)
    world.beat(incumbent)
    assert world.workload("vm-1").health is Health.HEALTHY
    world.join(Vm(address="10.0.0.2"), token)


@pytest.mark.case("V-13")
def test_an_address_that_is_used_again_leaves_its_old_owner_first(world: FleetWorld) -> None:
    """The silent one is out of the mesh in the very write that lets the new one in, though no sweep has come by."""
    world.newcomer("vm-1", "10.0.0.1")
    world.now += world.pace.lease
    world.newcomer("vm-2", "10.0.0.1")
    assert world.workload("vm-1").presence is Presence.LOST
    assert world.workload("vm-2").presence is Presence.PRESENT


def test_a_rebuilt_vm_fences_the_one_before_it(world: FleetWorld) -> None:
    """The new token raises the epoch; the old credential is worth nothing from then on, and takes nothing with it."""
    old = world.newcomer()
    world.beat(old)
    new = world.newcomer()
    assert world.workload().epoch == 2
    with refusal(Refusal.CREDENTIAL_UNKNOWN):
        world.beat(old)
    world.beat(new)
    assert world.roster.agents[SIGNER.read(old.credential).agent].state is AgentState.FENCED
    assert world.roster.fleet.recovering is None


def test_one_credential_serves_many_workloads(world: FleetWorld) -> None:
    """A join that shows a credential adds to it; the old one is good until the new one was used."""
    vm = world.newcomer("vm-1")
    first = vm.credential
    world.join(vm, world.token("vm-1-admin"))
    assert {one.name for one in SIGNER.read(vm.credential).claims} == {"vm-1", "vm-1-admin"}
    world.beat(Vm(first))
    world.beat(vm, Health.UNHEALTHY, "down")
    assert world.workload("vm-1").health is world.workload("vm-1-admin").health is Health.UNHEALTHY


def test_a_vm_that_loses_one_of_two_workloads_keeps_the_other(world: FleetWorld) -> None:
    """Fenced is a name, not a VM, while it has another one; the credential that it gets says so."""
    vm = world.newcomer("vm-1")
    world.join(vm, world.token("vm-2"))
    world.beat(vm)
    world.newcomer("vm-2", "10.0.0.2")
    assert world.beat(vm)
    assert [one.name for one in SIGNER.read(vm.credential).claims] == ["vm-1"]


def test_a_vm_that_was_off_for_long_comes_back_by_its_own_credential(world: FleetWorld) -> None:
    """Credentials do not expire: a restart, or a month in a drawer, needs no new token."""
    vm = world.newcomer()
    world.beat(vm)
    world.now += timedelta(days=30)
    world.since = world.now - HOUR
    assert [one.name for one in world.sweep()] == ["vm-1"]
    world.beat(vm)
    assert world.workload().presence is Presence.PRESENT
    assert world.workload().epoch == 1


def test_a_join_with_a_credential_that_is_no_longer_good_makes_a_new_vm(world: FleetWorld) -> None:
    """A person gave a new token because the old credential was locked: it must not stand in the way, nor be used again."""
    vm = world.newcomer()
    before = SIGNER.read(vm.credential).agent
    world.newcomer(address="10.0.0.2")
    world.join(vm, world.token("vm-9"))
    assert SIGNER.read(vm.credential).agent != before


def test_a_drained_vm_that_is_rebuilt_stays_drained(world: FleetWorld) -> None:
    """A person took the name out of service; a new machine behind it does not put it back."""
    from reconciler.core.fleet.operating import drain

    world.newcomer()
    world.store(drain(world.roster, key(), "ann", world.now, draining=True))
    world.newcomer()
    assert world.workload().draining


def test_a_token_s_life_has_an_end(world: FleetWorld) -> None:
    """None that lives for ever is issued, and none that is dead at birth."""
    for life in (timedelta(0), timedelta(days=8)):
        with refusal(Refusal.INVALID):
            world.token(life=life)
    world.token(life=MINUTE + SECOND)
