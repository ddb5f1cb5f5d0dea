"""Who owns which field: paths as server-side apply counts them, and how entries of `metadata.managedFields` change hands.

A path leads to a field that somebody can own. Maps are walked into, lists are owned whole, except the few that the API
declares as maps or sets (`_SPECIAL`); an item of such a list is a path of its own, beside the fields in it. The text form
(fieldsV1) and the counting follow sigs.k8s.io/structured-merge-diff, the library behind the API server; tests prove it there.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from reconciler.core.changes import ABSENT
from reconciler.core.resources import FieldOwner, LiveObject

APPLY: Final = "Apply"

#: An item of a list-map, named by its key fields in alphabetical order: ``(("name", "http"),)``.
ItemKey = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a set (``v:"a"``), or of a list by its place (``i:0``), as fieldsV1 writes it."""

    raw: str


#: One step of a path: the name of a field or map key, an item of a list-map, or an item of a set.
Element = str | ItemKey | Entry
Path = tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class _Special:
    """A place that is not walked as usual: a list-map with its keys, a set, or a map whose items are objects.

    `whole` marks list-maps whose items are owned whole.
    """

    keys: tuple[str, ...] = ()
    is_set: bool = False
    whole: bool = False


_OBJECTS: Final = _Special()
_ANYWHERE: Final[Mapping[Path, _Special]] = {
    ("metadata", "finalizers"): _Special(is_set=True),
    ("metadata", "ownerReferences"): _Special(("uid",), whole=True),
}
#: From Istio's CRDs (the same in every covered version) and the core API's OpenAPI document, for the kinds that we write. All
#: other lists of these kinds are atomic: routes, subsets, endpoints, servers, rules, `imagePullSecrets`, `status.conditions`.
_SPECIAL: Final[Mapping[str, Mapping[Path, _Special]]] = {
    "ServiceEntry": {**_ANYWHERE, ("spec", "ports"): _Special(("name",))},
    "ServiceAccount": {**_ANYWHERE, ("secrets",): _Special(("name",), whole=True)},
    "PeerAuthentication": {**_ANYWHERE, ("spec", "portLevelMtls"): _OBJECTS},
}
#: What names an object, or what the server writes itself, is nobody's.
_IDENTITY: Final = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
)
_NOBODYS: Final[frozenset[Path]] = frozenset(
    {("apiVersion",), ("kind",), ("metadata",), *(("metadata", name) for name in _IDENTITY)}
)


def declared(document: Mapping[str, Any]) -> frozenset[Path]:
    """Return the paths that applying this document makes its manager own."""
    special = _SPECIAL.get(document["kind"], _ANYWHERE)
    paths: set[Path] = set()
    _walk(document, (), special, paths)
    return frozenset(paths)


def _walk(value: Any, path: Path, special: Mapping[Path, _Special], paths: set[Path]) -> None:
    place = special.get(path)
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            step = (*path, name)
            if place is _OBJECTS:
                paths.add(step)
            _walk(inner, step, special, paths)
    elif isinstance(value, list) and place is not None:
        for item in value:
            step = (*path, _element(item, place))
            paths.add(step)
            if place.keys and not place.whole:
                _walk(item, step, special, paths)
    elif path not in _NOBODYS:
        paths.add(path)


def _element(item: Any, place: _Special) -> Element:
    if place.is_set:
        return Entry(f"v:{_json(item)}")
    return tuple((key, item[key]) for key in sorted(place.keys) if key in item)


def owned(owner: FieldOwner) -> frozenset[Path]:
    """Return the paths that one entry of managedFields owns, containers that it owns as such included."""
    return decode(owner.fields)


@lru_cache(maxsize=4096)  # thousands of objects share a few shapes, and the text is what differs between shapes
def decode(fields: str) -> frozenset[Path]:
    """Return the paths in a fieldsV1 text. Raises ValueError where it is none."""
    paths: set[Path] = set()

    def walk(node: Mapping[str, Any], path: Path) -> None:
        for raw, below in node.items():
            step = path if raw == "." else (*path, _parsed(raw))
            if below:
                walk(below, step)
            else:
                paths.add(step)

    walk(json.loads(fields or "{}"), ())
    return frozenset(paths)


def _parsed(raw: str) -> Element:
    if raw.startswith("f:"):
        return raw[2:]
    if raw.startswith("k:"):
        return tuple(sorted(json.loads(raw[2:]).items()))
    return Entry(raw)


def encode(paths: Iterable[Path]) -> str:
    """Return the fieldsV1 text of paths: compact JSON with sorted keys, as the API server writes it for custom resources."""
    root: dict[str, Any] = {}
    for path in paths:
        node = root
        for element in path:
            node = node.setdefault(_raw(element), {})
        node["."] = {}
    return _json(_bare_leaves(root))


