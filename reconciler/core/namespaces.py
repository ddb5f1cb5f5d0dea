"""The deletion of a Namespace, which takes everything in it: never by itself, never unseen.

Git dropping a Namespace is reported and no more, until a person says its name. Then everything inside is listed, of every kind
that the server knows, and the deletion goes on only where nothing is left that somebody might miss.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.changes import Action
from reconciler.core.edges import Write
from reconciler.core.kinds import MANAGED
from reconciler.core.plans import Guard, GuardCode
from reconciler.core.resources import DesiredState, Key
from reconciler.core.standing import spelled


@dataclass(frozen=True, slots=True, order=True)
class Inside:
    """An object in a namespace, of any kind whatever: its API group (empty for the core one), kind and name."""

    group: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}{f'.{self.group}' if self.group else ''} {self.name}"


@dataclass(frozen=True, slots=True)
class Listing:
    """All that is inside a namespace; `unread` says why nobody can tell, and is empty where this is really all."""

    objects: tuple[Inside, ...] = ()
    unread: str = ""


#: Kubernetes and istiod put these into every namespace, and put them back when they are deleted.
_EVERYWHERE = frozenset(
    {
        Inside("", "ServiceAccount", "default"),
        Inside("", "ConfigMap", "kube-root-ca.crt"),
        Inside("", "ConfigMap", "istio-ca-root-cert"),
    }
)
#: Records of what happened, which end by themselves within the hour; in either of their two groups.
_RECORDS = frozenset({("", "Event"), ("events.k8s.io", "Event")})
_NAMED = 5


def override_of(namespace: Key) -> str:
    """Return the name that a person says to have a Namespace deleted."""
    return f"delete:{spelled(namespace)}"


def namespace_guards(writes: Sequence[Write], desired: DesiredState, listings: Mapping[str, Listing]) -> Iterator[Guard]:
    """Yield a guard for each Namespace that would be deleted. `listings` are those that were made, by namespace.

    What the plan deletes before the Namespace is not in the way: where such a write is held, the Namespace's is held with it.
    """
    for key in _deleted(writes):
        going = {_inside(one.key) for one in writes if one.key.namespace == key.name and one.change.action is Action.DELETE}
        wanted = sorted(one for one in desired.manifests if one.namespace == key.name)
        override, why = ("", _still_wanted(wanted)) if wanted else _verdict(listings.get(key.name), going, override_of(key))
        message = f"{key} is gone from Git and stays, since its deletion would take everything in it: {why}"
        yield Guard(GuardCode.DELETE_NAMESPACE, message, override, keys=(key,))


def counting(overrides: Collection[str], writes: Iterable[Write], listings: Mapping[str, Listing]) -> frozenset[str]:
    """Return the overrides that count: the name of a Namespace does not where nobody has looked inside."""
    return frozenset(overrides) - {override_of(key) for key in _deleted(writes) if key.name not in listings}


def _deleted(writes: Iterable[Write]) -> list[Key]:
    return [one.key for one in writes if one.key.kind == "Namespace" and one.change.action is Action.DELETE]


def _still_wanted(keys: Sequence[Key]) -> str:
    return f"Git wants {_some(keys)} there; put the Namespace back into Git, or take these out"


def _verdict(listing: Listing | None, going: Collection[Inside | None], name: str) -> tuple[str, str]:
    """Return what to say to have it deleted (nothing, where that is not possible), and why it stays."""
    if listing is None:
        return name, "whoever says its name has that listed first"
    if listing.unread:
        return "", f"what that is could not be listed ({listing.unread}); it can only be deleted by hand"
    if left := sorted({one for one in listing.objects if not _is_nobodys(one)} - set(going)):
        return "", f"{_some(left)}; it can only be deleted by hand"
    return name, "nothing is in it but what this plan deletes"


def _some(things: Sequence[object]) -> str:
    more = f" and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
    return f"{', '.join(map(str, things[:_NAMED]))}{more}"


def _inside(key: Key) -> Inside | None:
    return Inside(MANAGED[key.kind].group, key.kind, key.name) if key.kind in MANAGED else None


def _is_nobodys(one: Inside) -> bool:
    return one in _EVERYWHERE or (one.group, one.kind) in _RECORDS
