"""Where a rollout is, kept on its ServiceEntry: what is left to go on from when the state store is lost.

One annotation on the unit's first ServiceEntry by name, well below 1 KiB of the 256 KiB that all annotations of an object may
have. It belongs to a field manager of its own, so that it is no content of ours: nothing compares, rolls out or undoes it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from reconciler.core.resources import Key, LiveObject
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.wanted import marked_for

CHECKPOINT = "mesh-reconciler.io/checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A rollout by its id, the commit that it leads to and the one accepted before, the plan's digest, and its place.

    `step` and `stage` are indices into its way, or into the way `back`. `undone`: it has ended there, and what it
    was to lead to is refused.
    """

    rollout: str
    commit: str
    base: str
    digest: str
    step: int
    stage: int
    back: bool
    undone: bool = False

    @classmethod
    def of(cls, rollout: Rollout) -> "Checkpoint":
        return cls(
            rollout.id,
            rollout.commit,
            rollout.base,
            rollout.digest,
            rollout.step,
            rollout.stage,
            rollout.back is not None,
            _is_refused(rollout),
        )

    @classmethod
    def read(cls, text: str) -> "Checkpoint | None":
        """Return what `text` wrote, None for what somebody else did."""
        try:
            found = cls(**json.loads(text))
        except (ValueError, TypeError):
            return None
        texts, places = (found.rollout, found.commit, found.base, found.digest), (found.step, found.stage)
        is_whole = all(isinstance(one, str) for one in texts) and all(type(one) is int and one >= 0 for one in places)
        return found if is_whole and found.rollout else None

    @property
    def text(self) -> str:
        fields = {name: value for name, value in asdict(self).items() if name != "undone" or value}
        return json.dumps(fields, separators=(",", ":"))


def checkpoints(
    rollouts: Iterable[Rollout], objects: Mapping[Key, LiveObject], target: str
) -> Iterator[tuple[Key, str | None]]:
    """Yield each ServiceEntry of a target whose checkpoint is not as it should be, with what it should be (None: none).

    While nothing of a unit may be written, its checkpoint stays as it is.
    """
    wanted: dict[Key, str | None] = {}
    left = set[Key]()
    for one in rollouts:
        entry = _entry(one, objects)
        if entry and one.hands_off:
            left.add(entry)
        elif entry and ((one.started and one.phase is not Phase.IDLE) or _is_refused(one)):
            wanted[entry] = Checkpoint.of(one).text
    entries = ((key, live) for key, live in objects.items() if key.kind == "ServiceEntry")
    stale = (key for key, live in entries if CHECKPOINT in live.annotations and key not in wanted)
    for key, text in (*wanted.items(), *((key, None) for key in stale)):
        live = objects[key]
        if key not in left and marked_for(live.labels) == target and live.annotations.get(CHECKPOINT) != text:
            yield key, text


def found_in(objects: Mapping[Key, LiveObject], target: str) -> dict[Key, Checkpoint]:
    """Return the checkpoints on the ServiceEntries of a target."""
    texts = {key: live.annotations.get(CHECKPOINT, "") for key, live in objects.items() if marked_for(live.labels) == target}
    read = {key: Checkpoint.read(text) for key, text in texts.items() if text and key.kind == "ServiceEntry"}
    return {key: one for key, one in read.items() if one}


def _is_refused(rollout: Rollout) -> bool:
    """Tell whether a rollout has ended at its origin and says what is wanted, although Git asks for something else."""
    return rollout.outcome is Outcome.UNDONE and rollout.refused and rollout.stands


def _entry(rollout: Rollout, objects: Mapping[Key, LiveObject]) -> Key | None:
    return min((key for key in rollout.way.after if key.kind == "ServiceEntry" and key in objects), default=None)
