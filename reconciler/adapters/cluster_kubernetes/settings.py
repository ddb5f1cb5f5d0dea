"""How the API server is reached and how patient we are with it, as one value."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a request is tried again. Times are in seconds.

    Pauses double from `first_pause` to `longest_pause`, each with up to `jitter` added. A server that says when to come back
    (Retry-After) is believed up to `longest_retry_after`. After `attempts` tries the request has failed, and no try begins
    later than `longest` after the first one.
    """

    attempts: int = 6
    longest: float = 90.0
    first_pause: float = 0.2
    longest_pause: float = 5.0
    jitter: float = 0.5
    longest_retry_after: float = 30.0


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """Which cluster, as whom, and within what limits.

    Without `kubeconfig` the files named by KUBECONFIG are taken, else ``~/.kube/config``, else the Pod's service account.
    `namespaces` limits what is read and may be written; empty means all. `allow_exec` accepts kubeconfigs that run a program
    to get credentials. `concurrency` bounds the requests under way, watches apart.

    Times are in seconds: to connect; for one wait during an answer; for a whole answer; for a whole write, which the server is
    also told to give up after. The last try of a write is sent `writing.longest` after the first or never, so that none takes
    effect later than the sum of that, `connect_timeout` and `write_timeout`: 19 s, which is less than what is left of a lease
    of 30 s that is renewed each 10 s.
    """

    kubeconfig: Path | None = None
    context: str = ""
    namespaces: tuple[str, ...] = ()
    allow_exec: bool = False
    concurrency: int = 16
    page_size: int = 500
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    answer_timeout: float = 120.0
    write_timeout: float = 6.0
    watch_silence: float = 150.0
    """A watch that says nothing for so long is dead: the API server sends a bookmark a minute."""
    watch_length: float = 300.0
    """How long one watch request lasts before it is renewed."""
    watch_pause: float = 30.0
    """Longest pause before a broken watch is tried again; pauses double up to it."""
    relist_interval: timedelta = timedelta(minutes=10)
    """How often watched copies are compared with a full listing; each kind at its own, jittered time."""
    reading: Patience = Patience()
    writing: Patience = Patience(longest=8.0, longest_retry_after=5.0)
