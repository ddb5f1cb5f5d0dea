"""Which share an undo restores: the one that was held at the origin, else whatever the documents' weights make of it."""

from fractions import Fraction

from reconciler.core.rollouts.balance import POINTS
from reconciler.core.rollouts.courses import Sides, share_now
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Outcome, Rollout


def origin_split(rollout: Rollout, mesh: Mesh) -> Fraction | None:
    """Return the VMs' share that is held at the origin of a rollout, None where the weights of that rule.

    They do where it took over from one that was on its way, where selectors or lists kept all Pods out so that there is nothing
    to be held against them, and where no split was held. But Pods that have come since then must not gain by an undo: what
    leads back by a share goes on holding it.
    """
    split = rollout.way.splits[0] if rollout.origin == rollout.way.before else None
    if split == 1:
        return None if _kept_out(rollout, mesh) else split
    if split is None or rollout.held:
        return split
    if rollout.outcome is Outcome.UNDONE:
        return rollout.back.splits[1] if rollout.back else None
    return None if _restores(rollout, split, mesh) else split


def _kept_out(rollout: Rollout, mesh: Mesh) -> bool:
    entries = tuple(Sides(rollout.origin, rollout.way.after).entries())
    return bool(entries) and all(one.opens and not mesh.pods_of(one.before) for one in entries)


def _restores(rollout: Rollout, start: Fraction, mesh: Mesh) -> bool:
    """Tell whether the origin's weights give the side that gains on the way what it had at the start, near enough, or less."""
    now, wanted = share_now(rollout.origin, mesh), rollout.way.splits[1]
    end = share_now(rollout.way.after, mesh) if wanted is None else wanted
    if now is None or end is None:
        return True
    gain = end - start
    return (now - start) * gain <= POINTS * abs(gain)
