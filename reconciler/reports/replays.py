"""A replay of gates as rows, as JSON, and in a sentence."""

from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.core.rollouts.replay import Replayed
from reconciler.core.rollouts.rollout import Rollout
from reconciler.reports import words
from reconciler.reports.safe import clean

HEADS = ("when", "step", "gate", "then", "now", "so the rollout would", "why")


def rows(looks: Iterable[Replayed]) -> list[tuple[str, ...]]:
    """Return one row a look."""
    return [
        (words.moment(one.at), str(one.step + 1), one.gate, one.then, one.now, one.consequence.value, one.verdict.says)
        for one in looks
    ]


def summary(looks: Sequence[Replayed]) -> str:
    """Return where the rollout would have stopped, in one sentence; of nothing that was kept nothing follows."""
    if not looks:
        return "no samples were kept: nobody can say what its gates would have done"
    stop = next((one for one in looks if one.stops), None)
    if stop is None:
        return "with these settings no gate would have stopped it"
    done = "gone back for harm" if stop.is_harm else "paused"
    return clean(f"it would have {done} at step {stop.step + 1}, {words.moment(stop.at)}: {stop.gate}: {stop.verdict.says}")


def document(rollout: Rollout, looks: Sequence[Replayed]) -> dict[str, Any]:
    """Return all of it as JSON. Without `samples`, that nothing `stops` it says nothing."""
    found = [
        {
            "at": one.at.isoformat(),
            "step": one.step + 1,
            "gate": one.gate,
            "then": one.then,
            "now": one.now,
            "consequence": one.consequence.value,
            "says": one.verdict.says,
        }
        for one in looks
    ]
    stop = next((row for row, one in zip(found, looks, strict=True) if one.stops), None)
    return {"rollout": rollout.id, "samples": len(found), "looks": found, "stops": stop}
