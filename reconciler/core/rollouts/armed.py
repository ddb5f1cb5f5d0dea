"""Which gates of a rollout are armed now: those of the step, and after the last step all, as long as it is watched."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from reconciler.core.gates.spec import Approve, Gate, Health
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.values import LegKind

#: In every policy, also in one that says nothing of gates.
ENDPOINTS = Gate("endpoints", Health(), interval=timedelta(seconds=10), failures=3)
#: What a step with `approval` asks for.
APPROVAL = Gate("approval", Approve())

#: The name of what looks at the share of requests; no gate of a policy can have it.
SHARE = "observed share"
#: On these legs requests move between endpoints that metrics can tell apart.
_SHARING = (LegKind.TRAFFIC, LegKind.ROUTES)

_JUDGED = (Phase.SOAKING, Phase.WATCHING, Phase.PAUSED)


def armed(rollout: Rollout, named: Mapping[str, Gate], measured: Gate | None = None) -> Iterator[Gate]:
    """Yield the gates that count now, none while writes are made or nothing of the way is in force.

    `named` are all gates of the rollout's policy; `measured` looks at the share of requests, where somebody measures it.
    """
    if rollout.phase not in _JUDGED or not rollout.started or not rollout.on.steps or rollout.goes_back:
        return
    watching = rollout.phase is Phase.WATCHING
    yield ENDPOINTS
    if measured and rollout.on.legs[rollout.current.leg].kind in _SHARING:
        yield measured
    yield from (named[name] for name in (named if watching else rollout.current.gates) if name in named)
    if rollout.current.approval and not watching:
        yield APPROVAL
