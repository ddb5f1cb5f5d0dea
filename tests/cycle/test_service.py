"""The loop around cycles: what ends it, and what may interrupt it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from types import FrameType

import pytest

from reconciler.core.report import Report
from reconciler.cycle.service import Service
from tests.worlds import World


def _service(world: World, report: Callable[[Report], None]) -> Service:
    return Service(world.process(), poll=timedelta(hours=1), report=report)


class Interrupting:
    """Stops a service, as a signal would, at the n-th line of its loop or of what the loop calls."""

    def __init__(self, service: Service, number: int) -> None:
        self.service, self.left = service, number

    def __call__(self, frame: FrameType, event: str, _: object) -> Interrupting | None:
        if Service.run.__code__ not in {one.f_code for one in (frame, frame.f_back) if one}:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                self.service.stop()
        return self


def _lines_left(number: int) -> int:
    """Run a service that ends after its first report, or at this line; returns how many lines it was short of it."""
    service = _service(World(), lambda _: service.stop())
    at = Interrupting(service, number)
    sys.settrace(at)
    try:
        service.run()
    finally:
        sys.settrace(None)
    return at.left


@pytest.mark.case("S-07")
def test_a_signal_may_come_at_any_line() -> None:
    """Whatever the loop holds just then: the handler returns, and the loop ends."""
    number = 1
    while _lines_left(number) <= 0:
        number += 1
    assert number > 20, "it was no whole turn of the loop"
