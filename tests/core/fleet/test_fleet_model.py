"""Honest agents, lost answers, restarts, backups, sweeps and time in any order: nobody honest is refused or lost too soon."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler.core.fleet import operating
from reconciler.core.fleet.operating import drain
from reconciler.core.fleet.roster import Roster
from reconciler.core.fleet.values import AgentState, Presence, Row
from reconciler.core.records import Health
from tests.core.fleet.fleets import SIGNER, FleetWorld, Vm, key

NUMBERS = st.integers(0, 2)


class Fleet(RuleBasedStateMachine):
    """Three names, each with one honest VM at a time; what a server may see of them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = FleetWorld()
        self.vms: dict[int, Vm] = {}
        self.heard = dict.fromkeys(range(3), self.world.now)
        self.epochs = dict.fromkeys(range(3), 0)
        self.backup: tuple[Row, ...] | None = None

    @precondition(lambda self: self.world.roster.fleet.recovering is None)
    @rule(number=NUMBERS)
    def build(self, number: int) -> None:
        """A VM is built, or built anew, with a token of its own."""
        self.vms[number] = self.world.newcomer(f"vm-{number}", f"10.0.0.{number + 1}")
        self.heard[number] = self.world.now

    @rule(number=NUMBERS, health=st.sampled_from(Health), arrives=st.booleans())
    def beat(self, number: int, health: Health, *, arrives: bool) -> None:
        """A beat is heard; its answer may be lost on the way."""
        if number in self.vms:
            self.world.beat(self.vms[number], health, keeps=arrives)
            self.heard[number] = self.world.now

    @rule(seconds=st.sampled_from([1, 10, 29, 31, 600, 4000]))
    def pass_time(self, seconds: int) -> None:
        """Time passes, and a sweep comes by."""
        self.world.now += timedelta(seconds=seconds)
        for lost in self.world.sweep():
            begun = max(self.heard[int(lost.name[3:])], self.world.since)
            assert self.world.now - begun >= self.world.pace.lease

    @rule(number=NUMBERS, draining=st.booleans())
    def drain(self, number: int, *, draining: bool) -> None:
        """A person drains one, or lets it back in."""
        if key(f"vm-{number}") in self.world.roster.workloads:
            self.world.store(drain(self.world.roster, key(f"vm-{number}"), "ann", self.world.now, draining=draining))

    @rule()
    def restart(self) -> None:
        """The server starts again over what it has stored."""
        self.world.since = self.world.now

    @rule()
    def back_up(self) -> None:
        """Somebody makes a backup."""
        roster = self.world.roster
        self.backup = (*roster.tokens.values(), *roster.agents.values(), *roster.workloads.values(), roster.fleet)

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        """Somebody puts it in place. All agents are heard before a person ends a recovery."""
        self.world.roster, self.world.since, self.world.signs = Roster(self.backup or ()), self.world.now, {}
        self.epochs = dict.fromkeys(range(3), 0)
        for number in self.vms:
            self.beat(number, Health.HEALTHY, arrives=True)

    @precondition(lambda self: self.world.roster.fleet.recovering is not None)
    @rule()
    def end_recovery(self) -> None:
        """A person trusts the record again."""
        self.world.store(operating.end_recovery(self.world.roster, "ann", self.world.now))
        self.world.since = self.world.now

    @invariant()
    def nobody_honest_is_locked(self) -> None:
        """Whatever happened."""
        assert AgentState.LOCKED not in {agent.state for agent in self.world.roster.agents.values()}

    @invariant()
    def epochs_only_grow(self) -> None:
        """An old VM never takes a name back."""
        for number in range(3):
            workload = self.world.roster.workloads.get(key(f"vm-{number}"))
            epoch = workload.epoch if workload else 0
            assert epoch >= self.epochs[number]
            self.epochs[number] = epoch

    @invariant()
    def each_name_is_its_vm_s(self) -> None:
        """The last one that was built speaks for it, once it has been heard."""
        for number, vm in self.vms.items():
            workload = self.world.roster.workloads[key(f"vm-{number}")]
            assert workload.agent == SIGNER.read(vm.credential).agent

    @invariant()
    def what_is_present_has_no_departure(self) -> None:
        """And what has gone has one."""
        for one in self.world.roster.workloads.values():
            assert (one.presence is Presence.PRESENT) == (one.departed is None)


TestFleet = Fleet.TestCase
TestFleet.settings = settings(deadline=None, max_examples=30, stateful_step_count=25)
