"""How a report is laid out for people: unit by unit, and what is alike told once.

Three hundred VMs that get the same new weight are one line with a count; an object that differs in another way stands out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.changes import ABSENT, Action, Cause, Change, FieldDiff, ObjectDiff, State
from reconciler.core.plans import Mode, UnitPlan
from reconciler.core.report import Report, Written
from reconciler.core.resources import EMPTY, Key, StoreName
from reconciler.reports import safe

#: Names told of objects that are alike; the others are counted.
NAMES = 3
#: Rows shown of one object; the JSON report has them all.
ROWS = 20
#: States in which nothing is there on one side: each field would repeat what Git or the cluster says anyway.
WHOLE = frozenset({State.CREATE, State.DELETE})
_COLUMNS = ("git", "written", "cluster", "registry")
_BETTER_FIRST = (Written.DONE, Written.NOT_STARTED, Written.FAILED, Written.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Alike:
    """Objects of one kind and namespace that differ in the same way; the first one stands for all.

    `outcomes` counts what became of their writes, once these were tried.
    """

    objects: tuple[ObjectDiff, ...]
    outcomes: Mapping[Written, int] = field(default_factory=dict)

    @property
    def first(self) -> ObjectDiff:
        return self.objects[0]

    @property
    def state(self) -> State:
        return self.first.state

    @property
    def name(self) -> str:
        return names([one.key for one in self.objects])

    @property
    def rows(self) -> tuple[FieldDiff, ...]:
        """The fields to show: none for an object that is made or deleted as a whole."""
        return () if self.state in WHOLE else self.first.fields

    @property
    def origin(self) -> str:
        """Where they come from, empty where that is Git."""
        found = self.first.origin
        if found is None or len(self.objects) == 1:
            return safe.clean(str(found or ""))
        return safe.clean(f"from group {found.group}, VMs that joined")

    @property
    def done(self) -> bool:
        """Whether all of them were written."""
        return set(self.outcomes) == {Written.DONE}

    @property
    def cause(self) -> str:
        """Why they are written, where it is not for Git's sake alone."""
        causes = dict.fromkeys(change.cause for change in self.first.changes if change.cause is not Cause.GIT)
        return ", ".join(causes)

    @property
    def outcome(self) -> str:
        """What became of their writes: ``done``, ``2 done, 1 failed``; empty while none was tried."""
        if len(self.outcomes) == 1:
            return next(iter(self.outcomes))
        return ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.items())


@dataclass(frozen=True, slots=True)
class Write:
    """Writes of one wave that do the same to objects of one kind. Wave 0: they are held."""

    wave: int
    action: Action
    name: str
    store: StoreName


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of the plan with the objects that it is about; `plan` is None for those that are in no unit."""

    title: str
    plan: UnitPlan | None
    groups: tuple[Alike, ...]

    @property
    def remarks(self) -> str:
        """What sets this unit apart, empty where nothing does."""
        if self.plan is None:
            return ""
        after = f"after {', '.join(self.plan.waits_for)}" if self.plan.waits_for else ""
        observed = "observe: nothing is written" if self.plan.mode is Mode.OBSERVE else ""
        return safe.clean("; ".join(filter(None, (observed, after))))

    @property
    def counts(self) -> str:
        """How many objects are in which state: ``3 update, 2 create``."""
        counts: Counter[State] = Counter()
        for group in self.groups:
            counts[group.state] += len(group.objects)
        return ", ".join(f"{count} {state}" for state, count in counts.items())

    @property
    def urgent(self) -> bool:
        """Whether a person must see this unit, however many there are."""
        failed = any(group.outcomes and not group.done for group in self.groups)
        return failed or bool(self.plan and (self.plan.guards or self.plan.problems))

    @property
    def writes(self) -> tuple[Write, ...]:
        """The writes of the plan in their order; those of one wave go together."""
        if self.plan is None:
            return ()
        waves = [wave for step in self.plan.steps for wave in step.waves]
        return tuple(write for number, wave in enumerate(waves, 1) for write in _folded(number, wave))

    @property
    def held(self) -> tuple[Write, ...]:
        """The writes that wait behind guards."""
        return tuple(_folded(0, self.plan.held)) if self.plan else ()


def _folded(number: int, wave: Sequence[Change]) -> Iterator[Write]:
    folded: dict[tuple[Action, str, str], list[Key]] = {}
    for change in wave:
        folded.setdefault((change.action, change.key.kind, change.key.namespace), []).append(change.key)
    for (action, _, _), keys in folded.items():
        yield Write(number, action, names(keys), keys[0].store)


def units(report: Report) -> tuple[Unit, ...]:
    """Return the units of the report that have anything to tell, in the plan's order; objects of no unit come last."""
    unit_of = {key: unit.name for unit in (report.plan.units if report.plan else ()) for key in _keys(unit)}
    objects: dict[str, list[ObjectDiff]] = {}
    for one in report.differences:
        objects.setdefault(unit_of.get(one.key, ""), []).append(one)
    results = {(one.unit, one.key, one.action): one.written for one in report.results}
    found = [
        Unit(safe.clean(plan.name), plan, alike(objects.get(plan.name, ()), plan.name, results))
        for plan in (report.plan.units if report.plan else ())
        if plan.name in objects or plan.steps or plan.held or plan.guards or plan.problems
    ]
    apart = objects.get("", [])
    waiting = [one for one in apart if report.plan and one.state is State.WAITING]
    if others := [one for one in apart if not (report.plan and one.state is State.WAITING)]:
        found.append(Unit("left as it is, in no unit of the plan" if report.plan else "differences", None, alike(others)))
    if waiting:
        found.append(Unit("waiting for VMs, all else goes on without them", None, alike(waiting)))
    return tuple(found)


