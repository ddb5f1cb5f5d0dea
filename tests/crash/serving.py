"""Processes that serve a target until the rollout of a story has ended, and one that recovers it after a loss of the store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reconciler.core.report import Report
from reconciler.core.rollouts.seen import Command, Word
from reconciler.cycle.recovery import ours_in, recover
from reconciler.cycle.run import Cycle
from reconciler.cycle.target import Policy
from tests.contracts.clock import SetClock
from tests.crash import mesh
from tests.crash.points import Points
from tests.crash.stories import LONGEST, LOOK, PACE, STORIES, is_over
from tests.crash.victim import Ended, Place, ended_by_itself, ports_of
from tests.worlds import TARGET, USUAL


@dataclass(frozen=True)
class Serves:
    """Looks every ten seconds until the rollout has ended and nothing is left to do.

    Where the clock stands is kept in a file, so that a process goes on from the time at which the one before it was killed.
    """

    story: str

    def run(self, place: Place, points: Points, clock: SetClock) -> Ended:
        """Serve, and give the lease back."""
        story, stands = STORIES[self.story], place.folder / "seconds"
        ports = ports_of(place, story.commits(place.namespace), points, clock)
        policy = Policy(TARGET, f"victim:{os.getpid()}", plan=mesh.PLAN, pace=PACE, **USUAL)
        cycle, store = Cycle(ports, policy), ports.store
        reports: list[Report] = []
        _go_on(clock, stands)
        while len(reports) < LONGEST:
            _let_pass(clock, stands)
            cycle.poll_due()
            report = cycle.run("serve", write=True)
            reports.append(report)
            if report.plan and not report.results and not cycle.stands_by and is_over(store):
                break
            story.abort(store, clock.now())
        cycle.authority.release()
        ports.close()
        return ended_by_itself(reports, points)


@dataclass(frozen=True)
class Recovers:
    """Looks once at a target whose store is gone, then does what `reconciler recover` does, and lets the rollout go on."""

    story: str

    def run(self, place: Place, points: Points, clock: SetClock) -> Ended:
        """Look, recover, look again, and say `resume`."""
        story, stands = STORIES[self.story], place.folder / "seconds"
        ports = ports_of(place, story.commits(place.namespace), points, clock)
        cycle = Cycle(ports, Policy(TARGET, f"victim:{os.getpid()}", plan=mesh.PLAN, pace=PACE, **USUAL))
        _go_on(clock, stands)
        for _ in range(4):
            _let_pass(clock, stands)  # the dead writer's lease runs out
            refused = cycle.run("serve", write=True)
        observed, revision = cycle.observe(), ports.source.poll()
        rollouts, owned = cycle.recovered(observed, revision), ours_in(observed, TARGET)
        cycle.authority.seize(lambda: recover(ports.store, owned, revision, clock, rollouts))
        waiting = cycle.run("serve", write=True)
        (found,) = ports.store.rollouts.standing()
        ports.store.rollouts.say(Command("r", found.id, Word.RESUME, "eve", "it is well", clock.now()))
        cycle.authority.release()
        ports.close()
        return ended_by_itself([refused, waiting], points)


def _go_on(clock: SetClock, stands: Path) -> None:
    if stands.exists():
        clock.pass_time(timedelta(seconds=float(stands.read_text(encoding="utf-8"))))


def _let_pass(clock: SetClock, stands: Path) -> None:
    passed = float(stands.read_text(encoding="utf-8")) if stands.exists() else 0.0
    stands.write_text(str(passed + LOOK.total_seconds()), encoding="utf-8")
    clock.pass_time(LOOK)
