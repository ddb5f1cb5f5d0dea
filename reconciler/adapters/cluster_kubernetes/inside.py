"""Everything inside one namespace, of every kind that the server serves, by metadata alone: complete, or an error.

What to ask for, the server says itself (https://kubernetes.io/docs/reference/using-api/api-concepts/). A kind that cannot be
deleted is no object but a view (the metrics of a Pod), and one that cannot be listed is a question (an access review).
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reconciler.adapters.cluster_kubernetes.answers import Unsure
from reconciler.adapters.cluster_kubernetes.api import JSON, KubernetesApi
from reconciler.adapters.cluster_kubernetes.resources import NAME
from reconciler.core.namespaces import Inside
from reconciler.errors import Rejected

#: Names without contents; a server that cannot do so (an extension's own) may send the contents too.
METADATA = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
_VERBS = frozenset({"list", "delete"})


@dataclass(frozen=True, slots=True)
class _Listed:
    """A kind under one of its versions: the path of that version, and how its collection is called."""

    group: str
    kind: str
    version_path: str
    plural: str


def everything_inside(api: KubernetesApi, namespace: str) -> tuple[Inside, ...]:
    """Return all objects of a namespace. Raises Rejected (a kind that we may not list) and Unavailable for anything less."""
    if not re.fullmatch(NAME, namespace):
        raise Rejected(f"{namespace!r} is no name of a namespace", status=400)
    with ThreadPoolExecutor(api.settings.concurrency, thread_name_prefix="inside") as pool:
        versions = [path for paths in pool.map(lambda root: _versions(api, root), ("/api", "/apis")) for path in paths]
        kinds: dict[tuple[str, str], _Listed] = {}
        for found in pool.map(lambda path: list(_kinds(api, path)), versions):
            for one in found:
                kinds.setdefault((one.group, one.plural), one)
        names = pool.map(
            lambda kind: [Inside(kind.group, kind.kind, name) for name in _names(api, kind, namespace)], kinds.values()
        )
        return tuple(one for some in names for one in some)


def _versions(api: KubernetesApi, root: str) -> list[str]:
    """Return the paths of all versions of all groups, of each group the preferred one first."""
    told = api.read(root)
    try:
        if root == "/api":
            return [f"{root}/{version}" for version in told["versions"]]
        groups = [
            (group.get("preferredVersion", {}).get("groupVersion"), [one["groupVersion"] for one in group["versions"]])
            for group in told["groups"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise Unsure(f"what the API server says of its API groups makes no sense: {error!r}") from error
    return [f"{root}/{one}" for preferred, versions in groups for one in sorted(versions, key=lambda one: one != preferred)]


def _kinds(api: KubernetesApi, path: str) -> Iterator[_Listed]:
    group = path.removeprefix("/apis/").partition("/")[0] if path.startswith("/apis/") else ""
    try:
        for one in api.read(path)["resources"]:
            if one["namespaced"] and "/" not in one["name"] and set(one["verbs"]) >= _VERBS:
                yield _Listed(group, one["kind"], path, one["name"])
    except (KeyError, TypeError) as error:
        raise Unsure(f"what the API server says of {path} makes no sense: {error!r}") from error


def _names(api: KubernetesApi, kind: _Listed, namespace: str) -> Iterator[str]:
    query: dict[str, str | int] = {"limit": api.settings.page_size}
    while True:
        page = api.read(f"{kind.version_path}/namespaces/{namespace}/{kind.plural}", query, accept=METADATA)
        try:
            items = page["items"]
            if not isinstance(items, list | None) or not page["kind"].endswith("List"):
                raise Unsure(f"asked for all {kind.plural}, was answered with something else")
            yield from (one["metadata"]["name"] for one in items or ())
            more = page["metadata"].get("continue")
        except (KeyError, TypeError, AttributeError) as error:
            raise Unsure(f"the list of {kind.plural} makes no sense: {error!r}") from error
        if not more:
            return
        query["continue"] = more
