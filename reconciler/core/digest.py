"""The digest that binds what a person has reviewed to what runs."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.core.changes import Cause
from reconciler.core.jobs import Job
from reconciler.core.resources import EMPTY, Key, Revision

#: Causes of changes of which no commit says anything.
_ASIDE = (Cause.JOIN, Cause.DRAIN)


def digest(
    target: str, revision: Revision, jobs: Sequence[Job], asks: Iterable[str], rolling: Mapping[Key, str] = EMPTY
) -> str:
    """Return the SHA-256 over commit, units with the content before and after, and overrides asked for.

    An object of a rollout stands in it with the digest of the rollout (`rolling`), which is over all of its way and steps, not
    with what the step in hand writes: computed weights, Pod counts and health change by the minute, and a plan that they make
    unlawful is refused anyway. Neither are VMs in it that join groups or leave them, or are drained, nor what waits and what
    goes: an approval stays good while a timer runs out.
    """
    content = {
        "target": target,
        "commit": revision.id,
        "units": [[job.name, _changes(job, rolling)] for job in sorted(jobs, key=lambda one: one.name) if not _is_aside(job)],
        "rollouts": sorted(set(rolling.values())),
        "overrides": sorted(set(asks)),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_aside(job: Job) -> bool:
    return all(write.change.cause in _ASIDE for write in job.writes)


def _changes(job: Job, rolling: Mapping[Key, str]) -> list[list[Any]]:
    """Return the changes by object, the several of one object in their order."""
    own = (write.change for write in job.writes if write.key not in rolling and write.change.cause not in _ASIDE)
    changes = sorted(own, key=lambda one: one.key)
    return [[str(one.key), one.action, one.managers, one.before, one.after] for one in changes]
