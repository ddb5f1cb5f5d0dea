"""One VM of ours: what its condition should be, what it is, and who else has a say in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.comparison import our_entry
from reconciler.core.drain import Drain
from reconciler.core.health.conditions import Condition, Reason, status_manager
from reconciler.core.health.sources import Source, group_of, source_of
from reconciler.core.health.words import SILENCE, Word, word_of
from reconciler.core.istio import is_health_checked
from reconciler.core.ownership import owners_of
from reconciler.core.resources import EMPTY, Document, Key, LiveObject, ObservedState
from reconciler.core.tools import is_registered_by_istiod
from reconciler.core.wanted import FIELD_MANAGER, marked_for
from reconciler.core.world import record_of

#: istiod writes its own name here once a VM whose health it keeps has connected (pilot/pkg/autoregistration/controller.go).
CONTROLLER = "istio.io/workloadController"


@dataclass(frozen=True, slots=True)
class Vital:
    """Where the health of one WorkloadEntry of ours stands.

    `word` is what is known, `stands` the condition that is there. `asked` tells whether Git asks for its health to count,
    `counts` whether istiod goes by the condition now, `istiods` whether istiod keeps the condition itself. `drain` is a
    person's word that it goes out of service, `wanted` what Git says of it (None: nothing).
    """

    live: LiveObject
    source: Source
    word: Word
    stands: Condition | None
    asked: bool
    counts: bool
    istiods: bool
    drain: Drain | None = None
    wanted: Document | None = None

    @property
    def key(self) -> Key:
        return self.live.key

    @property
    def in_use(self) -> bool:
        """Whether istiod counts it as an endpoint."""
        return not self.counts or (self.stands is not None and self.stands.healthy)

    @property
    def differs(self) -> bool:
        """Whether the condition has to be written.

        Silence changes nothing, and neither does another reason that somebody else gives for the same.
        """
        if self.istiods or not (self.asked or self.counts) or self.word.healthy is None:
            return False
        if self.stands is None or self.stands.healthy is not self.word.healthy:
            return True
        return self.stands.ours and self.stands.reason != self.word.reason

    @property
    def overruled(self) -> str:
        """Who wrote the condition that ours is to replace with another one; empty where that is us, or there is none."""
        if self.stands is None or self.stands.ours or self.stands.healthy is self.word.healthy:
            return ""
        owners = owners_of(self.live, ("status", "conditions"))
        return ", ".join(sorted({owner.manager for owner in owners} - {status_manager(FIELD_MANAGER)})) or "somebody"

    def condition(self, now: datetime) -> Condition:
        """Return the condition to write. `since` stays where only the reason is another one."""
        stays = self.stands is not None and self.stands.healthy is self.word.healthy
        since = self.stands.since if stays and self.stands else now
        return Condition(self.word.healthy is True, self.word.reason or "", self.word.message, since or now)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a vital was made of: as long as all of that is the very same, so is the vital (None: the entry is not ours)."""

    live: LiveObject
    record: LiveObject | None
    wanted: Document | None
    group: Document | None
    vital: Vital | None


class Vitals:
    """Looks at all VMs, and remembers what it saw: a look costs what changed. One per target."""

    def __init__(self) -> None:
        self._seen: dict[Key, _Seen] = {}

    def of(self, git: Mapping[Key, Document], observed: ObservedState, target: str) -> tuple[Vital, ...]:
        """Return all WorkloadEntries that are there and ours, by key: those too that Git does not want any more."""
        keys = sorted(key for key in observed.objects if key.kind == "WorkloadEntry")
        self._seen = {key: self._look(key, git, observed, target) for key in keys}
        return tuple(one.vital for one in self._seen.values() if one.vital is not None)

    def _look(self, key: Key, git: Mapping[Key, Document], observed: ObservedState, target: str) -> _Seen:
        live, record, wanted = observed.objects[key], observed.machines.get(record_of(key)), git.get(key)
        group = group_of(wanted or live.document, git)
        seen = self._seen.get(key)
        if seen and seen.live is live and seen.record is record and seen.wanted is wanted and seen.group is group:
            return seen
        ours = marked_for(live.labels) == target and our_entry(live) is not None and not live.deleting
        return _Seen(live, record, wanted, group, _vital(live, wanted, record, group) if ours else None)


def _vital(live: LiveObject, wanted: Document | None, record: LiveObject | None, group: Document | None) -> Vital:
    source = source_of(wanted or live.document, group)
    word = word_of((live.document.get("spec") or EMPTY).get("address") or "", record.document if record else None)
    return Vital(
        live=live,
        source=source,
        word=_counting(source, word),
        stands=Condition.of(live.document),
        asked=wanted is not None and is_health_checked(wanted),
        counts=is_health_checked(live.document),
        istiods=source is Source.ISTIOD or CONTROLLER in live.annotations or is_registered_by_istiod(live),
        drain=Drain.of(record.document.get("status") or EMPTY) if record else None,
        wanted=wanted,
    )


def _counting(source: Source, word: Word) -> Word:
    """Return the word that counts. Where health is assumed, nobody's report does; a person's drain does everywhere."""
    if source is Source.ASSUMED and word.reason is not Reason.DRAINING:
        return Word(healthy=True, reason=Reason.ASSUMED, message="nobody reports its health; Git says to assume it")
    return SILENCE if source is Source.ISTIOD else word
