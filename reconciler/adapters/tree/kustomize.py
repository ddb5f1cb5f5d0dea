"""What kustomizations refer to: files and folders of the same tree, or a reason why not. Pure: no kubectl is needed here.

kustomize fetches URLs, clones repositories, runs plugins, containers and Helm charts. So it never sees a kustomization that
holds anything else than fields known to be harmless (exactly as written here: kustomize folds case), whose every path leads to
a regular file, or a folder with a kustomization, of the tree.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Any

from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.entries import Entry, Find, Read, odd_name
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.core.manifests.loader import load
from reconciler.core.resources import Document
from reconciler.core.trees import KUSTOMIZATIONS, SUFFIXES, is_kustomization
from reconciler.errors import Place, Problem

_HARMLESS = frozenset(
    "apiVersion kind metadata namespace namePrefix nameSuffix commonLabels labels commonAnnotations images replicas "
    "buildMetadata sortOptions generatorOptions vars".split()
)
#: Fields that are lists of paths: may they name a file, may they name a folder.
_PATHS = {
    "resources": (True, True),
    "bases": (False, True),
    "components": (False, True),
    "crds": (True, False),
    "configurations": (True, False),
}
#: Fields that are lists of objects, whose `path` names a file: what else those objects may have.
_WITH_PATH = {
    "patches": {"path", "patch", "target", "options"},
    "patchesJson6902": {"path", "patch", "target"},
    "replacements": {"path", "source", "targets"},
}
_GENERATORS = ("configMapGenerator", "secretGenerator")
_GENERATOR = {"name", "namespace", "behavior", "type", "literals", "options", "files", "envs", "env"}
_REFUSED_IN_PATHS = frozenset(":?#*%\\")


@dataclass(frozen=True, slots=True)
class Reference:
    """A path in a kustomization: as written, in which field, what it may name, and whether what it names is YAML."""

    text: str
    field: str
    file: bool = True
    folder: bool = False
    yaml: bool = True


@dataclass(slots=True)
class Kustomization:
    """One kustomization file that was read; it refers to `files` (is it YAML) and `folders` (their kustomizations)."""

    entry: Entry
    document: Document = field(default_factory=dict)
    files: dict[Entry, bool] = field(default_factory=dict)
    folders: set[Entry] = field(default_factory=set)

    @property
    def folder(self) -> str:
        return dirname(self.entry.path)

    @property
    def is_component(self) -> bool:
        return self.document.get("kind") == "Component"


def references(document: Mapping[str, Any], place: Place) -> Iterator[Reference | Problem]:
    """Yield every path of a kustomization, and a problem for whatever is not accepted in it."""
    for name, value in document.items():
        if name in _HARMLESS and (name != "buildMetadata" or isinstance(value, list)):
            continue
        if name in _PATHS:
            file, folder = _PATHS[name]
            for number, text in enumerate(_texts(value)):
                yield Reference(text, f"{name}[{number}]", file, folder)
        elif name == "patchesStrategicMerge":
            # An item is a path or, over several lines, the patch itself.
            yield from (Reference(text, f"{name}[{at}]") for at, text in enumerate(_texts(value)) if "\n" not in text)
        elif name in _WITH_PATH:
            yield from _of_objects(name, value, _WITH_PATH[name], place)
        elif name in _GENERATORS:
            yield from _of_generators(name, value, place)
        elif name == "openapi" and isinstance(value, dict) and value.keys() <= {"path", "version"}:
            yield from (Reference(text, "openapi.path") for text in _texts([value.get("path", "")]) if text)
        else:
            yield _not_accepted(name, place)


def resolve(reference: Reference, kustomization: Entry, find: Find, limits: TreeLimits) -> tuple[Entry, bool] | Problem:
    """Return the entry that a path leads to and whether it is a folder's kustomization, or why it leads nowhere."""
    text = reference.text
    if not text or not text.isprintable() or _REFUSED_IN_PATHS & set(text) or text.startswith(("/", "~", "-")) or "//" in text:
        return _unresolved(reference, kustomization, "must be a plain relative path: URLs and patterns are not accepted")
    path = normpath(join(dirname(kustomization.path), text))
    if path == ".." or path.startswith("../"):
        return _unresolved(reference, kustomization, "leads out of the repository")
    inside = kustomizations_in(path, find) if reference.folder else []
    found = find(path) if reference.file and not is_kustomization(path) else None
    if found is None and len(inside) == 1:
        found = inside[0]
    if found is not None:
        why = unreadable(found, limits)
        return _unresolved(reference, kustomization, why) if why else (found, found in inside)
    what = " or ".join(("a file",) * reference.file + ("a folder with one kustomization",) * reference.folder)
    return _unresolved(reference, kustomization, f"is not {what}")


