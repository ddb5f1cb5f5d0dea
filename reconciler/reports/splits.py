"""The predicted splits of services of which somebody has left load balancing or come back, kept in the state store.

They are as of that moment: what Pods and weights have done since, a plan knows.
"""

from collections.abc import Sequence
from datetime import datetime

from reconciler.core.plans import Split
from reconciler.ports import Store
from reconciler.reports import words

_NAME = "splits/health"
#: Services of which splits are kept, those of the last changes.
MOST = 100


def remember_splits(store: Store, splits: Sequence[Split], now: datetime) -> None:
    """Keep splits as text, in place of older ones of the same service port. Raises Unavailable."""
    known = recall_splits(store)
    for split in splits:
        name = f"{split.service}:{split.port}"
        known.pop(name, None)
        known[name] = f"{words.split(split)}, since health changed at {words.moment(now)}"
    store.remember(_NAME, dict(list(known.items())[-MOST:]))


def recall_splits(store: Store) -> dict[str, str]:
    """Return the texts by service port. Raises Unavailable."""
    return dict(store.recall(_NAME) or {})
