"""What Git said when it failed -> what the catcher should do: ask a person, or wait and try again.

Git has one exit status for nearly everything, so its texts (in the C locale) have to be read. What is not recognised counts as
Unavailable: it is tried again and deletes nothing. Credentials that are refused are InvalidInput: trying again changes nothing,
and some servers lock an account for it; files are read anew at each poll, so that a new token is found without a restart.
"""

from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.tree import words
from reconciler.adapters.tree.process import Finished
from reconciler.errors import InvalidInput, Unavailable

#: What Git says -> what it means, and what to do. The first that is found counts.
_INPUT: tuple[tuple[tuple[str, ...], Code, str], ...] = (
    (
        ("could not read Username", "could not read Password", "Authentication failed", "Permission denied (", "Access denied"),
        Code.REFUSED,
        "the server refused our credentials: check user name, token or key, and what they may read",
    ),
    (
        ("Host key verification failed",),
        Code.HOST_KEY,
        "the server's ssh host key is not among the known ones: compare it with what the server's owner publishes, then add it",
    ),
    (
        ("unable to update url base from redirection", *(f"returned error: {status}" for status in (301, 302, 303, 307, 308))),
        Code.REDIRECT,
        "the server redirects to another address, which is not followed: set the URL to where the repository is now",
    ),
    (("dubious ownership",), Code.OWNERSHIP, "the local repository belongs to another user: run as its owner"),
    (("died of signal 25", "File too large"), Code.STORE_CAP, "it is larger than the mirror may become: raise max_store_bytes"),
    (("fsck error", "fsckObjects"), Code.MALFORMED, "an object of the repository is refused"),
)

#: Words of a failure that lies with the server or on the way to it. Without any of them our own store may be the reason.
_ELSEWHERE = (
    "unable to access",
    "Could not read from remote repository",
    "remote end hung up",
    "early EOF",
    "unexpected disconnect",
    "RPC failed",
    "find remote ref",
    "not our ref",
    "unadvertised object",
    "No space left",
)
#: Lines that only repeat that there was no answer.
_NOISE = (
    "fatal: the remote end hung up unexpectedly",
    "Please make sure you have the correct access rights",
    "and the repository exists",
)


class DamagedStore(Unavailable):
    """The mirror does not hold what it should; it is made anew by the next poll."""


class LostCommit(Unavailable):
    """The mirror holds no such commit: an old one that nobody leads to any more or, where it was just fetched, damage."""


def failure(doing: str, finished: Finished, errors: str) -> InvalidInput | Unavailable:
    """Return what to raise for a failed command; `errors` is what it said, redacted."""
    if finished.stopped:
        return Unavailable(f"{doing}: {finished.stopped}, so it was ended")
    for texts, code, meaning in _INPUT:
        if any(text in errors for text in texts):
            return InvalidInput(f"{doing}: {meaning} ({said(errors)})", code=code)
    return Unavailable(f"{doing}: {said(errors) or f'Git ended with status {finished.status}'}")


def may_be_damage(finished: Finished) -> bool:
    """Say whether a fetch may have failed for what is in our own store."""
    return not finished.stopped and not any(text in finished.errors for text in _ELSEWHERE)


def said(errors: str) -> str:
    """Return what Git said on one line, without what says nothing."""
    return words.said(errors, _NOISE)
