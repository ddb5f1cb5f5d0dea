"""The VM registry's server beside something else, in a thread of its own.

Not in the main thread, where an event loop takes signals for itself.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.settings import Settings


@contextmanager
def registry_beside(settings: "Settings", ended: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Run the server until the body ends, or until what is yielded is called; `ended` is told once it answers no more.

    Raises InvalidInput and Unavailable, also in the end for what ended it before its time.
    """
    from reconciler.wiring import registry_server

    with registry_server(settings) as server, ThreadPoolExecutor(1, "registry") as threads:
        logging.getLogger("reconciler").info("the VM registry of target %s listens at port %d", settings.target, server.port)
        running = threads.submit(server.run)
        running.add_done_callback(lambda _: ended())
        try:
            yield server.stop
        finally:
            server.stop()
        running.result()
