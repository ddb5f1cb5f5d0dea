"""What is forgotten, and that nobody gets a right back by it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.fleet import operating
from reconciler.core.fleet.keeping import MOST, Keeping, agent_id, forgotten, is_forgotten, joined_at
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.roster import NOTHING, Decision
from reconciler.core.fleet.values import AgentState, Fleet, Token
from tests.core.fleet.fleets import HOUR, NOON, SIGNER, FleetWorld, Vm, key
from tests.core.fleet.test_recovery import dump, restore

DAY = timedelta(days=1)
KEEPING = Keeping(dead=30 * DAY)


def forget(world: FleetWorld) -> Decision:
    """Forget what is over, and return what that was."""
    decision = forgotten(world.roster, world.silence, KEEPING, world.now)
    world.store(decision)
    return decision


def revoked(world: FleetWorld, name: str = "vm-1") -> None:
    """A person takes all rights from a VM, and Git forgets it."""
    world.store(operating.revoke(world.roster, world.silence, key(name), "ann", world.now))
    world.localities.pop(key(name), None)


def test_tokens_go_a_while_after_their_end() -> None:
    """Used, withdrawn or only expired; one that is still good stays, and so does one that has just ended."""
    world = FleetWorld()
    world.newcomer()
    world.token("vm-2")
    world.now += 29 * DAY
    world.token("vm-3", life=7 * DAY)
    assert forget(world) == NOTHING
    world.now += 2 * DAY
    assert {row.name for row in forget(world).gone if isinstance(row, Token)} == {"vm-1", "vm-2"}
    assert [one.name for one in world.roster.tokens.values()] == ["vm-3"]
    assert world.audit[-1].detail == "2 tokens, 0 agents, 0 names"
    assert forget(world) == NOTHING


def test_an_agent_goes_once_it_is_dead_for_long_and_git_knows_none_of_its_names() -> None:
    """Revoked, or fenced by the VM that was built in its place; nobody else, however silent."""
    world = FleetWorld()
    for name, address in (("vm-1", "10.0.0.1"), ("vm-2", "10.0.0.2"), ("vm-3", "10.0.0.3")):
        world.newcomer(name, address)
    revoked(world)
    world.now += HOUR
    world.newcomer("vm-2", "10.0.0.2")
    world.store(operating.revoke(world.roster, world.silence, key("vm-2"), "ann", world.now))
    world.now += 31 * DAY
    before = {one.id: one.state for one in world.roster.agents.values()}
    forget(world)
    left = {one.id: one.state for one in world.roster.agents.values()}
    assert sorted(before[one] for one in before.keys() - left.keys()) == [AgentState.FENCED, AgentState.REVOKED]
    assert sorted(left.values()) == [AgentState.ACTIVE, AgentState.REVOKED]  # Git still knows vm-2
    assert {one.name for one in world.roster.workloads.values()} == {"vm-2", "vm-3"}


@pytest.mark.case("S-04", "V-12")
def test_a_credential_of_one_that_was_forgotten_opens_nothing() -> None:
    """It is unknown, and no sign of a restored backup: nothing recovers by it, and its name does not come back."""
    world = FleetWorld()
    vm = world.newcomer()
    revoked(world)
    world.now += 31 * DAY
    forget(world)
    with pytest.raises(Refused) as refused:
        world.beat(vm)
    assert refused.value.code is Refusal.CREDENTIAL_UNKNOWN
    assert (world.roster.fleet.recovering, dict(world.roster.workloads)) == (None, {})


@pytest.mark.case("S-04")
def test_agents_that_joined_since_a_backup_still_recover() -> None:
    """What is forgotten joined before all that any backup in use can lack."""
    world = FleetWorld()
    world.newcomer("old", "10.0.0.9")
    revoked(world, "old")
    world.now += 31 * DAY
    forget(world)
    backup = dump(world)
    vm = world.newcomer("vm-1", "10.0.0.1")
    restore(world, backup)
    world.beat(vm)
    assert world.roster.fleet.recovering
    assert key("vm-1") in world.roster.workloads
    assert forget(world) == NOTHING  # nothing is forgotten by a record that is not to be trusted


def test_much_goes_piece_by_piece() -> None:
    """No write is without bounds."""
    world = FleetWorld()
    for number in range(MOST + 5):
        world.token(f"vm-{number}")
    world.now += 40 * DAY
    assert [len(forget(world).gone) for _ in range(3)] == [MOST, 5, 0]


@given(st.integers(0, 2**40), st.integers(0, 2**64))
def test_an_id_says_when_its_agent_joined(seconds: int, salt: int) -> None:
    """To the second; ids from before ids said so say nothing, and are never forgotten."""
    at = NOON + timedelta(seconds=seconds % 10**9)
    name = agent_id(at, f"{salt:x}")
    assert joined_at(name) == at.replace(microsecond=0)
    assert joined_at(f"{salt:032x}") is None
    assert is_forgotten(Fleet(forgotten=at), name)
    assert not is_forgotten(Fleet(forgotten=at - timedelta(seconds=1)), name)
    assert not is_forgotten(Fleet(), name)
    assert not is_forgotten(Fleet(forgotten=at), f"{salt:032x}")


STEPS = st.lists(st.tuples(st.sampled_from(["join", "revoke", "wait", "forget", "beat"]), st.integers(1, 4)), max_size=30)


@given(STEPS)
def test_whoever_has_rights_keeps_them(steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order, forgetting neither takes a right nor gives one back, nor begins a recovery."""
    world = FleetWorld()
    vms: dict[int, Vm] = {}
    dead: list[Vm] = []
    for what, number in steps:
        name = f"vm-{number}"
        match what:
            case "join" if number not in vms:
                vms[number] = world.newcomer(name, f"10.0.0.{number}")
            case "revoke" if number in vms:
                world.beat(vms[number])
                revoked(world, name)
                dead.append(vms.pop(number))
            case "wait":
                world.now += number * 10 * DAY
            case "forget":
                forget(world)
            case "beat" if number in vms:
                world.beat(vms[number])
    for vm in dead:
        with pytest.raises(Refused):
            world.beat(vm)
    for number, vm in vms.items():
        world.beat(vm)
        assert world.roster.workloads[key(f"vm-{number}")].agent == SIGNER.read(vm.credential).agent
    assert world.roster.fleet.recovering is None
