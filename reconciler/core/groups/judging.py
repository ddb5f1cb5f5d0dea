"""Where one VM stands that joined a group, and what its WorkloadEntry is to hold.

| standing | what is so | its WorkloadEntry |
|---|---|---|
| in | it joined, and was seen to be well | as the template says, with what the join says |
| waiting | it joined, and is not well yet, or others have its name or address still | none yet |
| leaving | it said goodbye, was revoked, or is lost | stays until it is out of load balancing, a lost one for `retireAfter` |
| gone | so long ago that it retires | deleted, under the budgets of all deletions |
| held | nobody knows of its join, or may trust the record; or what it says now may not be | stays as it was |
| refused | the group lets nobody join, or not this VM | none |

Absence is not a command: what the registry does not know takes no entry away.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core.groups.autogroup import AutoGroup, Said
from reconciler.core.groups.joins import Gone, Join
from reconciler.core.groups.marks import joined_at
from reconciler.core.groups.places import Places
from reconciler.core.health.conditions import Condition
from reconciler.core.health.words import word_of
from reconciler.core.istio import WorkloadEntry
from reconciler.core.resources import DesiredState, Key, LiveObject

#: What is said while the registry's server doubts its record.
_RECOVERS = "the registry recovers: nothing of a group is made, retired or deleted until a person ends that"
_UNKNOWN = "the registry knows nothing of its join: where the VM is gone for good, delete the entry by hand"
_DEFAULT_REASON = "it has not been seen to be well"


class Standing(StrEnum):
    """Where a member stands; a name never changes its meaning."""

    IN = "in"
    WAITING = "waiting"
    LEAVING = "leaving"
    GONE = "gone"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Case:
    """A VM that joined, or the WorkloadEntry of one (`key`), with all that is known of it.

    `live` is what the cluster holds under its name, `record` what the registry does.
    """

    key: Key
    group: AutoGroup
    record: LiveObject | None
    join: Join | None
    live: LiveObject | None

    @property
    def mine(self) -> LiveObject | None:
        """The entry that is there, if a join has made it."""
        return self.live if self.live and joined_at(self.live.document) else None


@dataclass(frozen=True, slots=True)
class Judged:
    """Where it stands and why. `said` is what its entry is to hold of the join, None where it is to have none.

    `until` is when time alone changes that.
    """

    standing: Standing
    why: str = ""
    said: Said | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What is so for all of them: what Git says, who has which address, the time, the window of the brake of health.

    `recovering`: nothing may be concluded from records.
    """

    git: DesiredState
    places: Places
    now: datetime
    window: timedelta
    recovering: bool = False


def judge(case: Case, scene: Scene, *, full: bool) -> Judged:
    """Return where a VM stands. `full`: its group takes no more."""
    if case.key in scene.git.manifests:
        return Judged(Standing.REFUSED, "Git has a WorkloadEntry of this name, which counts alone")
    if scene.recovering:
        return _as_it_was(case, _RECOVERS)
    if case.join is None:
        return _as_it_was(case, _UNKNOWN)
    if case.live and not case.mine:
        return Judged(Standing.REFUSED, "a WorkloadEntry of this name is there that no join has made")
    if case.join.gone:
        return _going(case, case.join, scene.now, scene.window)
    if objection := _objection(case, case.join, scene.places, full=full):
        return _as_it_was(case, objection, Standing.REFUSED)
    word = word_of(case.join.address, case.record.document if case.record else None)
    if case.mine is None and word.healthy is not True:
        why = f"waiting for VM {case.key.namespace}/{case.key.name}: {word.message or _DEFAULT_REASON}"
        return Judged(Standing.WAITING, why)
    return Judged(Standing.IN, said=Said.by(case.join))


def _as_it_was(case: Case, why: str, otherwise: Standing = Standing.WAITING) -> Judged:
    if case.mine is None:
        return Judged(otherwise, why)
    return Judged(Standing.HELD, why, Said.on(case.mine.document))


def _going(case: Case, join: Join, now: datetime, window: timedelta) -> Judged:
    """Retire: out of load balancing by its condition, under the brake of health; then no entry is wanted any more.

    The brake counts by the conditions that stand: an entry that went at once would make room for the next.
    """
    if case.mine is None:
        return Judged(Standing.GONE, f"has {join.gone}")
    said, lost = Said.on(case.mine.document), join.gone is Gone.LOST
    until = (join.since or now) + case.group.retire_after
    if lost and now < until:
        return Judged(Standing.LEAVING, f"is lost, and retires at {until:%Y-%m-%d %H:%M:%SZ}", said, until)
    entry, why = WorkloadEntry.of(case.mine.document), "is lost" if lost else "has left"
    if entry.health_checked and entry.in_use:
        return Judged(Standing.LEAVING, f"{why}, and leaves load balancing first", said)
    stands = Condition.of(case.mine.document)
    counted = stands.since + window if entry.health_checked and stands and stands.since else now
    if now < counted:
        return Judged(Standing.LEAVING, f"{why}, and is out of load balancing; the brake counts its entry", said, counted)
    return Judged(Standing.GONE, "is lost for so long that it retires" if lost else "has left")


def _objection(case: Case, join: Join, places: Places, *, full: bool) -> str:
    """Say what stands against the entry of a VM that is there, empty where nothing does."""
    group = case.group
    if not group.admits(join.address):
        return f"its address {join.address} is in none of the networks that the group allows: {', '.join(group.networks)}"
    if join.service_account not in ("", group.service_account):
        return f"it joined as service account {join.service_account}, the group says {group.service_account}"
    stays = case.mine is not None and Said.on(case.mine.document).address == join.address
    if not stays and (holder := places.holder(case.key, join.address)):
        return f"its address {join.address} is that of {holder}"
    return "its group has as many members as one may have" if full and case.mine is None else ""
