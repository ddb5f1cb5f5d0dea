"""Endpoint health: the VMs that the step is about are healthy, its Pods ready."""

from collections.abc import Iterable

from reconciler.core.gates.memory import Look, Memory, Mood
from reconciler.core.gates.scene import Scene, Target
from reconciler.core.gates.verdict import Reason


def look(scene: Scene, memory: Memory) -> tuple[Look, Memory]:
    """Look at the step's endpoints once; `memory.kept` has those that have ever been healthy in this step.

    Not ready yet is no harm, for it receives nothing; healthy once and not any more is. Without a single endpoint there is
    nothing to pass: Pods that somebody else starts are waited for. Unknown health counts as in law 1, and is said, and so does
    where no endpoint can be known at all. Of VMs nothing is concluded from a record that may be an older one.
    """
    if scene.doubted and any(one.key.kind == "WorkloadEntry" for one in scene.targets):
        return Look.unsure(Reason.STALE, "the VM registry recovers: how it says that VMs are may be long past"), memory
    if scene.unknown and not memory.kept.get("healthy"):
        return Look(Mood.GOOD, scene.unknown), memory
    if not scene.targets and not memory.kept.get("healthy"):
        return Look.unsure(Reason.NOT_READY, "none of the step's endpoints is there yet"), memory
    if not scene.targets:
        return Look(Mood.BAD, "none of the step's endpoints is there", Reason.VANISHED), memory
    well = {str(one.key) for one in scene.targets if one.present and one.healthy is not False}
    known = well | set(memory.kept.get("healthy", ()))
    memory = memory.keeping(healthy=sorted(known))
    gone = [one for one in scene.targets if not one.present]
    if gone:
        return Look(Mood.BAD, f"gone: {_names(gone)}", Reason.VANISHED), memory
    lost = [one for one in scene.targets if one.healthy is False and str(one.key) in known]
    if lost:
        return Look(Mood.BAD, f"healthy before and not any more: {_names(lost)}"), memory
    starting = [one for one in scene.targets if one.healthy is False]
    if starting:
        return Look.unsure(Reason.NOT_READY, f"not healthy yet: {_names(starting)}"), memory
    unknown = [one for one in scene.targets if one.healthy is None]
    note = f", health unknown: {_names(unknown)}" if unknown else ""
    return Look(Mood.GOOD, f"{len(scene.targets) - len(unknown)} endpoints healthy{note}"), memory


def _names(targets: Iterable[Target]) -> str:
    names = [str(one.key) for one in targets]
    shown, rest = names[:3], len(names) - 3
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
