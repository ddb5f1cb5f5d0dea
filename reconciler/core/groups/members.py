"""The desired state with the VMs in it that joined groups: a function of the commit and of what both stores hold.

The entries of members are desired objects like Git's: they are compared, planned, simulated, budgeted and rolled out as these
are. What sets them apart stands on them (`marks`). A WorkloadGroup that Git drops, or whose annotation it takes away, drops all
of its members with it, under the budgets of deletions.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.core.groups.autogroup import AutoGroup, Said
from reconciler.core.groups.codes import Code
from reconciler.core.groups.joins import GROUP, JOINED, Join, has_joined, is_bare
from reconciler.core.groups.judging import Case, Judged, Scene, Standing, judge
from reconciler.core.groups.marks import group_of, joined_at
from reconciler.core.groups.places import Places
from reconciler.core.machines import machine_with_probe
from reconciler.core.resources import DesiredState, Key, LiveObject, Manifest, ObservedState
from reconciler.core.wanted import marked_for
from reconciler.core.world import record_of
from reconciler.errors import Problem, Severity

#: Members that one group may have: whoever has stolen an operator's token fills no cluster with it.
MOST_MEMBERS = 5000

_NO_GROUP = "Git has no WorkloadGroup {} that lets VMs join"
_CODES = {
    Standing.WAITING: (Code.WAITING, Severity.INFO),
    Standing.LEAVING: (Code.LEAVING, Severity.INFO),
    Standing.HELD: (Code.HELD, Severity.WARNING),
    Standing.REFUSED: (Code.REFUSED, Severity.WARNING),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A VM that joined a group, for reports: the key of its WorkloadEntry, when it joined, where it stands and why."""

    key: Key
    group: str
    at: str
    standing: Standing
    why: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """What comes of joins. `due` is when time alone changes it next."""

    desired: DesiredState
    members: tuple[Member, ...] = ()
    problems: tuple[Problem, ...] = ()
    due: datetime | None = None


@dataclass(slots=True)
class Groups:
    """Finds the members of all groups; the desired state is the very same value as long as it says the same. One per target.

    `window` is that of the brake of health, which must have counted an entry before it goes.
    """

    target: str
    window: timedelta
    _last: tuple[DesiredState, DesiredState] | None = field(default=None, init=False)

    def of(self, git: DesiredState, observed: ObservedState, now: datetime) -> Membership:
        """Return a commit's desired state with the members of its groups in it."""
        groups = {key: group for key, one in git.manifests.items() if _is_group(key) and (group := AutoGroup.of(one))}
        joins = {key: live for key, live in observed.machines.items() if has_joined(live)}
        if not groups and not joins:
            return Membership(git)
        scene = Scene(git.manifests, Places(git.manifests, observed), now, self.window, observed.recovering)
        look = _Look(git, observed, groups, joins, scene)
        look.go(self._entries(observed) if groups else {})
        return Membership(self._known(git, look), look.told, tuple(look.problems()), look.due)

    def _entries(self, observed: ObservedState) -> dict[Key, LiveObject]:
        """Return the WorkloadEntries of ours that joins have made."""
        return {
            key: live
            for key, live in observed.objects.items()
            if key.kind == "WorkloadEntry" and joined_at(live.document) and marked_for(live.labels) == self.target
        }

    def _known(self, git: DesiredState, look: "_Look") -> DesiredState:
        if not look.entries and not look.records:
            return git
        found = replace(git, manifests={**git.manifests, **look.entries}, machines={**git.machines, **look.records})
        if self._last is None or self._last[0] is not git or self._last[1] != found:
            self._last = (git, found)
        return self._last[1]


@dataclass(slots=True)
class _Look:
    git: DesiredState
    observed: ObservedState
    groups: Mapping[Key, AutoGroup]
    joins: Mapping[Key, LiveObject]
    scene: Scene
    entries: dict[Key, Manifest] = field(default_factory=dict)
    records: dict[Key, Manifest] = field(default_factory=dict)
    told: tuple[Member, ...] = ()
    due: datetime | None = None
    _overruled: list[tuple[Key, str]] = field(default_factory=list)

    def go(self, lives: Mapping[Key, LiveObject]) -> None:
        """Judge all that joined, and all entries that joins have made; who was there first comes first."""
        sizes, told = Counter[Key](), []
        names = {Key("WorkloadEntry", key.namespace, key.name) for key in self.joins} | lives.keys()
        for key in sorted(names, key=lambda one: (one not in lives, one)):
            record = self.joins.get(record_of(key))
            join = Join.of(record)
            name = join.group if join else group_of(lives[key].document) if key in lives else ""
            group = self.groups.get(Key("WorkloadGroup", key.namespace, name))
            if group is None and join and join.gone:
                continue
            if group is None:
                judged = Judged(Standing.REFUSED, _NO_GROUP.format(f"{key.namespace}/{name}"))
            else:
                case = Case(key, group, record, join, self.observed.objects.get(key))
                judged = judge(case, self.scene, full=sizes[group.manifest.key] >= MOST_MEMBERS)
                sizes[group.manifest.key] += judged.standing is not Standing.REFUSED
                self._want(case, judged)
            told.append(Member(key, name, _moment(join, lives.get(key)), judged.standing, judged.why))
        self.told = tuple(sorted(told, key=lambda one: one.key))

    def _want(self, case: Case, judged: Judged) -> None:
        if judged.until:
            self.due = min(self.due or judged.until, judged.until)
        if case.key in self.git.manifests:
            self._keep_join(case)
            return
        said = judged.said
        if said is None and judged.standing is Standing.WAITING and case.join:
            said = Said.by(case.join)  # its record is wanted already, so that its agent gets the group's probe
        if said is None:
            return
        entry = case.group.entry(case.key.name, said)
        if judged.said:
            self.entries[case.key] = entry
        if case.join and not (self.observed.recovering and case.record and is_bare(case.record)):
            self._put(machine_with_probe(entry, self.git.manifests), case.record)
            if fields := case.group.overruled(Said.by(case.join)):
                self._overruled.append((case.key, fields))

    def _keep_join(self, case: Case) -> None:
        """Leave the join in the record of a VM that Git holds, so that the collision goes on being told."""
        self._put(self.git.machines.get(record_of(case.key)), case.record)

    def _put(self, machine: Manifest | None, record: LiveObject | None) -> None:
        if machine is not None and record is not None:
            spec = {**machine.document["spec"], **{name: record.document["spec"][name] for name in (GROUP, JOINED)}}
            self.records[machine.key] = replace(machine, document={**machine.document, "spec": spec})

    def problems(self) -> Iterator[Problem]:
        """Yield what is to be said of the members."""
        for one in self.told:
            if one.standing in _CODES:
                code, severity = _CODES[one.standing]
                yield Problem(code, one.why, severity, object=str(one.key))
        for key, fields in self._overruled:
            yield Problem(Code.OVERRULED, f"what it says of its {fields} does not count", Severity.INFO, object=str(key))


def _is_group(key: Key) -> bool:
    return key.kind == "WorkloadGroup"


def _moment(join: Join | None, live: LiveObject | None) -> str:
    return Said.by(join).at if join else joined_at(live.document) if live else ""
