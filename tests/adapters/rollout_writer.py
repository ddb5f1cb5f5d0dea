"""A process to be killed: `python -m tests.adapters.rollout_writer URL` saves a rollout again and again, until it is ended.

Each save goes one step on, with a piece of evidence for it, the command that asked for it and a refusal that replaces the last
one. What it says on its output, ``saved N``, is stored.
"""

import os
import sys
from dataclasses import replace

from reconciler.adapters.store_sql import SqlStore
from reconciler.core.rollouts.records import Change
from tests.contracts.rollouts import command, piece, refusal
from tests.core.rollouts.play import rollout


def main(url: str) -> None:
    """Say, save, tell."""
    store = SqlStore(url, "production")
    one = rollout(id="r0")
    number = 0
    while True:
        number += 1
        store.rollouts.say(command(number))
        pieces = (piece(number), piece(number))
        change = Change(replace(one, step=number), pieces, (f"c{number}",), refusal(one, reason=str(number)))
        (one,) = store.rollouts.save([change])
        os.write(1, f"saved {number}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
