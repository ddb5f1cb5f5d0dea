"""A VM on its way out of service because a person says so, in stages. Each look finds the stage anew, from what it sees.

| stage | what is wanted | until |
|---|---|---|
| lowering | weight 1, so that few new requests come | that has stood for a while, or the VM is ill |
| leaving | out of the endpoint list: by its condition, or without its labels | it is out, which law 1 may hold up |
| ending | the same | it gets no requests any more, as far as they are counted, or the drain's time is over |
| drained | the same | a person lets it back in |

Where its health counts the condition takes it out; else the labels go. What an entry was before stands on it in a note, so that
weight and labels come back with the VM, and no rollout takes either for a change of Git's.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core.comparison import our_entry
from reconciler.core.drain import Drain
from reconciler.core.health.notes import noted, undrained, unpicked
from reconciler.core.health.vitals import Vital
from reconciler.core.health.words import reported
from reconciler.core.istio import Endpoint, ServiceEntry, WorkloadEntry, selects
from reconciler.core.resources import EMPTY, Document, Key, LiveObject, ObservedState
from reconciler.core.rollouts.legs import weighing
from reconciler.core.wanted import DRAINED_ANNOTATION
from reconciler.core.world import record_of


class Stage(StrEnum):
    """How far a drain is; a name never changes its meaning."""

    LOWERING = "lowering"
    LEAVING = "leaving"
    ENDING = "ending"
    DRAINED = "drained"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of a VM that is drained.

    `lowered` is when its weight was written last, None where the drain has not been written yet; `listed` whether it is in an
    endpoint list, `requests` how many it got within the last half minute, None where nobody counts.
    """

    weight: int
    lowered: datetime | None
    listed: bool
    ill: bool = False
    requests: int | None = None


def stage_of(drain: Drain, seen: Seen, now: datetime, settle: timedelta) -> Stage:
    """Return how far a drain is. `settle` is how long a weight takes to reach all clients."""
    over = now >= drain.until
    if not seen.listed:
        return Stage.DRAINED if over or seen.requests == 0 else Stage.ENDING
    lowered = seen.weight == 1 and seen.lowered is not None and now >= seen.lowered + settle
    return Stage.LEAVING if lowered or over or seen.ill else Stage.LOWERING


@dataclass(frozen=True, slots=True)
class Draining:
    """One VM that is drained. `labels` are those without which nothing picks it, none where its condition takes it out.

    `due` is when time alone may make another stage of it.
    """

    key: Key
    drain: Drain
    stage: Stage
    seen: Seen
    labels: frozenset[str] = frozenset()
    due: datetime | None = None

    @property
    def is_out(self) -> bool:
        return self.stage in (Stage.ENDING, Stage.DRAINED)

    @property
    def unlabelled(self) -> bool:
        """Whether it is to be without its labels by now."""
        return bool(self.labels) and self.stage is not Stage.LOWERING

    def laid_on(self, document: Document) -> Document:
        """Return a WorkloadEntry as it is wanted while the drain lasts."""
        out = unpicked(document, self.labels) if self.unlabelled else weighing(document, 1)
        return noted(out, document)


def as_it_stands(fleet: tuple[Vital, ...], observed: ObservedState, now: datetime) -> tuple[Vital, ...]:
    """Return a fleet in which a doubted record begins and ends no drain: whose entry has the note is drained, nobody else."""
    if not observed.recovering:
        return fleet
    return tuple(replace(one, drain=_noted_drain(one, now)) for one in fleet)


def _noted_drain(vital: Vital, now: datetime) -> Drain | None:
    if DRAINED_ANNOTATION not in vital.live.annotations:
        return None
    return vital.drain or Drain("a person", now, now)


def drains_of(
    fleet: Iterable[Vital],
    git: Mapping[Key, Document],
    observed: ObservedState,
    now: datetime,
    settle: timedelta,
    requests: Mapping[Key, int | None] = EMPTY,
) -> dict[Key, Draining]:
    """Return the VMs of a fleet that are drained. `requests` are told in `Seen`."""
    return {
        one.key: _draining(one, one.drain, git, observed, now, settle, requests.get(one.key))
        for one in fleet
        if one.drain is not None
    }


def _draining(
    vital: Vital,
    drain: Drain,
    git: Mapping[Key, Document],
    observed: ObservedState,
    now: datetime,
    settle: timedelta,
    requests: int | None,
) -> Draining:
    live, record = vital.live, observed.machines.get(record_of(vital.key))
    endpoint = WorkloadEntry.of(live.document).endpoint
    seen = Seen(
        weight=max(1, endpoint.weight),
        lowered=_written(live) if DRAINED_ANNOTATION in live.annotations else None,
        listed=vital.in_use and any(True for _ in _selectors(endpoint, vital.key.namespace, observed)),
        ill=reported(endpoint.address, record.document if record else None).healthy is False,
        requests=requests,
    )
    labels: frozenset[str] = frozenset()
    if not (vital.counts and vital.asked) or vital.istiods:
        before = WorkloadEntry.of(git.get(vital.key) or undrained(live.document)).endpoint
        picking = _selectors(before, vital.key.namespace, observed)
        labels = frozenset(name for one in picking for name in one if name in before.labels)
    stage = stage_of(drain, seen, now, settle)
    times = (seen.lowered + settle if seen.lowered and stage is Stage.LOWERING else None, drain.until)
    return Draining(vital.key, drain, stage, seen, labels, min((one for one in times if one and one > now), default=None))


def _written(live: LiveObject) -> datetime | None:
    entry = our_entry(live)
    return entry.time if entry else None


def _selectors(endpoint: Endpoint, namespace: str, observed: ObservedState) -> Iterator[Mapping[str, str]]:
    """Yield the selectors that pick an endpoint: those of ServiceEntries and of Services."""
    for key, live in observed.objects.items():
        if key.kind == "ServiceEntry" and key.namespace == namespace:
            entry = ServiceEntry.of(live.document)
            if entry.selector and entry.picks(endpoint):
                yield entry.selector
    for service in observed.services:
        if service.namespace == namespace and selects(service.selector, endpoint.selectable):
            yield service.selector
