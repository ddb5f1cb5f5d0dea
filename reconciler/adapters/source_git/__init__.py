"""A Git repository as the source: a bare mirror that is never checked out, read by object id.

What belongs here: talking to Git safely. What a commit's tree holds is judged by `adapters/tree`, before its bytes are read.
What must not be known here: what manifests mean. The repository, its server and all it says are hostile until checked; only
the operator's own settings are trusted, and even they never become an option of a command.

    settings     what the operator says: `GitSettings`, checked when a source is made
    url, refs, semver   the grammar of repository and ref; nothing else ever reaches a command line
    target       all three, checked before any process is started
    credentials  secrets from files and variables: to Git by environment, out of every message
    environment  the whole environment and configuration of those processes
    answers      what Git said when it failed -> InvalidInput or Unavailable
    store        the data folder on disk: who may enter and write, what a crash left in it
    mirror       the bare store, and the questions to it and to the server
    writer       what changes the store: one at a time, made anew when damaged
    commits      the bytes of a commit -> Revision
    blobs        many blobs through one process
    signatures   who signed a commit, and whether that key is good now
    listing      a commit -> the files to read from it
    source       `GitSource`: all of it behind the port
"""

from reconciler.adapters.source_git.settings import (
    Credentials,
    GitSettings,
    Limits,
    SignaturePolicy,
    Signatures,
    Timeouts,
)
from reconciler.adapters.source_git.source import GitSource

__all__ = ["Credentials", "GitSettings", "GitSource", "Limits", "SignaturePolicy", "Signatures", "Timeouts"]
