"""Complete lists: page by page, all of one snapshot, or nothing at all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.adapters.cluster_kubernetes.answers import Expired, Unsure
from reconciler.adapters.cluster_kubernetes.resources import Held, Resource, collection
from reconciler.core.resources import Document

#: After so many lists that outlived their snapshot the whole is asked for in one page.
RESTARTS = 3

Get = Callable[[str, dict[str, str | int]], Document]


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of one collection, and the version of the collection that a watch goes on from."""

    items: tuple[Held, ...]
    version: str


def list_all(get: Get, resource: Resource, served: str, namespace: str, page_size: int) -> Listing:
    """Read a whole collection. Raises Unavailable for anything less than that, NotServed and Rejected as `get` does."""
    path = collection(resource.kind, served, namespace)
    for _ in range(RESTARTS):
        try:
            return _pages(get, path, resource, page_size)
        except Expired:
            continue
    return _pages(get, path, resource, 0)


def _pages(get: Get, path: str, resource: Resource, page_size: int) -> Listing:
    items: list[Held] = []
    query: dict[str, str | int] = {"limit": page_size} if page_size else {}
    while True:
        page = get(path, query)
        try:
            if page["kind"] != f"{resource.kind.name}List":
                raise Unsure(f"asked for {resource.kind.plural}, was answered with {page['kind']}")
            items.extend(map(resource.held, page["items"]))
            metadata: Document = page["metadata"]
            version, more = metadata["resourceVersion"], metadata.get("continue")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Unsure(f"the list of {resource.kind.plural} makes no sense: {error!r}") from error
        if not more:
            return Listing(tuple(items), _text(version))
        query["continue"] = more


def _text(version: Any) -> str:
    if not isinstance(version, str) or not version:
        raise Unsure("a list came without its resourceVersion")
    return version
