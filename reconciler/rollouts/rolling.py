"""The rollouts of one target in a cycle, kept in its store: looked at, begun, and saved.

What came of a look is saved in one transaction before anything is written; a cycle that does not write saves nothing, and shows
what would happen.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.core.changes import ObjectDiff, State
from reconciler.core.health.drains import Draining
from reconciler.core.modes import unit_mode
from reconciler.core.plans import GuardCode, Mode, Plan, PlanSettings
from reconciler.core.resources import DesiredState, Document, Key, ObservedState
from reconciler.core.rollouts.beginning import Wish, otherwise_split, wishes
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.policies import Policies, RolloutLimits, policy_of
from reconciler.core.rollouts.policy import AT_ONCE, RolloutPolicy
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.seen import Command, Pace
from reconciler.core.rollouts.values import Documents
from reconciler.core.units import Cutter, Unit
from reconciler.ports import Discovery, Store
from reconciler.rollouts.forcing import Force
from reconciler.rollouts.gating import Gatekeeper
from reconciler.rollouts.leading import Heard, Look, PolicyOf
from reconciler.writes.journalled import Writes


class Rollouts:
    """The rollouts of one target, kept in its store."""

    def __init__(
        self,
        store: Store,
        gatekeeper: Gatekeeper,
        limits: RolloutLimits,
        pace: Pace,
        plan: PlanSettings,
        cutter: Cutter,
        discovery: Discovery | None = None,
    ) -> None:
        self._store, self._gatekeeper, self._limits, self._pace, self._plan = store, gatekeeper, limits, pace, plan
        self._cutter, self._discovery = cutter, discovery
        self._mesh: Mesh | None = None
        self._blocked: dict[str, str] = {}

    def look(
        self, observed: ObservedState, git: Mapping[Key, Document], now: datetime, draining: Mapping[Key, Draining]
    ) -> Look:
        """Return all rollouts as they are stored, at this moment. Raises Unavailable."""
        store = self._store.rollouts
        refusals = {(one.unit, one.content): one for one in store.refusals()}
        commands = tuple(map(self._by_whom, store.commands()))
        named = [one for one in (store.get(said.rollout) for said in commands) if one]
        standing = {one.id: one for one in (*store.standing(), *named)}
        writes = Writes.read(self._store, standing.values())
        accepted = self._store.accepted()
        heard = Heard(
            commands, store.holds(), writes, accepted.id if accepted else "", self._blocked, refusals, self._later(named)
        )
        if self._mesh is None or self._mesh.observed is not observed:
            self._mesh = Mesh(observed, self._plan.cluster)
        self._mesh.look_again(draining)
        force, stored = Force(self._discovery), dict(standing)
        return Look(self._mesh, git, now, self._pace, self._limits.units, heard, stored, standing, self._gatekeeper, force)

    def begin(self, look: Look, desired: DesiredState, differences: Sequence[ObjectDiff]) -> bool:
        """Begin rollouts where Git wants something else than what was accepted; returns whether any is new.

        None begins for a unit that is only observed: it would never get anywhere.
        """
        found, policy_of = self._wishes(look, desired, differences)
        return look.begin(found, desired.revision, policy_of, self._attempts)

    def look_ahead(self, look: Look, desired: DesiredState, differences: Sequence[ObjectDiff]) -> Documents:
        """Note in a look what waits for rollouts under way to make way; returns what stands of that until then."""
        found, policy_of = self._wishes(look, desired, differences)
        return look.look_ahead(found, desired.revision, policy_of)

    def _wishes(self, look: Look, desired: DesiredState, differences: Sequence[ObjectDiff]) -> tuple[Iterable[Wish], PolicyOf]:
        """Return what Git wants to be otherwise of units that are not only observed, and what finds their policies."""
        git, policies = look.git, Policies.of(desired.policies, self._plan.root_namespace)
        look.expected = policies.expected()
        # What is to be tried again need not differ from Git in any object: a split is none.
        held = {
            key
            for one in look.under_way
            for key, new in one.way.after.items()
            if git.get(key) != new or (one.tries_again and key in git)
        }
        held |= otherwise_split(look.standing.values(), policies.splits()) & git.keys()
        changing = {one.key for one in differences if one.changes} | held

        def policy(unit: Unit) -> RolloutPolicy | None:
            found = policy_of(unit, policies, self._limits)
            return None if found == AT_ONCE else found

        if not changing:
            return (), policy
        units = self._cutter.cut(desired, look.mesh.observed, [*differences, *(ObjectDiff(key, State.IN_SYNC) for key in held)])
        written = self._store.written([key for unit in units for key in unit.keys if changing & set(unit.keys)])
        states = {one.key: one.state for one in differences}
        enforced = [
            one for one in units if unit_mode(Mode.ENFORCE, one.keys, git, look.mesh.observed, states).mode is Mode.ENFORCE
        ]
        return wishes(enforced, changing, git, written, look.mesh.observed, held), policy

    def save(self, look: Look) -> None:
        """Store what became of every rollout, before anything is written. Raises Unavailable, Conflict.

        Writes that another process left open have been read back since the look.
        """
        writes = Writes.read(self._store, look.stored.values())
        self._store.rollouts.save([writes.told(one, look.stored.get(one.rollout.id)) for one in look.changes()])
        look.saved = True

    def said(self) -> Hashable:
        """Return what people have said and all holds: equal as long as nobody says more. Raises Unavailable."""
        return self._store.rollouts.commands(), self._store.rollouts.holds()

    def _by_whom(self, command: Command) -> Command:
        """Return a command with the person and the role that our operator's settings know for the login it came from."""
        by, role = self._gatekeeper.library.people.known(command.by)
        return replace(command, by=by, role=role)

    def _later(self, named: Iterable[Rollout]) -> dict[str, str]:
        newest = {one.id: self._store.rollouts.history(1, unit=one.unit) for one in named}
        return {key: found[0].id for key, found in newest.items() if found and found[0].id != key}

    def _attempts(self, unit: str, content: str) -> int:
        return sum(one.content == content for one in self._store.rollouts.history(1_000, unit=unit))

    def learn(self, plan: Plan) -> None:
        """Keep what holds writes back, for the next look: by unit, and by the object of a VM whose drain is held."""
        self._blocked = {unit.name: unit.guards[0].message for unit in plan.units if unit.guards}
        last = [guard for unit in plan.units for guard in unit.guards if guard.code == GuardCode.LAST_ENDPOINT]
        self._blocked |= {str(key): guard.message for guard in last for key in guard.keys}
