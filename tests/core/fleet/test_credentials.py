"""Credentials: nobody else can make one, and a copy betrays itself."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.fleet.credentials import MOST, Claim, Credential, Signer
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.values import AgentState, Presence
from reconciler.core.records import Health
from tests.core.fleet.fleets import HOUR, SIGNER, FleetWorld, Vm

CREDENTIAL = Credential("a1", 7, "n1", (Claim("shop", "vm-1", 3),), ("10.0.0.0/8",))


@pytest.fixture
def world() -> FleetWorld:
    """Return an empty fleet."""
    return FleetWorld()


def test_a_credential_comes_back_as_it_was() -> None:
    """What was signed is read, by any of our keys: so keys are exchanged."""
    text = SIGNER.text(CREDENTIAL)
    assert SIGNER.read(text) == CREDENTIAL
    assert Signer("production", (b"new" * 11, *SIGNER.keys)).read(text) == CREDENTIAL


@pytest.mark.parametrize("signer", [Signer("production", (b"x" * 32,)), Signer("staging", SIGNER.keys)], ids=["key", "target"])
def test_a_credential_of_another_key_or_target_is_none(signer: Signer) -> None:
    """Two targets may share a key, and still keep their VMs apart."""
    with pytest.raises(Refused):
        signer.read(SIGNER.text(CREDENTIAL))


def test_a_payload_that_was_changed_is_refused() -> None:
    """The counter cannot be raised by hand."""
    form, payload, signature = SIGNER.text(CREDENTIAL).split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    said[1] += 1
    changed = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    with pytest.raises(Refused):
        SIGNER.read(f"{form}.{changed}.{signature}")


@given(st.one_of(st.text(max_size=60), st.text(max_size=60).map(lambda text: f"mrc1.{text}")))
@pytest.mark.case("V-02")
def test_no_text_but_ours_is_a_credential(text: str) -> None:
    """Whatever somebody sends is refused as unknown, never a crash."""
    with pytest.raises(Refused) as refused:
        SIGNER.read(text)
    assert refused.value.code is Refusal.CREDENTIAL_UNKNOWN


@pytest.mark.parametrize(("workloads", "name"), [(MOST + 1, "vm-{}"), (50, "{:x<253}")])
def test_a_credential_has_only_as_many_workloads_as_fit(workloads: int, name: str) -> None:
    """By their number, and by the length of their names; what is let through can be read when its numbers have grown."""
    claims = tuple(Claim("shop", name.format(number), 1) for number in range(workloads))
    with pytest.raises(Refused, match="as many workloads as one agent can"):
        SIGNER.check_fits(Credential("a1", 1, "n", claims))
    few = Credential("a1", 1, "n", claims[:40])
    SIGNER.check_fits(few)
    assert SIGNER.read(SIGNER.text(replace(few, counter=10**9))).claims == few.claims


def rotated(world: FleetWorld, vm: Vm) -> None:
    """Let a VM get a successor and use it."""
    world.now += world.pace.rotate
    assert world.beat(vm)
    world.beat(vm)


def test_a_successor_is_given_until_it_is_used(world: FleetWorld) -> None:
    """An answer that is lost costs nothing: the old credential is good until the new one was used."""
    vm = world.newcomer()
    world.beat(vm)
    world.now += world.pace.rotate
    for _ in range(3):
        assert world.beat(vm, keeps=False)
    assert world.beat(vm)
    assert world.beat(vm) == ""


def test_two_copies_of_one_credential_lock_each_other_out(world: FleetWorld) -> None:
    """The superseded one betrays the copy: both lose their rights, the last health stays, and the operator is told."""
    vm = world.newcomer()
    world.beat(vm)
    copy = Vm(vm.credential, vm.address)
    rotated(world, vm)
    with pytest.raises(Refused) as refused:
        world.beat(copy)
    assert refused.value.code is Refusal.CREDENTIAL_COPIED
    with pytest.raises(Refused) as refused:
        world.beat(vm)
    assert refused.value.code is Refusal.CREDENTIAL_COPIED
    assert world.actions().count("credential-copied") == 1
    world.now += 10 * world.pace.lease
    assert world.sweep() == []
    assert (world.workload().health, world.workload().presence) == (Health.HEALTHY, Presence.PRESENT)


def test_two_copies_that_rotate_alike_part_ways(world: FleetWorld) -> None:
    """Both were given a successor before either used it: the right counter with the wrong nonce is a copy too."""
    vm = world.newcomer()
    world.beat(vm)
    copy = Vm(vm.credential, vm.address)
    world.now += world.pace.rotate
    assert world.beat(vm)
    assert world.beat(copy)
    world.beat(copy)
    with pytest.raises(Refused) as refused:
        world.beat(vm)
    assert refused.value.code is Refusal.CREDENTIAL_COPIED


def test_a_copy_at_another_address_is_found_out_within_two_beats(world: FleetWorld) -> None:
    """Whoever shows up elsewhere gets a successor at once, long before it is due."""
    vm = world.newcomer()
    world.beat(vm)
    copy = Vm(vm.credential, "10.0.0.66")
    world.beat(copy)
    world.beat(copy)
    with pytest.raises(Refused) as refused:
        world.beat(vm)
    assert refused.value.code is Refusal.CREDENTIAL_COPIED


def test_an_old_credential_is_refused_and_locks_nobody(world: FleetWorld) -> None:
    """What was superseded twice, as on a disk image of last week, is no proof of a copy in use."""
    vm = world.newcomer()
    world.beat(vm)
    image = Vm(vm.credential, vm.address)
    rotated(world, vm)
    rotated(world, vm)
    with pytest.raises(Refused) as refused:
        world.beat(image)
    assert refused.value.code is Refusal.CREDENTIAL_UNKNOWN
    world.beat(vm)
    assert "credential-copied" not in world.actions()


def test_a_new_token_takes_a_locked_vm_back(world: FleetWorld) -> None:
    """The way out that the refusal names."""
    vm = world.newcomer()
    world.beat(vm)
    copy = Vm(vm.credential, vm.address)
    rotated(world, vm)
    with pytest.raises(Refused):
        world.beat(copy)
    locked = world.workload().agent
    world.join(vm, world.token())
    world.now += HOUR
    world.beat(vm)
    assert world.roster.agents[locked].state is AgentState.FENCED
