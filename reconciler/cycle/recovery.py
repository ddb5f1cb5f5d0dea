"""After a crash and after a loss: what is known again by looking.

`settle_open_writes` reads back the writes that a killed process left open, so that each counts once. `recover` rebuilds a lost
or restored store from the marks and field ownership in the cluster.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from reconciler.core.changes import Action
from reconciler.core.comparison import compare, our_paths
from reconciler.core.documents import limited
from reconciler.core.resources import Document, Key, LiveObject, ObservedState, Revision, StoreName
from reconciler.core.rollouts.records import Change, refusal_of
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.wanted import marked_for
from reconciler.errors import Rejected
from reconciler.ports import Clock, Cluster, JournalEntry, Store, VMRegistry

log = logging.getLogger(__name__)


def settle_open_writes(
    store: Store, cluster: Cluster, registry: VMRegistry | None, clock: Clock, fence: Callable[[], None]
) -> int:
    """Read back every journalled write without an outcome and settle it; returns how many were. Raises Unavailable.

    Another process's writes may be under way where the lease was lost meanwhile; `fence` raises then, and nothing is settled.
    What may not be read (any more) stays open and holds up nothing: nobody can say what became of it.
    """
    settled = []
    for entry in store.unsettled():
        reader = cluster if entry.key.store is StoreName.CLUSTER else registry
        if reader is None:
            continue
        try:
            outcome = "done" if _took_place(entry, reader.get(entry.key)) else "moot"
        except Rejected as error:
            log.warning("what became of the %s of %s cannot be read back: %s", entry.action, entry.key, error)
            continue
        settled.append(replace(entry, outcome=outcome, message="read back", ended=clock.now()))
    if settled:
        fence()
        store.settle(settled)
    return len(settled)


def _took_place(entry: JournalEntry, live: LiveObject | None) -> bool:
    """Tell whether the object is as the write would have left it.

    A hand-over and a condition are decided anew, whatever became of them: neither is what was last written.
    """
    match Action(entry.action):
        case Action.DELETE:
            return live is None or live.uid != entry.uid or live.deleting
        case Action.HAND_OVER | Action.CONDITION:
            return False
        case Action.CREATE | Action.UPDATE:
            if live is None or entry.after is None or entry.uid not in ("", live.uid):
                return False
            return compare(entry.after, live).in_sync


def ours_in(observed: ObservedState, target: str) -> dict[Key, Document]:
    """Return what the target owns by the evidence of both stores: marked objects and all records, limited to our fields."""
    marked = {key: live for key, live in observed.objects.items() if marked_for(live.labels) == target}
    return {key: limited(live.document, our_paths(live)) for key, live in (marked | dict(observed.machines)).items()}


def recover(
    store: Store, owned: Mapping[Key, Document], revision: Revision, clock: Clock, rollouts: Iterable[Rollout] = ()
) -> None:
    """Make a store know what the target owns, what was last written of it, and that `revision` is the commit to go on from.

    `rollouts` are those put together again (`checkpoints.Recovery`).
    """
    now = clock.now()
    store.widen(owned)
    entries = [JournalEntry(0, "recover", key, Action.UPDATE, document, started=now) for key, document in owned.items()]
    store.settle([replace(entry, outcome="done", message="recovered", ended=now) for entry in store.intend(entries)])
    heard = store.last_entry()
    kept = [(replace(one, heard=heard), refusal_of(one, one.reason, now) if one.refused else None) for one in rollouts]
    store.rollouts.save([Change(one, refusal=refusal) for one, refusal in kept])
    store.accept(revision)