def _bare_leaves(node: dict[str, Any]) -> dict[str, Any]:
    return {} if node.keys() == {"."} else {raw: _bare_leaves(below) for raw, below in node.items()}


def _raw(element: Element) -> str:
    match element:
        case str():
            return f"f:{element}"
        case tuple():
            return f"k:{_json(dict(element))}"
        case Entry():
            return element.raw


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def show(path: Path) -> str:
    """Return a path for people: ``spec.ports[name=http].number``, ``metadata.labels["a.b/c"]``."""
    text = ""
    for element in path:
        match element:
            case str() if re.fullmatch(r"[A-Za-z_][\w-]*", element, re.ASCII):
                text += f".{element}" if text else element
            case str():
                text += f"[{_json(element)}]"
            case tuple():
                text += f"[{','.join(f'{name}={_plain(value)}' for name, value in element)}]"
            case Entry():
                text += f"[{element.raw.partition(':')[2]}]"
    return text


def _plain(value: Any) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[\w./:-]+", value, re.ASCII) else _json(value)


def value_at(document: Any, path: Path) -> Any:
    """Return the value that a path leads to, or ABSENT."""
    value = document
    for element in path:
        match element:
            case str():
                value = value.get(element, ABSENT) if isinstance(value, dict) else ABSENT
            case tuple():
                value = _item(value, dict(element))
            case Entry():
                value = _entry(value, element)
        if value is ABSENT:
            return ABSENT
    return value


def _item(value: Any, key: Mapping[str, Any]) -> Any:
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return next((item for item in items if all(item.get(name) == wanted for name, wanted in key.items())), ABSENT)


def _entry(value: Any, element: Entry) -> Any:
    sort, _, text = element.raw.partition(":")
    wanted = json.loads(text)
    if not isinstance(value, list):
        return ABSENT
    if sort == "i":
        return value[wanted] if wanted < len(value) else ABSENT
    return wanted if wanted in value else ABSENT


def owners_of(live: LiveObject, path: Path) -> tuple[FieldOwner, ...]:
    """Return the entries that own a field, or anything inside it."""
    return tuple(owner for owner in live.owners if any(mine[: len(path)] == path for mine in owned(owner)))


def take_over(
    owners: Sequence[FieldOwner], managers: Collection[str], paths: Iterable[Path], ours: str
) -> tuple[FieldOwner, ...]:
    """Return managedFields after a hand-over: these paths leave the entries of these managers and join our Apply entry.

    Containers above them that an entry then owns for nothing go too, and entries that own nothing any more. Entries of
    subresources (status) are left alone, and so is all else of those managers.
    """
    wanted = frozenset(paths)
    above = {path[:length] for path in wanted for length in range(1, len(path))}
    kept: list[FieldOwner] = []
    mine: FieldOwner | None = None
    version = ""
    for owner in owners:
        if owner.manager == ours and owner.operation == APPLY and not owner.subresource:
            mine = owner
        elif owner.manager in managers and owner.manager != ours and not owner.subresource:
            version = version or owner.api_version
            rest = _without(owned(owner), wanted, above)
            kept.extend([replace(owner, fields=encode(rest))] if rest else [])
        else:
            kept.append(owner)
    mine = mine or FieldOwner(ours, APPLY, "{}", version or _version(owners))
    return (replace(mine, fields=encode(owned(mine) | wanted)), *kept)


def _without(held: frozenset[Path], wanted: frozenset[Path], above: Collection[Path]) -> frozenset[Path]:
    rest = held - wanted
    needed = {path[:length] for path in rest if path not in above for length in range(1, len(path))}
    return frozenset(path for path in rest if path not in above or path in needed)


def _version(owners: Sequence[FieldOwner]) -> str:
    return next((owner.api_version for owner in owners if not owner.subresource), "")


def hand_back(owners: Sequence[FieldOwner], ours: str, manager: str) -> tuple[FieldOwner, ...]:
    """Return managedFields after a release: our entries carry the other manager's name, joined with its own ones."""
    merged: dict[tuple[str, ...], FieldOwner] = {}
    for owner in owners:
        named = replace(owner, manager=manager) if owner.manager == ours else owner
        # The server tells Apply entries apart by manager alone, Update entries by apiVersion too.
        version = "" if named.operation == APPLY else named.api_version
        identity = (named.manager, named.operation, version, named.subresource)
        held = merged.get(identity)
        merged[identity] = named if held is None else replace(held, fields=encode(owned(held) | owned(named)))
    return tuple(merged.values())
