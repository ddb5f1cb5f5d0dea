"""`metadata` as an author may write it, and the rules for labels and annotations, which are Kubernetes' own."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pydantic import Field

from reconciler.core.manifests.models.base import DnsLabel, DnsSubdomain, Strict

#: Fields of metadata (and the top level) that a server or a controller writes; an author who sets them fights it.
SERVER_FIELDS = frozenset(
    {
        "status",
        "generateName",
        "managedFields",
        "finalizers",
        "ownerReferences",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    }
)
#: Bytes of all annotations of one object, keys and values.
MAX_ANNOTATIONS = 256 * 1024

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DNS = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_KEY = re.compile(rf"(?:(?=.{{1,253}}/){_DNS}(?:\.{_DNS})*/)?{_NAME}").fullmatch
_VALUE = re.compile(rf"(?:{_NAME})?").fullmatch


class Metadata(Strict):
    """Metadata of an object whose name may have dots."""

    name: DnsSubdomain
    namespace: DnsLabel | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class NamespaceMetadata(Metadata):
    """Metadata of a Namespace, whose name is a DNS label."""

    name: DnsLabel = Field()


@lru_cache(maxsize=4096)
def _is_key(key: str) -> bool:
    return _KEY(key) is not None


def metadata_problems(metadata: Mapping[str, Mapping[str, str] | None]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield steps (below metadata) and message for each label or annotation that the API server would refuse."""
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    for key, value in labels.items():
        if not _is_key(key):
            yield ("labels", key), _BAD_KEY
        if not _VALUE(value):
            yield (
                ("labels", key),
                "a label value has at most 63 letters, digits, '-', '_' and '.', and begins and ends with a letter or digit",
            )
    for key in annotations:
        if not _is_key(key.lower()):
            yield ("annotations", key), _BAD_KEY
    if annotations and sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > MAX_ANNOTATIONS:
        yield ("annotations",), f"all annotations of an object may have {MAX_ANNOTATIONS >> 10} KiB together: shorten them"


_BAD_KEY = (
    "the key must be a name of at most 63 letters, digits, '-', '_' and '.' that begins and ends with a letter or digit, "
    "optionally after a DNS name and '/'"
)