def unreadable(entry: Entry, limits: TreeLimits) -> str:
    """Say why an entry may not be read, nothing where it may."""
    if not entry.regular or odd_name(entry.path, limits) or not {"..", ".git"}.isdisjoint(entry.path.casefold().split("/")):
        return "is no regular file with a plain name"
    return f"is larger than the cap of {limits.file_bytes} bytes" if entry.size > limits.file_bytes else ""


def kustomizations_in(folder: str, find: Find) -> list[Entry]:
    """Return the kustomization files of a folder; more than one is an error of kustomize too."""
    paths = (name if folder in ("", ".") else f"{folder}/{name}" for name in sorted(KUSTOMIZATIONS))
    return [entry for path in paths if (entry := find(path))]


def read_all(
    starts: Sequence[Entry], find: Find, limits: TreeLimits, read: Read
) -> tuple[dict[Entry, Kustomization], list[Problem]]:
    """Read kustomizations and all that they refer to, level by level."""
    known: dict[Entry, Kustomization] = {}
    problems: list[Problem] = []
    level = list(starts)
    while level:
        found = [_read(entry, data, find, limits, problems) for entry, data in zip(level, read(level), strict=True)]
        known |= {one.entry: one for one in found}
        level = sorted({entry for one in found for entry in one.folders} - known.keys())
    return known, problems


def _read(entry: Entry, data: bytes, find: Find, limits: TreeLimits, problems: list[Problem]) -> Kustomization:
    loaded = load(entry.path, data)
    documents = loaded.documents
    if loaded.problems or len(documents) != 1 or not isinstance(documents[0].value, dict) or documents[0].not_json:
        message = "is not one plain YAML object: correct it"
        problems += loaded.problems or (Problem(Code.KUSTOMIZATION, message, place=entry.place),)
        return Kustomization(entry)
    kustomization = Kustomization(entry, documents[0].value)
    for item in references(kustomization.document, entry.place):
        found = item if isinstance(item, Problem) else resolve(item, entry, find, limits)
        match found, item:
            case Problem(), _:
                problems.append(found)
            case (target, True), _:
                kustomization.folders.add(target)
            case (target, False), Reference():
                kustomization.files[target] = item.yaml and target.path.endswith(SUFFIXES)
    return kustomization


def _of_objects(name: str, value: Any, allowed: set[str], place: Place) -> Iterator[Reference | Problem]:
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        where = f"{name}[{number}]"
        if not isinstance(item, dict) or not item.keys() <= allowed:
            yield _not_accepted(where, place)
        elif "path" in item:
            yield Reference(str(item["path"]), f"{where}.path")


def _of_generators(name: str, value: Any, place: Place) -> Iterator[Reference | Problem]:
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        where = f"{name}[{number}]"
        if not isinstance(item, dict) or not item.keys() <= _GENERATOR:
            yield _not_accepted(where, place)
            continue
        for text in _texts(item.get("files", [])):
            yield Reference(text.rpartition("=")[2], f"{where}.files", yaml=False)
        for text in (*_texts(item.get("envs", [])), *_texts([item["env"]] if "env" in item else [])):
            yield Reference(text, f"{where}.envs", yaml=False)


def _texts(value: Any) -> list[str]:
    """Return a list of texts; what is none is refused as a path by its odd look."""
    return [item if isinstance(item, str) else "" for item in value] if isinstance(value, list) else [""]


def _not_accepted(name: str, place: Place) -> Problem:
    message = "is not accepted: charts, plugins, generators, containers and unknown fields may run programs or use the network"
    return Problem(Code.PLUGIN, message, place=place, field=name)


def _unresolved(reference: Reference, kustomization: Entry, why: str) -> Problem:
    message = f"{reference.text[:80]!a} {why}: name a file or folder of this repository"
    return Problem(Code.REFERENCE, message, place=kustomization.place, field=reference.field)
