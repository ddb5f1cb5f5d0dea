"""Who is turned away while there is too much to do: at once, cheaply, and told when to come again, each at another time.

Who takes too long to send a request is turned away too, or a few hundred of those would keep all others out.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.core.fleet.refusals import Refusal
from reconciler.registry.problems import problem

#: Seconds between two looks at how late the event loop is.
LOOK = 0.1
#: Seconds within which those who were turned away are to come again.
SPREAD = 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """When there is too much to do: so many requests at once, an event loop so many seconds late, so many for one request."""

    requests: int = 500
    late: float = 1.0
    longest: float = 15.0


class Shedding:
    """Around an application, which it gives so much work at once, and so much time for each request."""

    def __init__(self, app: ASGIApp, bounds: Bounds, shed: Callable[[], None]) -> None:
        self._app, self._bounds, self._shed = app, bounds, shed
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
        if self._answering >= self._bounds.requests or self._late > self._bounds.late:
            self._shed()
            await _turn_away(send)
            return
        self._answering += 1
        try:
            await self._in_time(scope, receive, send)
        finally:
            self._answering -= 1

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            async with asyncio.timeout(self._bounds.longest):
                await self._app(scope, receive, noted)
        except TimeoutError:
            if not has_begun:
                await problem(Refusal.TOO_SLOW, "the request took too long")(scope, receive, send)


async def _turn_away(send: Send) -> None:
    body = b'{"type":"about:blank","title":"overloaded","status":503,"code":"overloaded","detail":"come again later"}'
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(random.randint(1, SPREAD)).encode()),  # noqa: S311 - spreads load, hides nothing
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
