"""Rollouts told again and again with a kill somewhere: what stands, what Git wants, and what must be true meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from reconciler.core.resources import Document, Key, ObservedState, Pod
from reconciler.core.rollouts.mesh import PODS, Mesh, shares
from reconciler.core.rollouts.records import Evidence, EvidenceKind
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.seen import Command, Pace, Word
from reconciler.ports import Store
from tests.building import service_entry, workload_entry
from tests.crash.mesh import within
from tests.worlds import SHOP, inline, mixed, pod

#: Between two looks.
LOOK = timedelta(seconds=10)
PACE = Pace(settle=timedelta(seconds=5))
#: In so many looks every story has ended, whatever happened to it.
LONGEST = 60


def _vm(number: int, **spec: Any) -> Document:
    return workload_entry(f"vm{number}", **{"address": f"10.0.0.{number}", **spec})


def _policy(**spec: Any) -> Document:
    steps = [{"exposure": "25%", "hold": "10s"}, {"exposure": "100%"}]
    return {
        "apiVersion": "mesh-reconciler.io/v1alpha1",
        "kind": "RolloutPolicy",
        "metadata": {"name": "billing", "namespace": "shop"},
        "spec": {"serviceEntry": "billing", "steps": steps, "watch": "10s", **spec},
    }


@dataclass(frozen=True)
class Story:
    """What stands, what Git wants then, who comes in by it with which share, and whether somebody aborts it half-way.

    `strategy` is that of the policy.
    """

    before: Sequence[Document]
    after: Sequence[Document]
    entering: str
    share: Fraction
    pods: int = 0
    strategy: str = "weights"
    aborted: bool = False

    def commits(self, elsewhere: str = "") -> tuple[list[Document], list[Document]]:
        """What Git says first and then, with the policy; in another namespace, that namespace is not among it."""
        before, after = ([*each, _policy(strategy=self.strategy)] for each in (self.before, self.after))
        if not elsewhere:
            return before, after
        kept = ([one for one in each if one["kind"] != "Namespace"] for each in (before, after))
        first, then = (within(elsewhere, *each) for each in kept)
        return first, then

    def exposure(self, objects: Mapping[Key, Document], pods: Iterable[Pod], namespace: str = "shop") -> Fraction | None:
        """How far the requests are on their way while the cluster holds these objects; None: the service is empty."""
        found = shares(Mesh(ObservedState({}, pods=tuple(pods))).world(objects), Key("ServiceEntry", namespace, "billing"), {})
        who = PODS if self.entering == "pods" else Key("WorkloadEntry", namespace, self.entering)
        return found.get(who, Fraction(0)) / self.share if found else None

    def abort(self, store: Store, now: datetime) -> None:
        """Somebody aborts the rollout once its first step is in force; saying it again is harmless."""
        found = newest(store)
        if self.aborted and found and (found.phase, found.step) == (Phase.SOAKING, 0):
            store.rollouts.say(Command("a", found.id, Word.ABORT, "eve", "tired", now, digest=found.digest))


_LABELS = {"app": "billing", "platform": "vm"}
_LABELLED = [_vm(number, labels=_LABELS) for number in (1, 2)]

STORIES = {
    "new VM": Story(mixed(_vm(1), _vm(2)), mixed(_vm(1), _vm(2), _vm(3)), "vm3", Fraction(1, 3)),
    "VM to Pod": Story(inline("10.0.0.1", "10.0.0.2"), mixed(_vm(1), _vm(2)), "pods", Fraction(1, 2), pods=2),
    "aborted": Story(mixed(_vm(1), _vm(2)), mixed(_vm(1), _vm(2), _vm(3)), "vm3", Fraction(1, 3), aborted=True),
    "by routes": Story(
        [SHOP, service_entry(workloadSelector={"labels": _LABELS}), *_LABELLED],
        mixed(*_LABELLED),
        "pods",
        Fraction(1, 2),
        pods=2,
        strategy="subsets",
    ),
}


def pods_of(story: Story) -> tuple[Pod, ...]:
    """The Pods that are there from the start."""
    found = tuple(pod(number + 1) for number in range(story.pods))
    labels = {"app": "billing", "platform": "pod"}
    return tuple(replace(one, labels=labels) for one in found) if story.strategy == "subsets" else found


def newest(store: Store) -> Rollout | None:
    """The one rollout, once it has begun."""
    return next(iter(store.rollouts.history(1)), None)


def is_over(store: Store) -> bool:
    """Whether the rollout has begun and ended."""
    found = newest(store)
    return found is not None and found.phase is Phase.IDLE


def told(store: Store) -> dict[str, Any]:
    """All that a store tells of the one rollout but its times: how it ended, and its evidence."""
    rollout = newest(store)
    assert rollout is not None
    assert len(store.rollouts.history(10)) == 1
    evidence = store.rollouts.evidence(rollout.id)
    return {
        "rollout": (rollout.outcome, rollout.step, rollout.passed),
        # What was observed on the way is another thing where a process was killed on it.
        "evidence": [_what(one) for one in evidence if one.kind not in (EvidenceKind.WRITE, EvidenceKind.SHARES)],
        "writes": sorted(_what(one) for one in evidence if one.kind is EvidenceKind.WRITE),
    }


def passed(state: Mapping[str, Any]) -> list[str]:
    """The steps that passed, in order, of what was told."""
    return [step for _, step, event, _ in state["evidence"] if event in ("passed", "finished")]


def _what(one: Evidence) -> tuple[str, ...]:
    data = {name: one.data.get(name) for name in ("source", "target", "action", "outcome", "weights")}
    return (str(one.kind), str(one.step), one.name, str(data))
