"""Connections of agents, as long as they say something: the parser alone would wait for ever, and keep whatever it is sent.

Each request carries whose certificate its connection shows.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reconciler.registry.certificates import EXTENSION, name_of

#: Bytes that a request may have come to before its head is complete; what follows it in the same packet counts too.
LONGEST_HEAD = 131_072
#: Seconds from the first byte of a request, or from the connection, to the end of its head.
PATIENCE = 10.0


class AgentConnection(HttpToolsProtocol):
    """Closes a connection whose head does not end in time or is too long."""

    patience = PATIENCE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._certificate = ""
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect a first head."""
        super().connection_made(transport)
        self._certificate = name_of(transport.get_extra_info("ssl_object"))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what is no body."""
        if self._waiting is not None:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.transport.abort()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Expect the head of a next request."""
        self._expect_head()
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"name": self._certificate}}

    def on_headers_complete(self) -> None:
        """Let a request take its time from here on: that is bounded elsewhere."""
        self._stop_waiting()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(self.patience, self.transport.abort)

    def _stop_waiting(self) -> None:
        self._head = 0
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def patient(seconds: float) -> type[AgentConnection]:
    """Return connections that wait for so long."""
    return type("AgentConnection", (AgentConnection,), {"patience": seconds})
