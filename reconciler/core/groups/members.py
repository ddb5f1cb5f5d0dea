"""The desired state with the VMs in it that joined groups: a function of the commit and of what both stores hold.

The entries of members are desired objects like Git's: they are compared, planned, simulated, budgeted and rolled out as these
are. What sets them apart stands on them (`marks`). A WorkloadGroup that Git drops, or whose annotation it takes away, drops all
of its members with it, under the budgets of deletions.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.core.groups.autogroup import AutoGroup
from reconciler.core.groups.codes import Code
from reconciler.core.groups.joins import Join, has_joined
from reconciler.core.groups.judging import Case, Judged, Scene, Standing
from reconciler.core.groups.marks import group_of, joined_at
from reconciler.core.groups.outcome import Outcome, Outcomes
from reconciler.core.groups.places import Places
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


@dataclass(frozen=True, slots=True, order=True)
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

    `window` is that of the brake of health, which must have counted an entry before it goes; `most` is how many members a group
    may have.
    """

    target: str
    window: timedelta
    most: int = MOST_MEMBERS
    _outcomes: Outcomes = field(default_factory=Outcomes, init=False)
    _last: tuple[DesiredState, DesiredState] | None = field(default=None, init=False)

    def of(self, git: DesiredState, observed: ObservedState, now: datetime) -> Membership:
        """Return a commit's desired state with the members of its groups in it."""
        groups = {key: group for key, one in git.manifests.items() if _is_group(key) and (group := AutoGroup.of(one))}
        # Where no server of ours keeps the registry nobody has verified a join.
        joins = {key: live for key, live in observed.machines.items() if has_joined(live)} if observed.served else {}
        if not groups and not joins:
            return Membership(git)
        scene = Scene(git, Places(git.manifests, observed), now, self.window, observed.recovering)
        look = _Look(observed, groups, joins, scene, self.most)
        self._outcomes.begin()
        look.go(self._entries(observed) if groups else {}, self._outcomes)
        return Membership(self._known(git, look), tuple(sorted(look.told)), tuple(look.problems), look.due)

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
    observed: ObservedState
    groups: Mapping[Key, AutoGroup]
    joins: Mapping[Key, LiveObject]
    scene: Scene
    most: int
    entries: dict[Key, Manifest] = field(default_factory=dict)
    records: dict[Key, Manifest] = field(default_factory=dict)
    told: list[Member] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    due: datetime | None = None
    _sizes: Counter[Key] = field(default_factory=Counter)

    def go(self, lives: Mapping[Key, LiveObject], outcomes: Outcomes) -> None:
        """Look at all that joined, and at all entries that joins have made; who was there first comes first."""
        names = {Key("WorkloadEntry", key.namespace, key.name) for key in self.joins} | lives.keys()
        for key in sorted(names, key=lambda one: (one not in lives, one)):
            record, live = self.joins.get(record_of(key)), lives.get(key)
            join, name = Join.of(record), next(group_of(one.document) for one in (record, live) if one)
            group = self.groups.get(Key("WorkloadGroup", key.namespace, name))
            if group is not None:
                case = Case(key, group, record, join, self.observed.objects.get(key))
                found = outcomes.of(case, self.scene, full=self._sizes[group.manifest.key] >= self.most)
                self._sizes[group.manifest.key] += found.judged.standing is not Standing.REFUSED
            elif join and join.gone:
                continue
            else:
                found = Outcome(Judged(Standing.REFUSED, _NO_GROUP.format(f"{key.namespace}/{name}")))
            self._take(Member(key, name, _moment(record, live), found.judged.standing, found.judged.why), found)

    def _take(self, member: Member, found: Outcome) -> None:
        self.told.append(member)
        if found.judged.until:
            self.due = min(self.due or found.judged.until, found.judged.until)
        self.entries |= {one.key: one for one in (found.entry,) if one}
        self.records |= {one.key: one for one in (found.record,) if one}
        if member.standing in _CODES:
            code, severity = _CODES[member.standing]
            self.problems.append(Problem(code, member.why, severity, object=str(member.key)))
        if found.overruled:
            text = f"what it says of its {found.overruled} does not count"
            self.problems.append(Problem(Code.OVERRULED, text, Severity.INFO, object=str(member.key)))


def _is_group(key: Key) -> bool:
    return key.kind == "WorkloadGroup"


def _moment(record: LiveObject | None, live: LiveObject | None) -> str:
    return next((at for one in (record, live) if one and (at := joined_at(one.document))), "")
