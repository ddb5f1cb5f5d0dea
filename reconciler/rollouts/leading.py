"""All rollouts of one target at one moment: begun where Git wants something else, led on by what was seen.

It happens in memory, on one look at both stores; nothing is stored or written here.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

from reconciler.core.changes import ObjectDiff
from reconciler.core.exposure import Bound
from reconciler.core.gates.share import UNMEASURED
from reconciler.core.groups.marks import with_join_of
from reconciler.core.plans import NoWay
from reconciler.core.resources import Document, Key, Revision
from reconciler.core.rollouts.actions import Action, Answered, Begun, Forgive, PlanBack
from reconciler.core.rollouts.aside import taken_along
from reconciler.core.rollouts.beginning import Wish, begun, leads_to, splits_back
from reconciler.core.rollouts.bounds import bounds_of, gains_of
from reconciler.core.rollouts.effective import anchored, at, effective, remarks, upheld
from reconciler.core.rollouts.figures import figures
from reconciler.core.rollouts.held import Awaited, held_back
from reconciler.core.rollouts.looks import seen_of
from reconciler.core.rollouts.machine import advance, set_out_on
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.outlook import Outlook, outlook
from reconciler.core.rollouts.overrun import overrun
from reconciler.core.rollouts.places import mates_of, may_begin
from reconciler.core.rollouts.policy import AT_ONCE, RolloutPolicy
from reconciler.core.rollouts.records import Change, Refusal, change_of, content_of, shares_told
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.scenes import scene_of
from reconciler.core.rollouts.seen import Command, Hold, Pace, Seen
from reconciler.core.rollouts.strangers import has_lists, with_strangers
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.subsets import is_generated
from reconciler.core.rollouts.waits import Wait, next_look, waits
from reconciler.core.rollouts.ways import way_to
from reconciler.core.units import Unit
from reconciler.rollouts.forcing import Force
from reconciler.rollouts.gating import Gatekeeper, GateLook, evidence_of, judged_of
from reconciler.rollouts.holding import in_force, names_of
from reconciler.writes.journalled import Writes

#: Returns the policy of a unit, None where its changes are not rolled out.
PolicyOf = Callable[[Unit], RolloutPolicy | None]
#: Returns how often a unit has tried some content.
Attempts = Callable[[str, str], int]


#: Phases in which a rollout waits for its own writes.
_WRITING = (Phase.APPLYING, Phase.UNDOING)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of rollouts beside the stores: what people said, holds, and what became of their writes since.

    `accepted` is the commit that was accepted last. `blocked` is by unit or object, `refusals` by unit and content; `later`
    names the rollout of the same unit that came after one that somebody speaks to, by its id.
    """

    commands: tuple[Command, ...] = ()
    holds: tuple[Hold, ...] = ()
    writes: Writes = field(default_factory=lambda: Writes({}, 0))
    accepted: str = ""
    blocked: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[tuple[str, str], Refusal] = field(default_factory=dict)
    later: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> Hashable:
        """What people have said; as `Rollouts.said`."""
        return self.commands, self.holds


