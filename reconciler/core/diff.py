"""What differs between what is wanted now and what both stores hold, object by object, and which writes follow.

| Git wants it | it is live | it is ours | then |
|---|---|---|---|
| yes | no | - | CREATE |
| yes | yes | no | NOT_ADOPTED, FOREIGN_TOOL or ADOPT (`adoption`) |
| yes | yes | yes, and equal | nothing: in sync is the absence of an `ObjectDiff` |
| yes | yes | yes, a field differs | UPDATE, or CO_OWNED where all that differs is another manager's (`owned`) |
| yes | yes, going | - | TERMINATING |
| yes | cannot be read | - | UNREADABLE |
| no | yes | mark and ownership | DELETE (`orphans`) |
| no | yes | one of the two | LEFT |

Each object is compared for itself, on what was read; where that leaves an update, the cycle asks the server (`settling`) and
the store (`causes`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from reconciler.core.adoption import judge_unowned
from reconciler.core.changes import Action, Change, ObjectDiff, State
from reconciler.core.comparison import Subject, obviously_in_sync, our_entry
from reconciler.core.groups.marks import origin_of
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.orphans import is_readable, orphans
from reconciler.core.owned import Rules, judge_owned
from reconciler.core.resources import DesiredState, Document, Key, LiveObject, Manifest, ObservedState, StoreName
from reconciler.core.standing import terminating, unreadable
from reconciler.core.wanted import declared_document, marked_for


@dataclass(frozen=True, slots=True)
class _Known:
    """What an object looked like when it was compared, and what came of it (None: in sync)."""

    wanted: Document
    live: LiveObject
    record: LiveObject | None
    manifest: Manifest | None
    result: ObjectDiff | None

    def holds_for(self, wanted: Document, live: LiveObject, record: LiveObject | None, manifest: Manifest | None) -> bool:
        if not _is_same(self.live, live) or (self.wanted is not wanted and self.wanted != wanted):
            return False
        return self.result is None or (self.manifest is manifest and _is_same(self.record, record))


class Differ:
    """Compares, and remembers what it compared: a pass costs what changed, not what exists.

    One per target; not for several threads at once.
    """

    def __init__(self) -> None:
        self._known: dict[Key, _Known] = {}
        self._rules: Rules | None = None
        self._last: tuple[DesiredState, Mapping[Key, Document], ObservedState, Collection[Key]] | None = None
        self._found: tuple[ObjectDiff, ...] = ()

    def diff(
        self,
        desired: DesiredState,
        wanted: Mapping[Key, Document],
        observed: ObservedState,
        rules: Rules,
        inventory: Collection[Key],
    ) -> tuple[ObjectDiff, ...]:
        """Return the objects that are not in sync: those that Git wants in Git's order, then the others by key.

        `wanted` is what `wanted_now` made of `desired`; `inventory` holds the keys that we own or are about to.
        """
        if rules != self._rules:
            self._known, self._rules, self._last = {}, rules, None
        if not self._saw(desired, wanted, observed, inventory):
            compared = (self._compare(key, document, desired, observed, rules) for key, document in wanted.items())
            found = [one and _with_origin(one, wanted[one.key]) for one in compared]
            others = orphans(wanted, observed, rules.target, inventory)
            self._found = (*(one for one in found if one is not None), *others)
            if len(self._known) > len(wanted):
                self._known = {key: known for key, known in self._known.items() if key in wanted}
            self._last = (desired, wanted, observed, inventory)
        return self._found

    def _saw(
        self, desired: DesiredState, wanted: Mapping[Key, Document], observed: ObservedState, inventory: Collection[Key]
    ) -> bool:
        if self._last is None:
            return False
        old_desired, old_wanted, old_observed, old_inventory = self._last
        same_world = observed is old_observed or bool(observed.version and observed.version == old_observed.version)
        return same_world and desired is old_desired and wanted is old_wanted and inventory == old_inventory

    def _compare(
        self, key: Key, wanted: Document, desired: DesiredState, observed: ObservedState, rules: Rules
    ) -> ObjectDiff | None:
        live, manifest = observed.get(key), desired.get(key)
        if not is_readable(key, observed):
            return unreadable(key, manifest.place if manifest else None, observed)
        if live is None:
            return _created(key, wanted, manifest)
        record = observed.machines.get(Key(VIRTUAL_MACHINE, key.namespace, key.name)) if key.kind == "WorkloadEntry" else None
        known = self._known.get(key)
        if known is None or not known.holds_for(wanted, live, record, manifest):
            known = _Known(wanted, live, record, manifest, compare_object(wanted, live, record, manifest, rules))
            self._known[key] = known
        return known.result


def compare_object(
    wanted: Document, live: LiveObject, record: LiveObject | None, manifest: Manifest | None, rules: Rules
) -> ObjectDiff | None:
    """Return where an object that is wanted and there stands, None where it is in sync."""
    is_ours = live.key.store is StoreName.REGISTRY or (
        our_entry(live) is not None and marked_for(live.labels) in ("", rules.target)
    )
    if is_ours and not live.deleting and obviously_in_sync(wanted, live):
        return None
    place = manifest.place if manifest else None
    if live.deleting:
        return terminating(live, place)
    git = declared_document(manifest.document, rules.target) if manifest else None
    subject = Subject(live.key, git, wanted, live, record, place)
    return judge_owned(subject, rules) if is_ours else judge_unowned(subject, rules.adoption)


def _created(key: Key, wanted: Document, manifest: Manifest | None) -> ObjectDiff:
    place = manifest.place if manifest else None
    change = Change(key, Action.CREATE, before=None, after=wanted, place=place)
    return ObjectDiff(key, State.CREATE, changes=(change,), place=place)


def _with_origin(one: ObjectDiff, wanted: Document) -> ObjectDiff:
    origin = origin_of(wanted)
    return replace(one, origin=origin) if origin else one


def _is_same(one: LiveObject | None, other: LiveObject | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or (one.resource_version == other.resource_version and one.uid == other.uid)
