"""The outside of a process as a series of points: ahead of and after each of its calls to a port.

At one of them something may strike: the process is killed, stopped, told to end, cut off. A point is named by the call and its
number among equal ones, for instance ``after cluster.apply ServiceEntry/shop/billing #1``.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from reconciler.core.resources import Key
from reconciler.errors import Unavailable

#: The methods of each port that change something out there.
CHANGING = {
    "cluster": ("annotate", "apply", "delete", "set_owners"),
    "registry": ("put", "delete"),
    "lease": ("acquire", "release"),
    "rollouts": ("save",),
    "store": ("accept", "first_seen", "forget", "intend", "narrow", "record", "remember_all", "settle", "widen"),
}
#: How the points begin that lie ahead of a write to cluster or registry.
AHEAD = tuple(f"ahead of {port}.{method}" for port in ("cluster", "registry") for method in CHANGING[port])


@dataclass
class Points:
    """All points that a process passes, in order; `strike` is called at the one named `at`.

    Without `together` one call is made at a time, whatever thread makes it: what strikes stops the process as a whole.
    """

    at: str = ""
    strike: Callable[[], None] = lambda: None
    together: bool = False
    passed: list[str] = field(default_factory=list)
    is_dead: bool = False
    _calls: Counter[str] = field(default_factory=Counter)
    _one: threading.RLock = field(default_factory=threading.RLock)

    @property
    def struck(self) -> bool:
        """Whether the point was reached."""
        return self.at in self.passed

    def sent_since(self) -> list[str]:
        """The writes to cluster and registry that were sent after the point, what stood at it included."""
        since = self.passed[self.passed.index(self.at) :] if self.struck else []
        return [one for one in since if one.startswith(AHEAD)]

    def around(self, name: str, port: Any, methods: tuple[str, ...] | None = None) -> Any:
        """A port whose calls (or only those of some methods) have a point ahead of them and one after them."""
        return _Around(self, name, port, methods)

    @contextmanager
    def passing(self, call: str) -> Iterator[None]:
        """The time between the two points of a call; one that fails has no second one."""
        turn: AbstractContextManager[object] = nullcontext() if self.together else self._one
        with turn:
            with self._one:
                self._calls[call] += 1
                number = self._calls[call]
            self._reach(f"ahead of {call} #{number}")
            yield
            self._reach(f"after {call} #{number}")

    def die(self) -> None:
        """Strike as a kill does, for all that anybody else can see: nothing that the process calls from now on takes place."""
        self.is_dead = True

    def _reach(self, point: str) -> None:
        self.passed.append(point)
        if point == self.at:
            self.strike()
        if self.is_dead:
            raise Unavailable("it is dead")


@dataclass
class _Around:
    points: Points
    name: str
    port: Any
    methods: tuple[str, ...] | None

    def __getattr__(self, method: str) -> Any:
        what = getattr(self.port, method)
        if method == "rollouts":
            return self.points.around(method, what, self.methods and CHANGING[method])
        if not callable(what) or (self.methods is not None and method not in self.methods):
            return what

        def call(*args: Any, **kwargs: Any) -> Any:
            with self.points.passing(f"{self.name}.{method} {_object(args)}".strip()):
                return what(*args, **kwargs)

        return call


def _object(arguments: tuple[Any, ...]) -> str:
    """The object that a call is about, where it is about one."""
    match arguments:
        case [Key() as key, *_]:
            return str(key)
        case [{"kind": _, "metadata": _} as document, *_]:
            return str(Key.of(document))
    return ""
