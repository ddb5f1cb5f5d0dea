"""Who has an address already, so that no member is given one that another workload answers at."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from ipaddress import ip_address

from reconciler.core.istio import WorkloadEntry
from reconciler.core.resources import EMPTY, Document, Key, Manifest, ObservedState
from reconciler.core.tools import is_registered_by_istiod


class Places:
    """The addresses of the WorkloadEntries of a namespace each: of Git, and of those in the cluster that get requests.

    One that istiod registered counts in any case: it comes and goes as istiod likes.
    """

    def __init__(self, git: Mapping[Key, Manifest], observed: ObservedState) -> None:
        self._git, self._observed = git, observed

    def holder(self, key: Key, address: str) -> Key | None:
        """Return who else has an address in the namespace of a WorkloadEntry, None where nobody has."""
        found = self._holders.get((key.namespace, _canonical(address)), ())
        return next((one for one in found if one != key), None)

    @cached_property
    def _holders(self) -> dict[tuple[str, str], list[Key]]:
        """The entries by namespace and address; nobody asks while no VM comes or moves."""
        found: dict[tuple[str, str], list[Key]] = {}
        documents = {key: one.document for key, one in self._git.items() if key.kind == "WorkloadEntry"}
        for key, document in (*documents.items(), *self._live()):
            address = (document.get("spec") or EMPTY).get("address") or ""
            found.setdefault((key.namespace, _canonical(address)), []).append(key)
        return found

    def _live(self) -> Iterator[tuple[Key, Document]]:
        for key, live in self._observed.objects.items():
            if key.kind == "WorkloadEntry" and (is_registered_by_istiod(live) or WorkloadEntry.of(live.document).in_use):
                yield key, live.document


def _canonical(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return address