def alike(
    objects: Iterable[ObjectDiff], unit: str = "", results: Mapping[tuple[str, Key, Action], Written] = EMPTY
) -> tuple[Alike, ...]:
    """Return the objects, those that differ in the same way together, in the order of the first ones."""
    groups: dict[tuple[object, ...], list[ObjectDiff]] = {}
    for one in objects:
        rows = () if one.state in WHOLE else tuple((row.path, *cells(row), row.managers) for row in one.fields)
        said = tuple((problem.code, problem.field, problem.message.replace(one.key.name, "")) for problem in one.problems)
        group = one.origin and one.origin.group
        groups.setdefault((one.state, one.key.kind, one.key.namespace, group, rows, said), []).append(one)
    return tuple(
        Alike(tuple(group), Counter(outcome for one in group if (outcome := _outcome(one, unit, results))))
        for group in groups.values()
    )


def _outcome(one: ObjectDiff, unit: str, results: Mapping[tuple[str, Key, Action], Written]) -> Written | None:
    """Return the worst that became of an object's writes, None where none was tried."""
    tried = [results[unit, one.key, change.action] for change in one.changes if (unit, one.key, change.action) in results]
    return max(tried, key=_BETTER_FIRST.index, default=None)


def cells(row: FieldDiff) -> tuple[str, ...]:
    """Return the four columns of a field, safe to show: Git (and what a rollout wants now), last written, cluster, registry."""
    git, *others = (safe.value(safe.redacted(row.path, getattr(row, column))) for column in _COLUMNS)
    if row.wanted not in (ABSENT, row.git):
        git = f"{git}, now {safe.value(safe.redacted(row.path, row.wanted))}"
    return (git, *others)


def names(keys: Sequence[Key]) -> str:
    """Return objects of one kind and namespace in a few words: ``WorkloadEntry shop/a, b, c and 39 more``."""
    told = [str(keys[0]), *(key.name for key in keys[1:NAMES])]
    more = f" and {len(keys) - NAMES} more" if len(keys) > NAMES else ""
    return safe.clean(", ".join(told) + more)


def earlier(report: Report) -> tuple[str, ...]:
    """Return the writes that no difference of the report tells of, in words: ``update ServiceEntry shop/a (3 times)``.

    A run that drives rollouts to their end writes in many looks, and its report is that of the last one.
    """
    told = {one.key for one in report.differences}
    done = Counter((one.action, one.key) for one in report.results if one.written is Written.DONE and one.key not in told)
    groups: dict[tuple[Action, str, str, int], list[Key]] = {}
    for (action, key), times in done.items():
        groups.setdefault((action, key.kind, key.namespace, times), []).append(key)
    return tuple(f"{action} {names(keys)}{_times(times, len(keys))}" for (action, _, _, times), keys in groups.items())


def _times(times: int, objects: int) -> str:
    each = " each" if objects > 1 else ""
    return f" ({times} times{each})" if times > 1 else ""


def _keys(unit: UnitPlan) -> Iterator[Key]:
    yield from (change.key for step in unit.steps for change in step.changes)
    yield from (change.key for change in unit.held)
    yield from (key for guard in unit.guards for key in guard.keys)
