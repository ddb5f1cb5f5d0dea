"""Whose business is a document: ours, somebody else's, or an author's mistake."""

from difflib import SequenceMatcher, get_close_matches

from reconciler.core.kinds import GUARDED_GROUPS, MANAGED, READ_ONLY, UNMANAGED_ISTIO, Kind, find
from reconciler.core.manifests.codes import Code
from reconciler.errors import Problem

_OURS = MANAGED | READ_ONLY
#: From this likeness on a group is taken for a misspelt one.
_MISSPELT = 0.85


def recognise(api_version: str, kind: str) -> Kind | Problem | None:
    """Return the kind to read, a problem with what the author wrote, or None for a kind that others care for."""
    if known := find(api_version, kind):
        return known
    group = api_version.rpartition("/")[0]
    if kind == "List" and not group:
        return Problem(Code.LIST, "is a List: write its items as documents of their own, separated by ---", field="kind")
    if (group, kind) in UNMANAGED_ISTIO:
        return None
    guarded = group in GUARDED_GROUPS or group.endswith(".istio.io")
    namesake = _OURS.get(kind)
    if namesake and (guarded or not group or _alike(group, namesake.group)):
        return Problem(Code.WRONG_VERSION, f"{kind} does not exist under it: write {namesake.api_version}", field="apiVersion")
    if not guarded:
        return None
    near = get_close_matches(kind, [name for name, one in _OURS.items() if one.group.endswith(".io")], n=1)
    hint = f"did you mean {near[0]}?" if near else "correct it, or move it out of this folder"
    return Problem(Code.UNKNOWN_KIND, f"is not a kind of {group}: {hint}", field="kind")


def _alike(group: str, other: str) -> bool:
    return SequenceMatcher(None, group, other).ratio() >= _MISSPELT
