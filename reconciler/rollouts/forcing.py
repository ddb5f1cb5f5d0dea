"""Whether what rollouts have written is in force, asked of istiod once a look, and only while somebody waits for it."""

from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.core.rollouts.force import in_force
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.seen import Pace
from reconciler.core.rollouts.values import Told
from reconciler.errors import InvalidInput, Unavailable
from reconciler.ports import Discovery

#: In these phases what was written may have yet to come into force; later than `Pace.settle` it has. A step that is being made
#: waits for istiod however long it takes, a way back must not.
_WAITING = (Phase.SOAKING, Phase.WATCHING, Phase.UNDOING)


@dataclass(slots=True)
class Force:
    """The answer of one look. `problem` says why there is none, where there should be: time decides then."""

    discovery: Discovery | None = None
    problem: tuple[str, ...] = ()
    _told: tuple[Told, ...] | None = field(default=None, init=False)

    def of(self, rollout: Rollout, mesh: Mesh, pace: Pace) -> bool | None:
        """Tell whether a rollout's stage is in force, None where time has told it already, or nothing else can."""
        is_new = rollout.phase in _WAITING and (rollout.time.settled or timedelta(0)) < pace.settle
        waits = is_new or rollout.phase is Phase.APPLYING
        if self.discovery is None or not waits or rollout.replan or not rollout.on.steps or self.problem:
            return None
        if self._told is None:
            try:
                self._told = self.discovery.told()
            except (Unavailable, InvalidInput) as error:
                self.problem = (f"what istiod tells proxies cannot be read, so that time decides what is in force: {error}",)
                return None
        return in_force(rollout, self._told, mesh)
