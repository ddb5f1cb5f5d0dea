"""Whom gates ask."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reconciler.core.gates.answers import Arm, AskHook, Counts, Durations, Reply, Series, Window
    from reconciler.core.gates.spec import Reporter
    from reconciler.core.rollouts.values import Told


class Metrics(Protocol):
    """What a mesh measures of itself. All methods raise Rejected for a question that makes no sense to it.

    Nothing is guessed: half an answer, one with a warning or one in another form raises Unavailable.
    """

    def query(self, text: str, at: datetime) -> Series:
        """Return what a query in PromQL gives at a moment: a sample for each series, none where there is none.

        NaN and infinite values come through as they are.
        """

    def counts(self, arm: Arm, window: Window, reporter: Reporter) -> Counts:
        """Return requests and failures of an arm in a window.

        Of two windows that adjoin, each request is in exactly one. Counters that were set back count nothing in that window,
        and neither do those of a process that was not there when it opened.
        """

    def durations(self, arm: Arm, window: Window, reporter: Reporter) -> Durations:
        """Return how long an arm's requests in a window took, by the same rules."""

    def close(self) -> None: ...


class Discovery(Protocol):
    """What proxies are told of endpoints."""

    def told(self) -> tuple[Told, ...]:
        """Return what each replica that tells proxies knows. Raises Unavailable, InvalidInput for a token without a file."""

    def close(self) -> None: ...


class Hook(Protocol):
    """Somebody who is asked over HTTP whether a rollout may go on."""

    def ask(self, question: AskHook) -> Reply:
        """Post a question and return the reply, whatever its status; redirects are not followed.

        Raises InvalidInput where the operator does not allow the address or has no secret of that name.
        """

    def close(self) -> None: ...
