"""Who is turned away while there is too much to do: at once, cheaply, and told when to come again, each at another time."""

import asyncio
import random
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

#: Seconds between two looks at how late the event loop is.
LOOK = 0.1
#: Seconds within which those who were turned away are to come again.
SPREAD = 10


class Shedding:
    """Around an application: refuses requests while `most` are being answered, or the loop is later than `latest` seconds."""

    def __init__(self, app: ASGIApp, most: int, latest: float, shed: Callable[[], None]) -> None:
        self._app, self._most, self._latest, self._shed = app, most, latest, shed
        self._answering = 0
        self._late = 0.0

    async def watch(self) -> None:
        """Measure how late the event loop is, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK
            await asyncio.sleep(LOOK)
            self._late = loop.time() - due

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or turn away."""
        if scope["type"] != "http" or scope["path"].startswith("/v1/watch"):
            await self._app(scope, receive, send)
            return
        if self._answering >= self._most or self._late > self._latest:
            self._shed()
            await _turn_away(send)
            return
        self._answering += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._answering -= 1


async def _turn_away(send: Send) -> None:
    body = b'{"type":"about:blank","title":"overloaded","status":503,"code":"overloaded","detail":"come again later"}'
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(random.randint(1, SPREAD)).encode()),  # noqa: S311 - spreads load, hides nothing
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
