"""A rollout as people look at it: every step with what it moves, what it waits for, and where requests would go."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from reconciler.core.changes import ObjectDiff
from reconciler.core.plans import Split
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.capacity import Need, Trust, needs, overload
from reconciler.core.rollouts.effective import at, starting
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase, Rollout
from reconciler.core.rollouts.values import Documents, Figures, LegKind
from reconciler.core.rollouts.waits import For, Wait
from reconciler.core.splits import splits

#: Phases in which a rollout does not go on by itself.
STILL = (Phase.PAUSED, Phase.HALTED, Phase.IDLE)


class Standing(StrEnum):
    """Where a step is."""

    PASSED = "passed"
    CURRENT = "current"
    COMING = "coming"


@dataclass(frozen=True, slots=True)
class StepOutlook:
    """One step. `split` is the predicted traffic once it is in force, by today's Pods; empty where nobody asked for it.

    `objects` are those that it changes, neighbours whose weights move along with them too; without a prediction those of the
    whole leg, and none where weights decide.
    `watch` is for how long gates stay armed after it. `needs` are the Pods that it takes. `lacks` says who could not carry what
    it would get at a step to come; it waits for these then.
    """

    leg: LegKind
    exposure: Fraction
    standing: Standing
    objects: tuple[Key, ...]
    hold: timedelta = timedelta(0)
    gates: tuple[str, ...] = ()
    approval: bool = False
    merged: tuple[Fraction, ...] = ()
    notes: tuple[str, ...] = ()
    split: tuple[Split, ...] = ()
    lacks: str = ""
    needs: tuple[Need, ...] = ()
    watch: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """One rollout at one moment. `start` is the predicted traffic before its first step, `waits` what it waits for now.

    `held` is what it holds back from what Git says (`held_back`); empty where nobody asked. `foreseen`: it would get there now,
    and nothing of that was stored or written. `figures` are those of the last look, None once it has ended. `cause` is why it
    is paused; `asked` says what a person is asked to approve, empty where nobody is.
    """

    id: str
    unit: str
    commit: str
    digest: str
    attempt: int
    phase: Phase
    outcome: Outcome
    reason: str
    back: bool
    began: datetime
    entered: datetime | None
    steps: tuple[StepOutlook, ...]
    start: tuple[Split, ...] = ()
    waits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    held: tuple[ObjectDiff, ...] = ()
    foreseen: bool = False
    figures: Figures | None = None
    cause: Cause = Cause.NONE
    asked: str = ""

    @property
    def moves(self) -> bool:
        """Whether it goes on by itself, sooner or later."""
        return self.phase not in STILL


def outlook(rollout: Rollout, waits: Iterable[Wait] = (), mesh: Mesh | None = None) -> Outlook:
    """Return how a rollout looks; with a mesh also where requests would go at each of its steps."""
    way, steps, missing = rollout.on, tuple(_steps(rollout, mesh)), tuple(waits)
    unseen = dict.fromkeys(need.scale.unseen for step in steps for need in step.needs if need.scale.unseen)
    return Outlook(
        id=rollout.id,
        unit=rollout.unit,
        commit=rollout.commit,
        digest=rollout.digest,
        attempt=rollout.attempt,
        phase=rollout.phase,
        outcome=rollout.outcome,
        reason=rollout.reason,
        back=rollout.goes_back,
        began=rollout.began,
        entered=rollout.entered,
        steps=steps,
        start=_split(way.before, mesh) if mesh else (),
        waits=tuple(one.text for one in missing),
        notes=(*rollout.policy.notes, *way.notes, *unseen),
        figures=rollout.figures if rollout.outcome is Outcome.NONE else None,
        cause=rollout.cause,
        asked=next((one.text for one in reversed(missing) if one.what in (For.APPROVAL, For.PODS)), ""),
    )


def _steps(rollout: Rollout, mesh: Mesh | None) -> Iterator[StepOutlook]:
    way = rollout.on
    before = starting(rollout, mesh) if mesh and way.steps else {}
    for number, step in enumerate(way.steps):
        leg = way.legs[step.leg]
        found = StepOutlook(
            leg=leg.kind,
            exposure=step.exposure,
            standing=_standing(rollout, number),
            objects=() if leg.kind is LegKind.TRAFFIC else tuple(sorted(leg.after)),
            hold=step.hold,
            gates=step.gates,
            approval=step.approval,
            merged=step.merged,
            notes=step.notes,
            watch=timedelta(0) if rollout.back or number != way.watched else rollout.policy.watch,
        )
        if mesh is None:
            yield found
        else:
            documents = at(way, number, len(step.stages) - 1, mesh)
            yield _predicted(found, rollout, number, (before, documents), mesh)
            before = documents


def _predicted(
    found: StepOutlook, rollout: Rollout, number: int, around: tuple[Documents, Documents], mesh: Mesh
) -> StepOutlook:
    """Return a step with what the mesh says of it, given the documents before and after it."""
    way, trust = rollout.on, Trust.in_rollout(rollout)
    before, after = around
    return replace(
        found,
        objects=tuple(sorted(key for key, one in after.items() if _weighed(one) != _weighed(before.get(key)))),
        lacks=overload(way, number, trust, mesh) if found.standing is Standing.COMING else "",
        needs=tuple(needs(way, number, trust, mesh)),
        split=_split(after, mesh),
    )


def _weighed(document: Document | None) -> Document | None:
    """Return a document with the weight that counts: one that is left out is 1."""
    if document is None or document["kind"] != "WorkloadEntry":
        return document
    return {**document, "spec": {**document["spec"], "weight": document["spec"].get("weight") or 1}}


def _standing(rollout: Rollout, number: int) -> Standing:
    if number < rollout.step or (not rollout.goes_back and number <= rollout.passed):
        return Standing.PASSED
    return Standing.CURRENT if number == rollout.step and rollout.started else Standing.COMING


def _split(documents: Documents, mesh: Mesh) -> tuple[Split, ...]:
    hosts = {
        (key.namespace, host)
        for key, one in documents.items()
        if key.kind == "ServiceEntry" and one is not None
        for host in one["spec"].get("hosts") or ()
    }
    return splits(mesh.world(documents), hosts)
