"""Approval: persons say yes to the plan in force."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Approve, Role
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.rollouts.values import Approval

#: Clocks of replicas may differ by this much; an approval from later than that counts once its time has come.
CLOCKS_DIFFER = timedelta(minutes=5)

_AUTHOR = re.compile(r"\s*(.*?)\s*(?:<([^<>]*)>)?\s*")
_ADDRESS = re.compile(r"<([^<>]*)>")


def approval(ask: Approve, scene: Scene) -> Verdict:
    """Pass while enough different persons approve of the plan of this digest.

    One who lacks the role, said yes to another plan or too long ago does not count; nor, with `not_author`, does who wrote
    the commit.
    """
    refused = {one.by: why for one in scene.approvals if (why := _refusal(ask, scene, one))}
    counted = {_person(one.by): one for one in scene.approvals if not _refusal(ask, scene, one)}
    if len(counted) >= ask.count:
        return Verdict.passing(f"approved by {', '.join(sorted(one.by for one in counted.values()))}")
    left = ask.count - len(counted)
    needs = f"{left} approval{'s' if left > 1 else ''} by a person with role {ask.role}"
    needs += f"; {ask.lacking}" if ask.lacking else ""
    given = [f"approved by {', '.join(sorted(one.by for one in counted.values()))}"] if counted else []
    given += [f"{by} does not count: {why}" for by, why in sorted(refused.items()) if _person(by) not in counted]
    return Verdict.waiting(Reason.APPROVAL, "; ".join(given) or "nobody has approved yet", needs=needs)


def _refusal(ask: Approve, scene: Scene, given: Approval) -> str:
    """Return why an approval does not count, empty where it does."""
    if given.digest != scene.digest:
        return "it was for another plan"
    if not _covers(given.role, ask.role):
        return f"{ask.role} is asked for"
    if ask.not_author and set(_known_by(given.by)) & set(_names(scene.author)):
        return "is the author of the commit"
    return _timing(ask, given.at, scene.now)


def _covers(role: str, wanted: Role) -> bool:
    return role in set(Role) and Role(role).covers(wanted)


def _timing(ask: Approve, at: datetime, now: datetime) -> str:
    if at > now + CLOCKS_DIFFER:
        return "it is dated in the future"
    return "it has expired" if now - at > ask.expires else ""


def _person(by: str) -> str:
    """Return who somebody is, without addresses and host: one user on two hosts is one person."""
    return _folded(by.partition("<")[0].partition("@")[0])


def _folded(name: str) -> str:
    return name.strip().casefold()


def _known_by(by: str) -> Iterator[str]:
    """Yield the names of a person (``Zoë <zoe@example.org>``, ``zoe@bastion``) that a commit may have for them."""
    for one in (_person(by), by.partition("<")[0], *_ADDRESS.findall(by)):
        if one:
            yield _folded(one)


def _names(author: str) -> Iterator[str]:
    """Yield the names by which the author of a commit (``Zoë <zoe@example.org>``) may appear as a person here."""
    parts = _AUTHOR.fullmatch(author)
    name, email = parts.groups(default="") if parts else (author, "")
    for one in (author, name, email, email.partition("@")[0]):
        if one:
            yield _folded(one)
