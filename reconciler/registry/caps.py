"""How much a request may carry: known before anything of it is read."""

from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.core.fleet.refusals import Refusal
from reconciler.registry.problems import problem


class Capped:
    """Around an application: a body says its length, and that is at most so many bytes. The server holds it to that."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it unread."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            length = headers.get(b"content-length", b"0")
            if b"transfer-encoding" in headers or not length.isdigit():
                await problem(Refusal.INVALID, "a body must say its length", status=411)(scope, receive, send)
                return
            if int(length[:20]) > self._most:
                await problem(Refusal.TOO_LARGE, f"a body has at most {self._most} bytes")(scope, receive, send)
                return
        await self._app(scope, receive, send)
