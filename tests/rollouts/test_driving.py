"""Rollouts driven in the foreground: what `apply` does between two steps."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from reconciler.core.report import Report, Verdict
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.seen import Pace
from reconciler.cycle.run import Cycle
from reconciler.cycle.target import NOTHING_SAID, SILENT
from reconciler.rollouts.driving import drive
from tests.cycle.test_rollouts import Rolled, vm
from tests.waiting import becomes
from tests.worlds import World, mixed


@contextmanager
def driven(cycle: Cycle) -> Iterator[Future[Report]]:
    """Drive in another thread; in the end it is stopped."""
    with ThreadPoolExecutor(1) as thread:
        first = cycle.run("apply", write=True)
        try:
            yield thread.submit(drive, cycle, first, NOTHING_SAID, SILENT, lambda _: None)
        finally:
            cycle.authority.stop()


def test_the_lease_is_kept_while_nothing_is_to_be_done() -> None:
    """A write takes minutes to reach the mesh, and nothing changes until then: nobody else may believe the writer dead."""
    rolled = Rolled()
    rolled.commit(*mixed(vm(1), vm(2)))
    rolled.world.serve(rolled.cycle)
    rolled.cycle.authority.release()
    rolled.commit(*mixed(vm(1), vm(2), vm(3)))
    laptop, server = (rolled.world.process(name, pace=Pace(settle=timedelta(minutes=5))) for name in ("laptop:1", "pod:2"))
    with driven(laptop):
        for _ in range(5):
            rolled.world.pass_time(seconds=15)
            assert becomes(partial(_is_renewed, rolled.world))
            assert rolled.world.serve(server).verdict is Verdict.REFUSED


def test_the_run_that_is_remembered_is_the_whole_apply() -> None:
    """`status` and `history` tell of all its writes, and not of the last look, which had nothing left to do."""
    rolled = Rolled()
    rolled.commit(*mixed(vm(1), vm(2)))
    rolled.world.serve(rolled.cycle)
    rolled.cycle.authority.release()
    rolled.commit(*mixed(vm(1), vm(2), vm(3)))
    cycle = rolled.world.process("laptop:1", rollouts=RolloutLimits(careful=False), pace=Pace(settle=timedelta(seconds=5)))
    first = cycle.run("apply", write=True)
    whole = drive(cycle, first, NOTHING_SAID, SILENT, lambda _: rolled.world.pass_time(seconds=30))
    cycle.keep(whole)
    last = rolled.world.store.history(1)[0]
    assert (last.outcome, last.written) == (Verdict.APPLIED, len(whole.results))
    assert last.written > len(first.results)


def _is_renewed(world: World) -> bool:
    return world.leases.held["test"].state.renewed == world.clock.now()
