"""A webhook in memory, for demos and tests: it replies what it was told to, and keeps what it was asked."""

import threading
from typing import Any

from reconciler.core.gates.answers import AskHook, Reply
from reconciler.errors import ReconcilerError, Unavailable


class MemoryHook:
    """`ports.Hook`. A URL that nothing was said about cannot be reached."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._replies: dict[str, Reply | ReconcilerError] = {}
        self._asked: list[AskHook] = []

    @property
    def asked(self) -> tuple[AskHook, ...]:
        """Every question so far."""
        with self._lock:
            return tuple(self._asked)

    def reply(self, url: str, status: int, body: dict[str, Any] | None) -> None:
        """Reply with this to whatever is asked at a URL from now on."""
        with self._lock:
            self._replies[url] = Reply(status, body)

    def break_down(self, url: str, error: ReconcilerError) -> None:
        """Fail with this error instead."""
        with self._lock:
            self._replies[url] = error

    def ask(self, question: AskHook) -> Reply:
        with self._lock:
            self._asked.append(question)
            reply = self._replies.get(question.url) or Unavailable(f"{question.url} cannot be reached")
        if isinstance(reply, ReconcilerError):
            raise reply
        return reply

    def close(self) -> None:
        """Nothing is kept open."""
