"""What changes the mirror: fetching, packing, making it, throwing it away.

One writer at a time, also among processes: the commands that write inherit the lock, so that one which outlived us still holds
it. Whoever has it therefore knows that every other trace of a writer (``*.lock``, half a pack) was left by a crash, and removes
it. Damage is not repaired: the store is discarded and fetched anew.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.adapters.source_git.answers import DamagedStore, may_be_damage, said
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.mirror import Mirror
from reconciler.adapters.source_git.settings import GitSettings
from reconciler.adapters.tree.process import Bounds, Finished, Stop, run
from reconciler.errors import InvalidInput, Unavailable

log = logging.getLogger(__name__)


@contextmanager
def writing(mirror: Mirror, settings: GitSettings) -> Iterator["Writer"]:
    """Be the one writer. Raises Unavailable when another process stays it for longer than an exchange may take."""
    with mirror.store.exclusive(settings.timeouts.exchange.total_seconds()) as lock:
        yield Writer(mirror, settings, lock)


class Writer:
    """What only the one writer may do to the store."""

    def __init__(self, mirror: Mirror, settings: GitSettings, lock: int) -> None:
        self._mirror, self._store, self._settings, self._lock = mirror, mirror.store, settings, lock
        limits = settings.limits
        self._bounds = Bounds(settings.timeouts.fetch.total_seconds(), memory=limits.memory_bytes, file=limits.store_bytes)

    def fetch(self, source: str) -> None:
        """Fetch a full ref name or a commit id into the tip. Raises InvalidInput, DamagedStore, Unavailable."""
        self._store.sweep()
        if not self._store.complete:
            self._make()
        before = self._store.bytes()
        command, environment = self._mirror.fetch_command(source)
        finished = run(command, environment, self._mirror.folder, self._bounds, keep=(self._lock,), watch=self._fits)
        if not finished.ok:
            self._store.sweep()
            raise self._refusal(finished, before)

    def _refusal(self, finished: Finished, before: int) -> InvalidInput | Unavailable:
        """Say what a failed fetch means. Over the cap, the store is thrown away too where it is its past that weighs."""
        error = self._mirror.refusal(finished)
        if finished.stopped is Stop.WATCH or (isinstance(error, InvalidInput) and error.problems[0].code == Code.STORE_CAP):
            if before > self._settings.limits.store_bytes // 2:
                self.discard("it has grown to its cap")
            return InvalidInput(
                f"the repository is larger than the mirror may be ({self._settings.limits.store_bytes} bytes): "
                "raise git.max_store_bytes, or take large files out of its history",
                code=Code.STORE_CAP,
            )
        if before and isinstance(error, Unavailable) and may_be_damage(finished) and not self._sound():
            return DamagedStore(str(error))
        return error

    def _sound(self) -> bool:
        """Read every object of the store once. Takes its time, but only after a failure that nothing else explains."""
        command = (self._mirror.git, "fsck", "--full", "--no-dangling", "--no-progress")
        return run(command, self._mirror.environment(), self._mirror.folder, self._bounds).ok

    def pack(self) -> None:
        """Put many packs together, with what no ref reaches any more. Failing costs nothing but time."""
        if self._store.packs <= self._settings.limits.packs:
            return
        command = (self._mirror.git, "repack", "-a", "-d", "--keep-unreachable", "--quiet")
        finished = run(command, self._mirror.environment(), self._mirror.folder, self._bounds, keep=(self._lock,))
        if not finished.ok:
            self._store.sweep()
            log.warning("packing the mirror: %s", finished.stopped or said(finished.errors))

    def discard(self, why: str) -> None:
        """Throw the store away; the next fetch makes a new one."""
        log.warning("the mirror is discarded and will be fetched anew: %s", why)
        self._store.remove()

    def _make(self) -> None:
        self._store.remove()
        finished = self._mirror.ask("init", "--bare", "--quiet", "--template=")
        if not finished.ok:
            raise Unavailable(f"the mirror cannot be made: {said(finished.errors)}")
        self._store.complete_files()

    def _fits(self) -> bool:
        return self._store.bytes() <= self._settings.limits.store_bytes
