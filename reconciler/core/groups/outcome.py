"""What comes of one VM that joined a group: where it stands, and what is wanted of its WorkloadEntry and its record."""

from dataclasses import dataclass, replace
from operator import is_

from reconciler.core.groups.autogroup import Said
from reconciler.core.groups.joins import GROUP, JOINED, is_bare
from reconciler.core.groups.judging import Case, Judged, Scene, Standing, judge
from reconciler.core.machines import machine_with_probe
from reconciler.core.resources import Key, LiveObject, Manifest
from reconciler.core.world import record_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """`entry` and `record` are None where none is wanted; `overruled` names what the VM says of itself and does not count."""

    judged: Judged
    entry: Manifest | None = None
    record: Manifest | None = None
    overruled: str = ""


class Outcomes:
    """Works out what comes of each member. One that is in is not looked at again until something of it is another value."""

    def __init__(self) -> None:
        self._settled: dict[Key, tuple[tuple[object, ...], Outcome]] = {}
        self._before = self._settled

    def begin(self) -> None:
        """Begin a look, which forgets whom the last one did not meet."""
        self._before, self._settled = self._settled, {}

    def of(self, case: Case, scene: Scene, *, full: bool) -> Outcome:
        """Return what comes of a member; `full` as in `judge`."""
        parts = (case.group.manifest, case.record, case.live)
        known = None if scene.recovering or case.key in scene.git.manifests else self._before.get(case.key)
        found = known[1] if known and all(map(is_, parts, known[0])) else _outcome(case, scene, full=full)
        if found.judged.standing is Standing.IN and _has_arrived(case):
            self._settled[case.key] = parts, found
        return found


def _has_arrived(case: Case) -> bool:
    """Tell whether its entry is where it is, so that nobody else's address bears on it any more."""
    return case.mine is not None and case.join is not None and Said.on(case.mine.document).address == case.join.address


def _outcome(case: Case, scene: Scene, *, full: bool) -> Outcome:
    judged = judge(case, scene, full=full)
    if case.key in scene.git.manifests:
        # The join stays in the record of a VM that Git holds, so that the collision goes on being told.
        return Outcome(judged, record=_with_join(scene.git.machines.get(record_of(case.key)), case.record))
    said = judged.said
    if said is None and judged.standing is Standing.WAITING and case.join:
        said = Said.by(case.join)  # its record is wanted already, so that its agent gets the group's probe
    if said is None:
        return Outcome(judged)
    entry, record, overruled = case.group.entry(case.key.name, said), None, ""
    if case.join and not (scene.recovering and case.record and is_bare(case.record)):
        record = _with_join(machine_with_probe(entry, scene.git.manifests), case.record)
        overruled = case.group.overruled(Said.by(case.join))
    return Outcome(judged, entry if judged.said else None, record, overruled)


def _with_join(machine: Manifest | None, record: LiveObject | None) -> Manifest | None:
    """Return what is wanted of a record, with what is the server's in it."""
    if machine is None or record is None:
        return None
    spec = {**machine.document["spec"], **{name: record.document["spec"][name] for name in (GROUP, JOINED)}}
    return replace(machine, document={**machine.document, "spec": spec})
