"""The digest that binds what a person has reviewed to what runs."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from reconciler.core.jobs import Job
from reconciler.core.resources import Revision


def digest(target: str, revision: Revision, jobs: Sequence[Job], exposures: Sequence[Fraction], asks: Iterable[str]) -> str:
    """Return the SHA-256 over commit, units with the content before and after, exposures of the steps, and overrides asked for.

    Weights, Pod counts and health are not in it: they change by the minute, and a plan that they make unlawful is refused
    anyway. Nor is what waits and what goes: an approval stays good while a timer runs out.
    """
    content = {
        "target": target,
        "commit": revision.id,
        "units": [[job.name, _changes(job)] for job in sorted(jobs, key=lambda one: one.name)],
        "steps": [str(one) for one in exposures],
        "overrides": sorted(set(asks)),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _changes(job: Job) -> list[list[Any]]:
    """Return the changes by object, the several of one object in their order."""
    changes = sorted((write.change for write in job.writes), key=lambda one: one.key)
    return [[str(one.key), one.action, one.managers, one.before, one.after] for one in changes]
