"""Localities, written ``region/zone/subzone``: none in a list may contain another one."""

from collections.abc import Iterable

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, shown

_Tree = dict[str, "_Tree"]
"""Regions, zones in each, subzones in each; `*` stands for all of a level."""


def check_localities(found: Findings, localities: Iterable[str], path: str, *, ordered: bool) -> None:
    """Report the first locality that is malformed, or that conflicts with one before it.

    A wildcard may follow what it contains, in a list that has an order; in a map Istio goes through the keys in any order.
    """
    known: _Tree = {}
    for locality in localities:
        parts = locality.split("/", 2)
        if "*" in locality[:-1]:
            flaw = "has `*` in another place than its end: correct it"
        elif "" in parts:
            flaw = "has an empty part: write region, region/zone or region/zone/subzone"
        elif not _insert(known, parts, ordered=ordered):
            flaw = "overlaps with another locality: keep one of them"
        else:
            continue
        found.error(Code.LOCALITY, path, f"{shown(locality)} {flaw}")
        return


def _insert(known: _Tree, parts: list[str], *, ordered: bool) -> bool:
    """Add a locality to those known, and tell whether it went in without a conflict."""
    *above, last = parts
    for part in above:
        if "*" in known:
            return False
        known = known.setdefault(part, {})
    if "*" in known or last in known or (last == "*" and known and not ordered):
        return False
    # What stands for a whole region or zone contains everything below it.
    known[last] = {"*": {}}
    return True