@dataclass(slots=True)
class Look:
    """All rollouts of a target at one moment.

    `standing` are those that say what is wanted now, by id, oldest first; `stored` are they as they were before this look.
    `git` holds the declared documents: what holds a split has a say in weights alone. `refused` says of units, by name, why
    what Git wants of them cannot be rolled out: none of it may be written then. `kept` are objects of services that somebody
    holds, each with the reason, whether they roll or not; `awaiting` are those that a newer commit has added to the unit of a
    rollout, which would let them in at once. `saved` once it is stored what came of it; before, it is what would. `expected` is
    how many Pods Git expects now, by ServiceEntry.
    """

    mesh: Mesh
    git: Mapping[Key, Document]
    now: datetime
    pace: Pace
    cap: int
    heard: Heard
    stored: Mapping[str, Rollout]
    standing: dict[str, Rollout]
    gatekeeper: Gatekeeper
    force: Force = field(default_factory=Force)
    judged: dict[str, tuple[GateLook, ...]] = field(default_factory=dict)
    actions: dict[str, list[Action]] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    refused: dict[str, NoWay] = field(default_factory=dict)
    gone: list[Rollout] = field(default_factory=list)
    kept: Mapping[Key, str] = field(default_factory=dict)
    awaiting: dict[Key, Awaited] = field(default_factory=dict)
    expected: Mapping[Key, int] = field(default_factory=dict)
    saved: bool = False
    _newer: dict[str, str] = field(default_factory=dict)
    _ahead: dict[Key, Document | None] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    @property
    def wanted(self) -> dict[Key, Document | None]:
        """What rollouts want of their objects now, and drains of theirs."""
        found: dict[Key, Document | None] = {}
        for one in self.standing.values():
            if one.stands:
                meant = upheld(one, self.git, self.mesh) if one.holds else effective(one, self.mesh)
                found |= {**meant, **with_strangers(one, meant, self.mesh)}
        # Where a VM is that joined a group, and whether it is there, no rollout knows better than its join.
        found = {key: with_join_of(one, self.git.get(key)) for key, one in found.items()}
        in_git: dict[Key, Document | None] = {key: self.git[key] for key in self.mesh.draining if key in self.git}
        return {**found, **self.mesh.as_drained({key: found.get(key, one) for key, one in in_git.items()})}

    @property
    def under_way(self) -> list[Rollout]:
        """The rollouts that have not led to what Git wants."""
        return [one for one in self.standing.values() if one.stands and not one.holds]

    @property
    def rolling(self) -> dict[Key, str]:
        """The objects of rollouts, each with its rollout's digest: another one on the way back, which nobody has reviewed."""
        return {key: f"{one.digest}{' back' * one.goes_back}" for one in self.under_way for key in one.way.after}

    def limits(self, changing: Collection[Key]) -> tuple[dict[Key, bool], dict[Key, Bound]]:
        """Return what `gains_of` says of the endpoints, and the bounds by ServiceEntry, of all rollouts with changes."""
        found = [one for one in self.standing.values() if one.stands and not one.on.after.keys().isdisjoint(changing)]
        gains: dict[Key, bool] = {}
        bounds: dict[Key, Bound] = {}
        for one in found:
            if one.on.steps:
                courses = course_of(one.on, one.step, self.mesh)
                gains |= gains_of(one, courses)
                bounds |= {bound.entry: bound for bound in bounds_of(one, courses, self.mesh)}
        return gains, bounds

    @property
    def untouchable(self) -> dict[Key, str]:
        """The objects that must not be written at all, each with the reason."""
        own = {key: one.reason for one in self.standing.values() if one.hands_off for key in one.way.after}
        return {**{key: str(one) for key, one in self.awaiting.items()}, **self.kept, **own}

    def begin(self, found: Iterable[Wish], revision: Revision, policy_of: PolicyOf, attempts: Attempts) -> bool:
        """Begin rollouts where Git wants something else than what stands; returns whether anything else is wanted now."""
        before = dict(self.standing)
        for wish in found:
            self._begin(wish, revision, policy_of(wish.unit), attempts)
        return self.standing != before

    def _begin(self, wish: Wish, revision: Revision, policy: RolloutPolicy | None, attempts: Attempts) -> None:
        split = policy.split if policy else None
        rivals = self._rivals(wish)
        if any(leads_to(one, wish, split) for one in rivals):
            return
        if along := self._along(rivals, wish, split, revision):
            self._put(along, (Begun(revision),))
            return
        if self._awaits(wish, rivals, revision):
            return
        self.awaiting = {key: why for key, why in self.awaiting.items() if key not in wish.after}
        before = rivals[-1] if rivals else None
        policy = policy or (AT_ONCE if before and before.holds else None)
        found = None
        if policy and wish.serves:
            content = content_of(wish.after, split)
            refusal = self.heard.refusals.get((wish.unit.name, content))
            if refusal and not self._is_forgiven(refusal):
                why = f"refused since {refusal.commit[:10]}: {refusal.reason}"
                self.refused[wish.unit.name] = NoWay(why, retry=refusal.rollout)
                self._asked.add(refusal.rollout)
                return
            attempt = attempts(wish.unit.name, content) + 1
            found = begun(wish, policy, self.mesh, revision, self.now, before=before, attempt=attempt)
        if found is not None and found.way.refused:
            self.refused[wish.unit.name] = NoWay(found.way.refused, found.way.culprit or next(iter(wish.unit.policies), None))
            return
        if found is None and before and before.holds and wish.stays:
            return
        for one in rivals:
            self.gone.append(replace(one, successor=found.id if found else revision.id))
            del self.standing[one.id]
        if found is not None:
            base = before.base if before and before.outcome is not Outcome.SUCCEEDED else self.heard.accepted
            self._put(replace(found, base=base), (Begun(revision),))

    def look_ahead(self, found: Iterable[Wish], revision: Revision, policy_of: PolicyOf) -> dict[Key, Document | None]:
        """Note what waits for rollouts to make way, and begin nothing; returns what stands of that beside them until then."""
        for wish in found:
            policy, rivals = policy_of(wish.unit), self._rivals(wish)
            split = policy.split if policy else None
            if not any(leads_to(one, wish, split) for one in rivals) and not self._along(rivals, wish, split, revision):
                self._awaits(wish, rivals, revision)
        return {key: one.before for key, one in self.awaiting.items()}

    def _rivals(self, wish: Wish) -> list[Rollout]:
        """Return the rollouts that have a say in objects of a wish."""
        return [one for one in self.standing.values() if self._counts(one) and one.way.after.keys() & wish.after.keys()]

    def _along(self, rivals: Sequence[Rollout], wish: Wish, split: Fraction | None, revision: Revision) -> Rollout | None:
        """Return the rollout that takes along what a wish is about, if one does."""
        along = taken_along(rivals[0], wish, split, revision) if len(rivals) == 1 else None
        return along if along and (wish.unit.name, along.content) not in self.heard.refusals else None

    def _awaits(self, wish: Wish, rivals: Iterable[Rollout], revision: Revision) -> bool:
        """Tell whether a wish waits for a rollout to make way, and note that."""
        self._newer |= dict.fromkeys((one.id for one in rivals), revision.id)
        under_way = next((one for one in rivals if one.phase is not Phase.IDLE), None)
        if under_way is None:
            return False
        known = {key for one in rivals for key in one.way.after}
        for key, after in wish.after.items():
            if key in known:
                self._ahead[key] = after
            else:
                self.awaiting[key] = Awaited(under_way.id, revision.id, wish.before[key], after)
        return True

    def _is_forgiven(self, refusal: Refusal) -> bool:
        """Tell whether somebody has let it be tried again in this very look."""
        return any(isinstance(one, Forgive) for one in self.actions.get(refusal.rollout, ()))

    def _counts(self, rollout: Rollout) -> bool:
        """Tell whether a rollout has a say in what begins: not one of the past that is here because somebody speaks to it."""
        return not rollout.successor and rollout.id not in self.heard.later

    def advance(self, differences: Iterable[ObjectDiff]) -> bool:
        """Lead every rollout on by what the differences show; returns whether any wants something else now."""
        by_key = {one.key: one for one in differences}
        before = self.wanted
        scenes = [(one, scene_of(one, self.mesh, self.now)) for one in self.standing.values() if self.gatekeeper.armed(one)]
        for key, (rollout, judged) in self.gatekeeper.judge(scenes).items():
            self.standing[key], self.judged[key] = rollout, judged
        spoken_to = {one.rollout for one in self.heard.commands}
        for rollout in list(self.standing.values()):
            if not rollout.holds or rollout.id in spoken_to:
                self._advance(rollout, by_key)
        return self.wanted != before

    def _advance(self, rollout: Rollout, differences: Mapping[Key, ObjectDiff]) -> None:
        seen = self._seen(rollout, differences)
        self.seen[rollout.id] = seen
        after, actions = advance(rollout, seen, self.now, self.pace)
        found = list(actions)
        for action in actions:
            if isinstance(action, PlanBack):
                after, more = self._set_out(after, action)
                found += more
        self._put(anchored(after, rollout, self.mesh), found)

    def _set_out(self, rollout: Rollout, asked: PlanBack) -> tuple[Rollout, tuple[Action, ...]]:
        """Find the way back from where the unit stands, by the planner that finds every way."""
        stands = effective(replace(rollout, replan=False), self.mesh)
        goal = rollout.origin if asked.goal < 0 else _after_step(rollout, asked.goal, self.mesh)
        splits = splits_back(rollout, stands, asked.goal, self.mesh)
        policy = rollout.policy if not asked.at_once else replace(rollout.policy, steps=rollout.policy.steps[-1:])
        found = way_to(stands, goal, policy, self.mesh, splits)
        back = found if found is not None else replace(rollout.way, legs=(), steps=(), before=stands, after=goal)
        return set_out_on(rollout, None if back.refused else back, self.now)

    def _seen(self, rollout: Rollout, differences: Mapping[Key, ObjectDiff]) -> Seen:
        others = self.under_way
        # Where a word has made something else wanted, the same look goes on from there.
        answered = {one.command.id for one in self.actions.get(rollout.id, ()) if isinstance(one, Answered)}
        return replace(
            seen_of(rollout, differences, self.mesh),
            failed=self.heard.writes.failed(rollout),
            in_force=self.force.of(rollout, self.mesh, self.pace),
            overrun=overrun(rollout, self.expected, self.mesh),
            blocked=self._blocked(rollout, differences),
            gates=judged_of(self.judged.get(rollout.id, ())),
            place=rollout.id in may_begin(others, self.cap),
            hold=next((one for unit, one in self.holds.items() if unit in names_of(rollout.unit, rollout.way.after)), None),
            group=tuple(mates_of(rollout, others)),
            newer=self._newer.get(rollout.id, ""),
            later=self.heard.later.get(rollout.id, ""),
            asked=rollout.id in self._asked,
            commands=tuple(one for one in self.heard.commands if one.rollout == rollout.id and one.id not in answered),
        )

    def _blocked(self, rollout: Rollout, differences: Mapping[Key, ObjectDiff]) -> str:
        """Say what holds a rollout's writes back: a guard on its unit, or the law that keeps a drained VM in."""
        blocked, own = self.heard.blocked, [key for key in self.mesh.draining if key in rollout.on.after and key in differences]
        return blocked.get(rollout.unit) or next((blocked[str(key)] for key in own if str(key) in blocked), "")

    def _put(self, rollout: Rollout, actions: Iterable[Action]) -> None:
        self.standing[rollout.id] = rollout
        self.actions.setdefault(rollout.id, []).extend(actions)

    def take_figures(self, *, ahead: bool) -> None:
        """Keep with every rollout under way what this look has found out about its shares; `ahead`: on all of its way."""
        for one in self.under_way:
            found = figures(one, self.seen.get(one.id, Seen()), self.mesh, self.now, self.pace, ahead=ahead)
            if found.shares and not found.measured and (why := self.gatekeeper.unmeasured(one.policy)):
                found = replace(found, measured=f"{UNMEASURED}: {why}")
            self.standing[one.id] = replace(one, figures=found)

    def outlooks(self, written: AbstractSet[Key], left: AbstractSet[Key], *, predict: bool) -> tuple[Outlook, ...]:
        """Return how all rollouts look after this look, with the objects that were written since and those that were not."""
        mesh = self.mesh if predict else None
        found = [self._outlook(one, self._waits(one, written, left), mesh, written) for one in self.under_way]
        said = [
            (*self.gatekeeper.hopeless(one), *remarks(one, self.git, self.mesh), *self._behind(one)) for one in self.under_way
        ]
        unread = self.force.problem
        return tuple(replace(one, notes=(*one.notes, *notes, *unread)) for one, notes in zip(found, said, strict=True))

    def _behind(self, rollout: Rollout) -> Iterator[str]:
        """Say which commit waits for a rollout to make way."""
        if rollout.id in self._newer and rollout.phase is not Phase.IDLE:
            yield f"commit {self._newer[rollout.id][:10]} wants something else, and waits until it can take over"
        yield from (f"{key} {one}" for key, one in self.awaiting.items() if one.rollout == rollout.id)

    def _outlook(self, one: Rollout, missing: Iterable[Wait], mesh: Mesh | None, written: AbstractSet[Key]) -> Outlook:
        found, before = outlook(one, missing, mesh), self.stored.get(one.id)
        if found.figures and written & one.on.after.keys():
            found = replace(found, figures=replace(found.figures, shares=()))  # they are of the time before
        if not self._foresees(one):
            return found
        begins = one.phase is Phase.APPLYING and (before is None or before.phase is Phase.WAITING)
        return replace(found, foreseen=True, reason="" if begins else one.reason)

    def _foresees(self, one: Rollout) -> bool:
        """Tell whether a rollout has come to where it is in this look alone."""
        before = self.stored.get(one.id)
        return not self.saved and (before is None or _place(before) != _place(one))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of splits that are held with no rollout under way."""
        held = [one for one in self.standing.values() if one.holds]
        return tuple(f"{one.unit}: {note}" for one in held for note in remarks(one, self.git, self.mesh))

    def held(self, rollout: str) -> tuple[ObjectDiff, ...]:
        """Return what a rollout holds back from what Git says."""
        one = self.standing[rollout]
        newer = {key: said for key, said in self._ahead.items() if key in one.way.after}
        awaited = {key: said for key, said in self.awaiting.items() if said.rollout == rollout}
        return held_back(one, self.mesh, newer, awaited)

    def _waits(self, rollout: Rollout, written: AbstractSet[Key], left: AbstractSet[Key]) -> tuple[Wait, ...]:
        """What was written since the look is not missing any more: from now on it is on its way to the proxies."""
        if self._foresees(rollout) and rollout.phase in _WRITING:
            return ()
        seen, keys = self.seen.get(rollout.id, Seen()), rollout.on.after.keys()
        if keys & written and not keys & left:
            seen = replace(seen, written=True)
            rollout = replace(rollout, time=replace(rollout.time, settled=timedelta(0)))
        return waits(rollout, seen, self.pace)

    @property
    def retaken(self) -> frozenset[Key]:
        """The objects of which somebody raised the exposure by hand: that is put back, whoever owns the field now.

        And those to whose lists somebody has added something, where that must not hold up the rollout: it is written along to
        what was generated, and on the way back to all. Going on with what Git has, its owner has a say.
        """
        moving = [one for one in self.standing.values() if one.stands and one.started and not one.hands_off and has_lists(one)]
        added = frozenset(
            key
            for one in moving
            for key, document in with_strangers(one, effective(one, self.mesh), self.mesh).items()
            if one.goes_back or is_generated(document)
        )
        return added | frozenset(
            edit.key
            for key, seen in self.seen.items()
            if key in self.standing and not self.standing[key].hands_off
            for edit in seen.hand_edits
            if not edit.lowers or self.standing[key].overrules
        )

    @property
    def taken_over(self) -> bool:
        """Whether a rollout has just ended for a newer revision, or been let in again, which can begin now."""
        let_in = (one.tries_again and self.stored[one.id].refused for one in self.standing.values() if one.id in self.stored)
        return any(self.standing[key].phase is Phase.IDLE for key in self._newer if key in self.standing) or any(let_in)

    def changes(self) -> Iterator[Change]:
        """Yield what to store of every rollout, those among them that something took over from."""
        for one in (*self.gone, *self.standing.values()):
            if one.holds and one.turn and not self.actions.get(one.id):
                continue  # stored as it is
            pieces = [piece for look in self.judged.get(one.id, ()) for piece in evidence_of(look, one.step)]
            pieces += shares_told(one, self.stored.get(one.id))
            yield change_of(one, self.actions.get(one.id, ()), self.now, pieces)

    @property
    def holds(self) -> dict[str, Hold]:
        """The holds in force, by the unit that they name."""
        return in_force(self.heard.holds, self.now)

    @property
    def due(self) -> datetime | None:
        """When to look again at the latest: so that no time goes by unobserved, and no gate is late."""
        found = [next_look(one, self.seen[key], self.pace, self.now) for key, one in self.standing.items() if key in self.seen]
        found += [self.now + gate.interval for one in self.standing.values() for gate in self.gatekeeper.armed(one)]
        found += [hold.until for hold in self.holds.values()]
        found += [one.due for one in self.mesh.draining.values()]
        return min((one for one in found if one is not None), default=None)


def _place(rollout: Rollout) -> tuple[Phase, int, int, bool]:
    return rollout.phase, rollout.step, rollout.stage, rollout.goes_back


def _after_step(rollout: Rollout, step: int, mesh: Mesh) -> dict[Key, Document | None]:
    return at(rollout.way, step, len(rollout.way.steps[step].stages) - 1, mesh)
