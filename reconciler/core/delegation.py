"""WorkloadEntries of which Git leaves the address to the VM registry: a VM that was rebuilt elsewhere goes on by itself.

Git says within which networks (`machines.ADDRESS_ANNOTATION`). An address counts that our own server has verified, of a VM that
is well there and that nobody else has. Else the entry stays where it is; where it has never been in one of the networks, at the
address that Git says. The registry's record keeps Git's address: what the VM says stands in its status.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network

from reconciler.core.groups.places import Places
from reconciler.core.health.codes import Code
from reconciler.core.health.words import word_of
from reconciler.core.machines import address_networks
from reconciler.core.resources import EMPTY, DesiredState, Document, Key, Manifest, ObservedState
from reconciler.core.world import record_of
from reconciler.errors import Problem, Severity


@dataclass(slots=True)
class Delegating:
    """Finds where such VMs are. One per target; what it returns is the very same value as long as they stay there."""

    _last: tuple[DesiredState, Mapping[Key, str], DesiredState] | None = field(default=None, init=False)

    def of(self, git: DesiredState, observed: ObservedState) -> tuple[DesiredState, tuple[Problem, ...]]:
        """Return a commit's desired state with the addresses that it leaves to the registry, and what is to be told of them."""
        left = {key: one for key, one in git.manifests.items() if address_networks(one.document)}
        if not left:
            return git, ()
        moved = dict(_Look(left, observed, Places(git.manifests, observed)).moved())
        if self._last is None or self._last[0] is not git or self._last[1] != moved:
            there = {key: replace(left[key], document=at(left[key].document, address)) for key, address in moved.items()}
            self._last = git, moved, replace(git, manifests={**git.manifests, **there})
        return self._last[2], tuple(_told(left[key], address) for key, address in moved.items())


@dataclass(frozen=True, slots=True)
class _Look:
    left: Mapping[Key, Manifest]
    observed: ObservedState
    places: Places

    def moved(self) -> Iterator[tuple[Key, str]]:
        """Yield the entries that are to be at another address than Git says."""
        for key, manifest in self.left.items():
            address = self._reported(key, manifest.document) or self._standing(key, manifest.document)
            if address and address != manifest.document["spec"].get("address"):
                yield key, address

    def _reported(self, key: Key, document: Document) -> str:
        """Return where a VM says that it is, and is well; empty where that does not count."""
        record = self.observed.machines.get(record_of(key))
        if record is None or not self.observed.served or self.observed.recovering:
            return ""
        address = str((record.document.get("status") or EMPTY).get("address") or "")
        counts = _is_inside(address, address_networks(document)) and word_of(address, record.document).healthy is True
        return address if counts and self.places.holder(key, address) is None else ""

    def _standing(self, key: Key, document: Document) -> str:
        live = self.observed.objects.get(key)
        address = str((live.document.get("spec") or EMPTY).get("address") or "") if live else ""
        return address if _is_inside(address, address_networks(document)) else ""


def at(document: Document, address: str) -> Document:
    """Return a WorkloadEntry at another address."""
    return {**document, "spec": {**document["spec"], "address": address}}


def _told(manifest: Manifest, address: str) -> Problem:
    networks, said = ", ".join(address_networks(manifest.document)), manifest.document["spec"].get("address")
    text = f"is at {address}, as the VM registry says; Git says {said}, and leaves that to the registry within {networks}"
    return Problem(Code.DELEGATED, text, Severity.INFO, manifest.place, object=str(manifest.key))


def _is_inside(text: str, networks: Sequence[str]) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in ip_network(one) for one in networks)
