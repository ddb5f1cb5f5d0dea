"""Reading CRDs: which documents they are, which version of a kind to use, and which Istio they belong to."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from reconciler.adapters.schemas_crd.codes import Code
from reconciler.core.resources import Document
from reconciler.errors import InvalidInput

#: Istio's own file of all CRDs has 1 MB.
LARGEST_FILE = 16 * 1024 * 1024
_KIND = "CustomResourceDefinition"
#: Where installers of Istio write its version: istioctl, then Helm with and without the chart's name before it.
_VERSION_LABELS = ("operator.istio.io/version", "app.kubernetes.io/version", "helm.sh/chart", "chart")
_VERSION = re.compile(r"(?:^|[-v])([0-9]+\.[0-9]+(?:\.[0-9]+)?(?:-[0-9A-Za-z.]+)?)").search


def read_crds(path: Path) -> tuple[Document, ...]:
    """Return the CRDs in a YAML or JSON file, several documents or a List. Raises InvalidInput, also where there are none.

    The file is the operator's own, so it is read by the ordinary safe loader, which takes all of YAML; but first as JSON,
    which kubectl writes and which is read twenty times as fast.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidInput(
                f"{path} is larger than {LARGEST_FILE} bytes: give a file with Istio's CRDs only", code=Code.FILE
            )
        loaded = _loaded(path.read_bytes())
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} cannot be read as YAML: {error}", code=Code.FILE) from error
    found = usable(loaded)
    if not found:
        raise InvalidInput(f"{path} holds no {_KIND}: give the CRDs of your Istio", code=Code.FILE)
    return found


def _loaded(data: bytes) -> list[object]:
    with suppress(ValueError, RecursionError):
        return [json.loads(data)]
    return list(yaml.load_all(data, yaml.CSafeLoader))  # noqa: TID251 - the operator's own file


def usable(documents: Iterable[object]) -> tuple[Document, ...]:
    """Return the usable CRDs among documents, those in Lists too."""
    return tuple(_definitions(documents))


def _definitions(documents: Iterable[object]) -> Iterator[Document]:
    for document in documents:
        if not isinstance(document, dict):
            continue
        if isinstance(items := document.get("items"), list):
            yield from _definitions(items)
        elif document.get("kind") == _KIND and group_kind(document) and _versions(document):
            yield document


def group_kind(crd: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return group and kind that a CRD defines, None where it does not say."""
    spec = crd.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(names, dict):
        return None
    group, kind = spec.get("group"), names.get("kind")
    return (group, kind) if isinstance(group, str) and isinstance(kind, str) else None


def schema_of(crd: Mapping[str, Any], version: str) -> Document | None:
    """Return the schema under which the server would check this version: its own, else that of the stored version."""
    served = [one for one in _versions(crd) if one.get("served")]
    by_name = {one.get("name"): one for one in served}
    chosen = by_name.get(version) or next((one for one in served if one.get("storage")), None) or next(iter(served), None)
    schema = ((chosen or {}).get("schema") or {}).get("openAPIV3Schema")
    return schema if isinstance(schema, dict) else None


def origin_of(crds: Sequence[Document], source: str) -> str:
    """Return in words where CRDs came from, empty where there are none."""
    version = istio_version(crds)
    return f"{source} (Istio {version})" if version else source if crds else ""


def digest_of(crds: Sequence[Document], origin: str) -> str:
    """Return what tells these CRDs from others: what they demand and how they are named, not what became of them since."""
    parts = [origin, [crd["spec"] for crd in crds]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def istio_version(crds: Iterable[Mapping[str, Any]]) -> str:
    """Return the version of Istio that the CRDs were installed with, as far as labels tell; empty where they do not."""
    for crd in crds:
        metadata = crd.get("metadata") or {}
        marks = {**(metadata.get("annotations") or {}), **(metadata.get("labels") or {})}
        for name in _VERSION_LABELS:
            if found := _VERSION(str(marks.get(name, ""))):
                return found[1]
    return ""


def _versions(crd: Mapping[str, Any]) -> list[Document]:
    versions = crd["spec"].get("versions")
    return [one for one in versions if isinstance(one, dict)] if isinstance(versions, list) else []
