"""Who is turned away while there is too much to do: at once, cheaply, and told when to come again, each at another time.

Agents are; operators and probes of the server itself are not. Who takes too long to send a request is turned away too, or a few
hundred of those would keep all others out.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.core.fleet.refusals import Refusal
from reconciler.registry.problems import problem

#: Seconds between two looks at how late the event loop is, and looks between two at how many are turned away.
LOOK, COUNT = 0.1, 10
#: Seconds within which those who were turned away are to come again: where few are, and at most.
SPREAD, LONGEST_SPREAD = 10, 60
_AGENTS = frozenset({"/v1/join", "/v1/heartbeat", "/v1/leave"})
#: What waits for news takes its time.
_PATIENT = "/v1/watch"
#: Made once: it is sent when there is no time.
_TURNED_AWAY = bytes(problem(Refusal.OVERLOADED, "come again later").body)


def spread(refused: int, answered: int) -> int:
    """Return within how many seconds those who are turned away are to come again, where so many were refused and answered.

    A fleet that comes back as soon as it is told costs more than it is given, if all are told the same.
    """
    return min(round(SPREAD * (1 + refused / max(answered, 1))), LONGEST_SPREAD)


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
        self._answering = self._answered = self._refused = 0
        self._spread = SPREAD
        self._late = 0.0

    async def watch(self) -> None:
        """Measure how late the event loop is and how many are turned away, until cancelled."""
        loop = asyncio.get_running_loop()
        for number in count(1):
            due = loop.time() + LOOK
            await asyncio.sleep(LOOK)
            self._late = loop.time() - due
            if number % COUNT == 0:
                self._spread = spread(self._refused, self._answered)
                self._refused = self._answered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or turn away."""
        if scope["type"] != "http" or scope["path"] == _PATIENT:
            await self._app(scope, receive, send)
        elif scope["path"] not in _AGENTS:
            await self._in_time(scope, receive, send)
        elif self._answering >= self._bounds.requests or self._late > self._bounds.late:
            self._refused += 1
            self._shed()
            await _turn_away(send, self._spread)
        else:
            self._answering += 1
            try:
                await self._in_time(scope, receive, send)
            finally:
                self._answering -= 1
                self._answered += 1

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


async def _turn_away(send: Send, within: int) -> None:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(_TURNED_AWAY)).encode()),
        (b"retry-after", str(random.randint(1, within)).encode()),  # noqa: S311 - spreads load, hides nothing
    ]
    await send({"type": "http.response.start", "status": Refusal.OVERLOADED.status, "headers": headers})
    await send({"type": "http.response.body", "body": _TURNED_AWAY})
