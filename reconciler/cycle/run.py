"""One cycle: read, decide, save, act, report. It has no opinions; `core` has them, and the modules beside it the details."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event

from reconciler.core.adoption import Adoption
from reconciler.core.awaiting import Awaiting
from reconciler.core.changes import Action, Change, ObjectDiff, State
from reconciler.core.delegation import Delegating
from reconciler.core.groups.members import Groups
from reconciler.core.health.drains import Stage, as_it_stands, drains_of
from reconciler.core.health.moves import apart, with_cause
from reconciler.core.health.parting import partings
from reconciler.core.health.planning import Health, fought_over, health_of, told
from reconciler.core.health.states import problems_of
from reconciler.core.health.vitals import Vital, Vitals
from reconciler.core.orphans import is_readable
from reconciler.core.owned import Rules
from reconciler.core.plan import make_plan
from reconciler.core.plans import Mode
from reconciler.core.report import Report, Verdict, Written
from reconciler.core.resources import DesiredState, Document, Key, ObservedState, Relation, Revision
from reconciler.core.rollouts.checkpoint import found_in
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.units import Cutter
from reconciler.cycle.authority import Authority
from reconciler.cycle.deciding import Decider
from reconciler.cycle.fights import Fights, condition_of
from reconciler.cycle.observing import Observer
from reconciler.cycle.recovery import settle_open_writes
from reconciler.cycle.sight import Sight, report_of, verdict_of
from reconciler.cycle.target import NOTHING_SAID, SILENT, Policy, Ports, Progress, Request
from reconciler.desired.following import Follower
from reconciler.desired.quarantine import Quarantine
from reconciler.desired.reader import DesiredReader
from reconciler.errors import Fenced, InvalidInput, ReconcilerError, Rejected, Unavailable
from reconciler.ports import CycleRecord
from reconciler.reports import as_json
from reconciler.reports.splits import remember_splits
from reconciler.rollouts.checkpoints import Recovery, keep_checkpoints
from reconciler.rollouts.holding import heard_of
from reconciler.rollouts.leading import Look
from reconciler.rollouts.rolling import Rollouts
from reconciler.vms.witnessing import Witnesses
from reconciler.writes.execution import Execution
from reconciler.writes.writer import Writer

#: Deletions of services count against the budget for this long.
BUDGET_WINDOW = timedelta(hours=24)

#: What a guard without a time holds back is planned anew so often: of a budget that is free again no event tells.
REVISIT = timedelta(hours=1)


#: Waits for so many seconds; nothing ever sets the event.
_wait = Event().wait


class Cycle:
    """Runs cycles of one target, one at a time. `pause` waits for so many seconds, where only waiting helps."""

    def __init__(self, ports: Ports, policy: Policy, pause: Callable[[float], object] = _wait) -> None:
        self._ports, self._policy, self._pause = ports, policy, pause
        reader = DesiredReader(
            ports.source, ports.cache, policy.strict_kinds, policy.namespaces, records=ports.registry is not None
        )
        self._observer = Observer(ports.cluster, ports.registry, Witnesses(policy.target, ports.witnesses))
        self._follower = Follower(ports.source, reader, ports.crds)
        self._decider = Decider(ports.cluster, ports.store, policy.workers, asks=policy.mode is Mode.ENFORCE)
        self._fights = Fights(ports.store)
        self._vitals = Vitals()
        self._awaiting = Awaiting(policy.require_join)
        self._delegating = Delegating()
        self._groups = Groups(policy.target, policy.brake.window)
        self.authority = Authority(ports.lease, ports.store, ports.clock, policy.target, policy.holder, policy.lease_ttl)
        self._quarantine = Quarantine(ports.store)
        self._cutter = Cutter()
        self._rollouts = Rollouts(
            ports.store, ports.gatekeeper, policy.rollouts, policy.pace, policy.plan, self._cutter, ports.discovery
        )
        self._seen: tuple[Hashable, ObservedState | None] | None = None
        self._heard: Hashable = ((), ())
        self._held: frozenset[str] = frozenset()
        self._due: datetime | None = None
        self._awaited: tuple[str, frozenset[str]] | None = None
        self._recorded: tuple[str, ...] = ()
        self.stands_by = False
        """Whether the last run ended because somebody else is the writer, or has to be asked first."""

    def due_in(self, at_most: float) -> float:
        """Return in how many seconds to run again at the latest, though nothing may have changed: a timer is out then."""
        left = (self._due - self._ports.clock.now()).total_seconds() if self._due else at_most
        return min(max(left, 0.0), at_most)

    def observe(self) -> ObservedState:
        """Return what both stores hold. Raises Unavailable."""
        return self._observer.observe()

    def units(self) -> dict[str, tuple[Key, ...]]:
        """Return the objects of each unit by its name, as Git and both stores have them. Raises InvalidInput, Unavailable."""
        desired = self._follower.desired(self._follower.newest())
        return self._units(desired, self.observe(), ())

    def recovered(self, observed: ObservedState, revision: Revision) -> tuple[Rollout, ...]:
        """Return the rollouts that a lost or restored store does not know as they are. Raises Unavailable."""
        recovery = Recovery(
            observed, self._policy.plan, self._policy.rollouts, self._follower.desired, self._ports.source.relation
        )
        running = [one for one in self._ports.store.rollouts.standing() if one.phase is not Phase.IDLE]
        found = found_in(observed.objects, self._policy.target)
        return tuple(recovery.rollouts(found, running, revision, self._ports.clock.now()))

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Watch both stores, and those who tell of VMs, from now on; `changed` is called from any thread.

        Raises Unavailable.
        """
        self._ports.cluster.subscribe(changed)
        if self._ports.registry:
            self._ports.registry.subscribe(changed)
        for witness in self._ports.witnesses.values():
            witness.subscribe(changed)

    def poll_due(self) -> None:
        """Let the next cycle ask Git, instead of going on from the commit that is known."""
        self._follower.ask_again()

    def run(self, command: str, *, write: bool, request: Request = NOTHING_SAID, progress: Progress = SILENT) -> Report:
        """Run one cycle. Whatever ends it early becomes its verdict; only bugs are raised."""
        sight = Sight(command, self._ports.clock.now())
        writes = write and self._policy.mode is Mode.ENFORCE
        self._seen = None
        try:
            self._look(sight, request, writes=writes)
            # Whoever else held the lease since we looked may have written.
            while writes and not self._take_lease(sight, request):
                sight = Sight(command, self._ports.clock.now())
                self._look(sight, request, writes=True)
            if writes:
                self._act(sight, request, progress)
            verdict = verdict_of(sight, write=write)
        except InvalidInput as error:
            sight.problems, verdict = error.problems, Verdict.INVALID
        except Unavailable as error:
            sight.reason = str(error)
            verdict = Verdict.UNAVAILABLE
        except Rejected as error:
            sight.reason = str(error)
            sight.fenced = isinstance(error, Fenced)
            verdict = Verdict.REFUSED if sight.fenced else Verdict.FAILED
        self._survived()
        self.stands_by = sight.fenced
        if not sight.fenced and verdict not in (Verdict.UNAVAILABLE, Verdict.FAILED):
            self._seen = (sight.said, sight.observed)
            if sight.look:
                self._heard, self._held = sight.look.heard.said, frozenset(sight.look.holds)
        return self._report(sight, verdict, write=write)

    def nothing_new(self) -> bool:
        """Tell whether a cycle now would see what the last one saw: same commit, same stores, no new word, no timer out."""
        if self._seen is None or (self._due and self._ports.clock.now() >= self._due):
            return False
        said, observed = self._seen
        try:
            if self._awaited and self._given(self._awaited[0]) != self._awaited[1]:
                return False
            if self._rollouts.said() != self._heard:
                return False
            return self._follower.said() == said and (observed is None or observed is self._observer.observe())
        except ReconcilerError:
            return False

    def _look(self, sight: Sight, request: Request, *, writes: bool) -> None:
        # Both stores take their time to answer, and so does Git: they are read at the same time.
        with ThreadPoolExecutor(1, thread_name_prefix="observe") as aside:
            observed = aside.submit(self._observed, writes=writes)
            self._read(sight)
            sight.observed = observed.result()
        self._decide(sight, request, writes=writes)
        self._survived()

    def _observed(self, *, writes: bool) -> ObservedState:
        if writes:
            self.authority.look()
        return self._observer.observe()

    def _read(self, sight: Sight) -> None:
        """Git's side, whole or not at all; a serving process whose Git fails it keeps to the commit accepted last."""
        serves = sight.command == "serve"
        try:
            sight.said = self._follower.said()
            sight.revision = self._follower.newest()
            if serves:
                self._quarantine.enter(sight.revision)
            sight.desired = self._follower.desired(sight.revision)
        except (InvalidInput, Unavailable) as error:
            accepted = self._ports.store.accepted() if serves else None
            if accepted is None or (sight.revision and sight.revision.id == accepted.id):
                raise
            sight.keep_to(accepted, error)
            sight.desired = self._follower.desired(accepted)
        if origin := self._ports.crds.remark:
            sight.notes.append(origin)

    def _survived(self) -> None:
        with suppress(Unavailable):
            self._quarantine.leave()

    def _decide(self, sight: Sight, request: Request, *, writes: bool) -> None:
        observed, store = sight.observed, self._ports.store
        if sight.desired is None or observed is None:
            return
        desired = self._with_members(sight, sight.desired, observed)
        rules = Rules(self._policy.target, self._policy.conflicts, request.adoption)
        git = self._decider.git(desired, rules.target)
        fleet = as_it_stands(self._vitals.of(git, observed, rules.target), observed, sight.started)
        drains = drains_of(fleet, git, observed, sight.started, self._policy.pace.settle)
        look = sight.look = self._rollouts.look(observed, git, sight.started, drains)
        sight.differences = with_cause(self._differences(sight, look, desired, observed, rules), drains, observed)
        differences, moved = apart(sight.differences, drains, observed)
        leaving = [one.key for one in sight.differences if one.state is State.DELETE]
        accepted = store.accepted()
        changing = {one.key for one in sight.differences if one.changes}
        gains, bounds = look.limits(changing)
        make = partial(
            make_plan,
            desired,
            observed,
            differences,
            settings=self._policy.plan,
            now=sight.started,
            first_seen=store.first_seen(leaving, sight.started, keep=writes),
            deleted_services=store.deleted_services(sight.started - BUDGET_WINDOW),
            relation=self._ports.source.relation(accepted.id, desired.revision.id) if accepted else Relation.DESCENDANT,
            prune_now=request.prune_now,
            rolling=look.rolling,
            gains=gains,
            refused=look.refused,
            bounds=bounds,
            cutter=self._cutter,
        )
        plan = make(overrides=request.allow)
        given = self._given(plan.digest)
        listings = self._observer.listings(leaving, request.allow | given)
        plan = make(overrides=request.allow | given, listings=listings) if given or listings else plan
        sight.health = self._health(sight, look, fleet, moved, request.allow | given, request.adoption)
        sight.plan = replace(plan, units=(*sight.health.units, *plan.units))
        guards = [guard for unit in sight.plan.units for guard in unit.guards]
        due = [guard.until or sight.started + REVISIT for guard in guards]
        due += [one for one in (look.due, sight.membership_due) if one]
        self._due = min(due, default=None)
        self._awaited = (plan.digest, given) if any(guard.override for guard in guards) else None

    def _with_members(self, sight: Sight, git: DesiredState, observed: ObservedState) -> DesiredState:
        """Put VMs where they are and those that joined groups beside what Git says, and leave out what waits for its VM."""
        git, moved = self._delegating.of(git, observed)
        sight.problems += moved
        found = self._groups.of(git, observed, sight.started)
        sight.members, sight.membership_due = found.members, found.due
        sight.problems += found.problems
        sight.desired, sight.awaited = self._awaiting.of(found.desired, observed)
        return sight.desired

    def _differences(
        self, sight: Sight, look: Look, desired: DesiredState, observed: ObservedState, rules: Rules
    ) -> tuple[ObjectDiff, ...]:
        """Compare, and lead rollouts on by what that shows, until none of them wants something else any more."""
        sight.inventory = self._ports.store.inventory()
        compare = partial(self._decider.differences, desired, observed, sight.inventory, self._ports.crds.generations)
        found = compare(rules, look.wanted)
        if sight.command != "diff" and self._rollouts.begin(look, desired, found):
            found = compare(rules, look.wanted)
        while look.advance(found) or (look.taken_over and self._rollouts.begin(look, desired, found)):
            found = compare(rules, look.wanted)
        look.take_figures(ahead=sight.command != "serve")
        retaken, stands = look.retaken, self._rollouts.look_ahead(look, desired, found) if sight.command == "diff" else {}
        if retaken or stands:
            taking = replace(rules.adoption, keys=rules.adoption.keys | retaken)
            found = compare(replace(rules, adoption=taking), {**look.wanted, **stands})
        sight.notes += look.remarks
        look.kept, notes = heard_of(look.holds, self._held, partial(self._units, desired, observed, found), found)
        sight.notes += notes
        held = look.untouchable
        return (*(replace(one, changes=()) if one.key in held else one for one in found), *sight.awaited)

    def _units(
        self, desired: DesiredState, observed: ObservedState, differences: Sequence[ObjectDiff]
    ) -> dict[str, tuple[Key, ...]]:
        return {unit.name: unit.keys for unit in self._cutter.cut(desired, observed, differences)}

    def _health(
        self,
        sight: Sight,
        look: Look,
        fleet: tuple[Vital, ...],
        moved: Mapping[Key, Change],
        overrides: frozenset[str],
        adoption: Adoption,
    ) -> Health:
        """Look at the health of all VMs. It needs the commit for what Git says of them, and nothing of the plan."""
        git, observed, drains = look.git, look.mesh.observed, look.mesh.draining
        fights = self._fights.over_conditions(adoption) if any(one.differs for one in fleet) else frozenset[Key]()
        fought = [one for one in fleet if one.differs and condition_of(one.key) in fights]
        settings, brake = self._policy.plan, self._policy.brake
        # Who is being drained by a person keeps the condition that it has while its weight goes down.
        lowering = (key for key, one in drains.items() if one.stage is Stage.LOWERING)
        # What a record says that may be an older one takes nobody out of load balancing.
        doubted = [one.key for one in fleet] if observed.recovering else []
        untouchable = {*look.untouchable, *(one.key for one in fought), *lowering, *doubted}
        found = health_of(
            fleet, git, observed, settings, brake, sight.started, overrides=overrides, untouchable=untouchable, moved=moved
        )
        states = problems_of(fleet, self._joined(sight), observed.machines, look.rolling)
        parting = partings(drains.values(), git, observed, settings.cluster)
        standing = (*told(fleet, observed), *parting, *states, *map(fought_over, fought))
        sight.problems += standing
        return replace(found, standing=standing)

    def _joined(self, sight: Sight) -> tuple[Document, ...]:
        """Return what has joined, for a person who looks: a service does not ask for it with every pass."""
        if self._ports.office is None or sight.command not in ("diff", "plan"):
            return ()
        try:
            return self._ports.office.vms()
        except ReconcilerError as error:
            sight.notes.append(f"what has joined is not known (registry-unavailable): {error}")
            return ()

    def _given(self, digest: str) -> frozenset[str]:
        return frozenset(one.name for one in self._ports.store.overrides(digest))

    def _take_lease(self, sight: Sight, request: Request) -> bool:
        """Hold what a person reviewed against what would run now, this store against the target's own, and take the lease.

        Returns whether what was seen still counts. A person's run waits for a dead holder's lease; a service looks again later.
        """
        if sight.plan is None or sight.observed is None:
            raise TypeError("nothing was decided")
        if request.digest and request.digest != sight.plan.digest:
            raise Fenced(f"the plan is another one by now ({sight.plan.digest}); look at it again")
        if objection := self.authority.objection(sight.observed):
            raise Fenced(objection)
        return self.authority.take(None if sight.command == "serve" else self._pause)

    def _act(self, sight: Sight, request: Request, progress: Progress) -> None:
        plan, look, observed, ports = sight.plan, sight.look, sight.observed, self._ports
        if plan is None or look is None or observed is None:
            return
        if settle_open_writes(ports.store, ports.cluster, ports.registry, ports.clock, self.authority.fence):
            sight.notes.append("writes that an earlier run left open were read back")
        self.authority.fence()
        if not plan.paused:
            ports.store.accept(plan.revision)
        self._rollouts.save(look)
        writer = Writer(ports.cluster, ports.registry, observed)
        sight.notes += keep_checkpoints(look.standing.values(), writer, self._policy.target)
        progress.began(plan)
        execution = Execution(
            plan,
            writer,
            ports.store,
            ports.clock,
            fence=self.authority.fence,
            progress=progress.wrote,
            workers=self._policy.workers,
        )
        sight.results = execution.run()
        self._rollouts.learn(plan)
        self._remember_traffic(sight)
        with suppress(Rejected, Unavailable):
            self.authority.fence()  # if others wrote since, the next cycle finds all this out by itself
            contents = [one for one in sight.results if one.action is not Action.CONDITION]
            self._fights.note(sight.differences, contents, request.adoption, sight.started)
            self._fights.note_conditions(sight.health.vitals, sight.results, sight.started)
            self._forget_what_is_gone(sight)

    def _remember_traffic(self, sight: Sight) -> None:
        """Keep the predicted splits that health has just changed, for `status`, which asks no store but its own."""
        written = {one.unit for one in sight.results if one.written is Written.DONE}
        splits = [split for unit in sight.health.units if unit.name in written for split in unit.after]
        if splits:
            with suppress(Unavailable):
                remember_splits(self._ports.store, splits, sight.started)

    def _forget_what_is_gone(self, sight: Sight) -> None:
        """Take out of the inventory what neither Git wants nor any store holds: nothing of it is ours any more."""
        desired, observed, store = sight.desired, sight.observed, self._ports.store
        if desired and observed:
            deleted = {one.key for one in sight.results if one.action is Action.DELETE and one.written is Written.DONE}
            gone = [key for key in sight.inventory if not desired.get(key) and (key in deleted or not observed.get(key))]
            store.narrow(key for key in gone if is_readable(key, observed))

    def _report(self, sight: Sight, verdict: Verdict, *, write: bool) -> Report:
        report = report_of(sight, verdict, self._policy, self._ports.clock.now())
        standing = (verdict, *map(str, (*sight.health.standing, *sight.members, *sight.awaited)))
        if write and (report.results or standing != self._recorded):
            self._record(report)
            self._recorded = standing
        return report

    def keep(self, report: Report) -> None:
        """Keep the report of several runs as one: what a person asked for once, `history` and `status` tell as a whole."""
        if report.results:
            self._record(report)

    def _record(self, report: Report) -> None:
        """Keep what was done or newly found, and drop what is old; a history that cannot be written undoes nothing."""
        digest = report.plan.digest if report.plan else ""
        commit = report.revision.id if report.revision else ""
        written = report.written(Written.DONE)
        with suppress(Unavailable):
            self._ports.store.record(
                CycleRecord(0, report.ended, commit, digest, report.verdict, written, as_json.document(report))
            )
            self._ports.store.forget(report.ended - self._policy.keep_history)
