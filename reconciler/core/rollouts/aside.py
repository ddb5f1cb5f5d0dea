"""A newer commit that leaves alone where requests go: it counts at once, and the rollout keeps its step and its evidence.

That is so for timeouts and retries of routes that the rollout itself does not change. All else begins a rollout of its own,
which takes over from where traffic is.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import zip_longest

from reconciler.core.groups.marks import with_join_of
from reconciler.core.resources import Document, Revision
from reconciler.core.rollouts.beginning import Wish, digest_of_way
from reconciler.core.rollouts.records import content_of
from reconciler.core.rollouts.rollout import Phase, Rollout

_BESIDE = frozenset({"timeout", "retries"})
_MOMENTS = (Phase.APPLYING, Phase.SOAKING, Phase.WATCHING)
_LISTS = ("http", "tls", "tcp")


def taken_along(rollout: Rollout, wish: Wish, split: Fraction | None, revision: Revision) -> Rollout | None:
    """Return the rollout with what a commit changes beside it, None where that is not all, or it is no moment for it.

    What is taken along counts for the start as well: an undo takes back what the rollout is about.
    """
    way = rollout.way
    if rollout.phase not in _MOMENTS or rollout.back or way.splits[1] != split:
        return None
    known = {key: with_join_of(way.after.get(key, old), wish.after[key]) for key, old in wish.before.items()}
    moved = {key: new for key, new in wish.after.items() if new != known[key]}
    changing = {key for leg in way.legs for key in leg.after}
    if not moved or moved.keys() & changing or not all(_is_beside(known[key], new) for key, new in moved.items()):
        return None
    way = replace(way, before={**way.before, **moved}, after={**way.after, **moved})
    content = content_of(wish.after, split)
    digest, origin = digest_of_way(content, way), {**rollout.origin, **moved}
    # What a group goes together for stays the commit that it began for.
    commit = rollout.commit if rollout.policy.group else revision.id
    return replace(rollout, commit=commit, content=content, digest=digest, origin=origin, way=way)


def _is_beside(old: Document | None, new: Document | None) -> bool:
    """Tell whether two documents are the same VirtualService but for timeouts and retries of its routes."""
    if old is None or new is None or new["kind"] != "VirtualService":
        return False
    return _rest(old) == _rest(new) and all(
        one is not None and other is not None and _bare(one) == _bare(other)
        for name in _LISTS
        for one, other in zip_longest(old["spec"].get(name) or (), new["spec"].get(name) or ())
    )


def _rest(document: Document) -> Document:
    return {**document, "spec": {name: value for name, value in document["spec"].items() if name not in _LISTS}}


def _bare(route: Document) -> Document:
    return {name: value for name, value in route.items() if name not in _BESIDE}
