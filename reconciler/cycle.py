"""One cycle: read, decide, save, act, report. It has no opinions; `core` has them, and the modules beside it the details."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from threading import Event

from reconciler.apply import Execution
from reconciler.authority import Authority
from reconciler.core.causes import flips
from reconciler.core.changes import State
from reconciler.core.owned import Rules
from reconciler.core.plan import make_plan
from reconciler.core.plans import Mode
from reconciler.core.report import Report, Verdict, Written
from reconciler.core.resources import DesiredState, Key, ObservedState, Relation, Revision
from reconciler.core.units import cut
from reconciler.deciding import Decider
from reconciler.desired import DesiredReader
from reconciler.errors import Fenced, InvalidInput, ReconcilerError, Rejected, Unavailable
from reconciler.observing import Observer
from reconciler.ports import CycleRecord
from reconciler.quarantine import Quarantine
from reconciler.recovery import settle_open_writes
from reconciler.reports import as_json
from reconciler.sight import Sight, report_of, verdict_of
from reconciler.target import NOTHING_SAID, SILENT, Policy, Ports, Progress, Request
from reconciler.writer import Writer

#: Deletions of services count against the budget for this long.
BUDGET_WINDOW = timedelta(hours=24)


class Cycle:
    """Runs cycles of one target, one at a time."""

    def __init__(self, ports: Ports, policy: Policy) -> None:
        self._ports, self._policy = ports, policy
        self._reader = DesiredReader(ports.source, ports.cache, policy.strict_kinds, policy.namespaces)
        self._observer = Observer(ports.cluster, ports.registry)
        self._decider = Decider(ports.cluster, ports.store, policy.workers)
        self.authority = Authority(ports.lease, ports.store, ports.clock, policy.target, policy.holder, policy.lease_ttl)
        self._quarantine = Quarantine(ports.store)
        self._polled: Revision | None = None
        self._seen: tuple[Revision, ObservedState] | None = None
        self._due: datetime | None = None
        self._awaited: tuple[str, frozenset[str]] | None = None
        self._recorded: Verdict | None = None

    def observe(self) -> ObservedState:
        """Return what both stores hold. Raises Unavailable."""
        return self._observer.observe()

    def units(self) -> dict[str, tuple[Key, ...]]:
        """Return the objects of each unit by its name, as Git and both stores have them. Raises InvalidInput, Unavailable."""
        return {unit.name: unit.keys for unit in cut(self._desired(self._ports.source.poll()), self.observe(), ())}

    def forget(self, before: datetime) -> None:
        """Drop what the state store keeps of runs that ended before then. Raises Unavailable."""
        self._ports.store.forget(before)

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Keep watches on both stores open from now on; `changed` is called from any thread. Raises Unavailable."""
        self._ports.cluster.subscribe(changed)
        if self._ports.registry:
            self._ports.registry.subscribe(changed)

    def poll_due(self) -> None:
        """Let the next cycle ask Git, instead of going on from the commit that is known."""
        self._polled = None

    def run(self, command: str, *, write: bool, request: Request = NOTHING_SAID, progress: Progress = SILENT) -> Report:
        """Run one cycle. Whatever ends it early becomes its verdict; only bugs are raised."""
        sight = Sight(command, self._ports.clock.now())
        self._seen = None
        try:
            self._read(sight)
            self._decide(sight, request)
            if write and self._may_write(sight, request):
                self._act(sight, progress)
            verdict = verdict_of(sight, write=write)
        except InvalidInput as error:
            sight.problems, verdict = error.problems, Verdict.INVALID
        except Unavailable as error:
            sight.notes.append(str(error))
            verdict = Verdict.UNAVAILABLE
        except Rejected as error:
            sight.notes.append(str(error))
            sight.fenced = isinstance(error, Fenced)
            verdict = Verdict.REFUSED if sight.fenced else Verdict.FAILED
        again = sight.fenced or verdict in (Verdict.UNAVAILABLE, Verdict.FAILED)
        if not again and self._polled and sight.observed:
            self._seen = (self._polled, sight.observed)
        return self._report(sight, verdict, write=write)

    def nothing_new(self) -> bool:
        """Tell whether a cycle now would see what the last one saw: same commit, same stores, no new word, no timer out."""
        if self._seen is None or (self._due and self._ports.clock.now() >= self._due):
            return False
        try:
            if self._awaited and self._given(self._awaited[0]) != self._awaited[1]:
                return False
            self._polled = self._polled or self._ports.source.poll()
            return self._seen[0] == self._polled and self._seen[1] is self._observer.observe()
        except ReconcilerError:
            return False

    def _read(self, sight: Sight) -> None:
        """Both sides, whole or not at all; a serving process whose Git fails it keeps to the commit accepted last."""
        try:
            sight.revision = self._polled = self._polled or self._ports.source.poll()
            if sight.command == "serve":
                self._quarantine.enter(sight.revision)
            sight.desired = self._desired(sight.revision)
        except (InvalidInput, Unavailable) as error:
            accepted = self._ports.store.accepted()
            if sight.command != "serve" or accepted is None or accepted == sight.revision:
                raise
            self._keep_to(accepted, sight, error)
        if sight.command == "serve" and sight.revision:
            self._quarantine.leave(sight.revision)
        sight.observed = self._observer.observe()

    def _keep_to(self, accepted: Revision, sight: Sight, error: InvalidInput | Unavailable) -> None:
        sight.notes.append(
            f"{error}; {accepted.short} stays in force"
            if isinstance(error, Unavailable)
            else f"{accepted.short} stays in force"
        )
        sight.problems, sight.stale = (error.problems, False) if isinstance(error, InvalidInput) else ((), True)
        self._polled = self._polled or accepted
        sight.desired = self._desired(accepted)

    def _desired(self, revision: Revision) -> DesiredState:
        return self._reader.read(revision, self._ports.crds.for_commit(revision.id))

    def _decide(self, sight: Sight, request: Request) -> None:
        desired, observed, store = sight.desired, sight.observed, self._ports.store
        if desired is None or observed is None:
            return
        rules = Rules(self._policy.target, self._policy.conflicts, request.adoption)
        sight.differences = self._decider.differences(desired, observed, rules, self._ports.crds.generations)
        leaving = [one.key for one in sight.differences if one.state is State.DELETE]
        accepted = store.accepted()
        make = partial(
            make_plan,
            desired,
            observed,
            sight.differences,
            settings=self._policy.plan,
            now=sight.started,
            first_seen=store.first_seen(leaving, sight.started),
            deleted_services=store.deleted_services(sight.started - BUDGET_WINDOW),
            relation=self._ports.source.relation(accepted.id, desired.revision.id) if accepted else Relation.DESCENDANT,
            prune_now=request.prune_now,
        )
        plan = make(overrides=request.allow)
        given = self._given(plan.digest)
        sight.plan = make(overrides=request.allow | given) if given else plan
        guards = [guard for unit in sight.plan.units for guard in unit.guards]
        self._due = min((guard.until for guard in guards if guard.until), default=None)
        self._awaited = (plan.digest, given) if any(guard.override for guard in guards) else None

    def _given(self, digest: str) -> frozenset[str]:
        return frozenset(one.name for one in self._ports.store.overrides(digest))

    def _may_write(self, sight: Sight, request: Request) -> bool:
        """Hold what a person reviewed against what would run now, and this store against the target's own."""
        if sight.plan is None or sight.observed is None:
            return False
        if request.digest and request.digest != sight.plan.digest:
            raise Fenced(f"the plan is another one by now ({sight.plan.digest}); look at it again")
        if self._policy.mode is Mode.OBSERVE:
            return False
        if objection := self.authority.objection(sight.observed):
            raise Fenced(objection)
        return True

    def _act(self, sight: Sight, progress: Progress) -> None:
        plan, observed, ports = sight.plan, sight.observed, self._ports
        if plan is None or observed is None:
            return
        self._take_lease(sight.command)
        if settle_open_writes(ports.store, ports.cluster, ports.registry, ports.clock):
            sight.notes.append("writes that an earlier run left open were read back")
        if not plan.paused:
            ports.store.accept(plan.revision)
        progress.began(plan)
        writer = Writer(ports.cluster, ports.registry, observed)
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
        self._count_flips(sight)

    def _take_lease(self, command: str) -> None:
        """A person's run waits for a dead holder's lease; a service has all the time in the world and looks again later."""
        if command == "serve":
            self.authority.fence()
        else:
            self.authority.take(Event().wait)

    def _count_flips(self, sight: Sight) -> None:
        """A field that was put back is one flip of whoever changed it; so many of them are a fight."""
        put_back = {one.key for one in sight.results if one.written is Written.DONE}
        for one in sight.differences:
            for path, manager in flips(one) if one.key in put_back else ():
                self._ports.store.flips(one.key, path, manager, sight.started)

    def _report(self, sight: Sight, verdict: Verdict, *, write: bool) -> Report:
        report = report_of(sight, verdict, self._policy, self._ports.clock.now())
        if write and (report.results or verdict is not self._recorded):
            self._record(report)
        return report

    def _record(self, report: Report) -> None:
        """Keep what was done or newly found; a history that cannot be written undoes nothing that was."""
        digest = report.plan.digest if report.plan else ""
        commit = report.revision.id if report.revision else ""
        written = report.written(Written.DONE)
        with suppress(Unavailable):
            self._ports.store.record(
                CycleRecord(0, report.ended, commit, digest, report.verdict, written, as_json.document(report))
            )
        self._recorded = report.verdict
