"""What is tried: good canaries that must not be stopped, bad ones that must be, and both that want a certificate.

Each experiment is one run, a function of its number; a run's seed is its experiment's name and its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from random import Random

from reconciler.core.judge import Decision, Limits
from tests.bench.simulation.judges import Judge, Ours, Threshold, ZTest
from tests.bench.simulation.traffic import Traffic, history, window

JUDGES = ("ours", "threshold", "z-test")
#: Minutes that are watched at most after a change, and the good ones before it.
WATCHED, BEGINS = 480, (0, 960, 4320)
RATIOS, MARGINS = (2.0, 5.0), (2.0, 3.0, 5.0)

#: After how many minutes each judge said the word; None: it never did.
Found = tuple[int | None, ...]
#: A judge was wrong before the harm began.
TOO_EARLY = -1


@dataclass(frozen=True, slots=True)
class Good:
    """A canary as good as the stable arm, watched for so many minutes."""

    name: str
    traffic: Traffic
    known: int = 60
    minutes: int = WATCHED

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def run(self, number: int) -> dict[str, Found]:
        random = Random(f"{self.name} {number}")
        failures = self.traffic.failures(random)
        judges = _judges(self.traffic, self.known, random)
        return {self.name: _first(judges, failures, 0, self.minutes, Decision.HARM)}


@dataclass(frozen=True, slots=True)
class Bad:
    """A canary that turns bad: after no, 16 and 72 good hours, twice and five times the stable arm's failures."""

    name: str
    traffic: Traffic
    known: int = 60
    begins: tuple[int, ...] = BEGINS

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._name(ratio, begin) for ratio in RATIOS for begin in self.begins)

    def _name(self, ratio: float, begin: int) -> str:
        return f"{self.name}, x{ratio:g} {f'after {begin // 60} good hours' if begin else 'from the start'}"

    def run(self, number: int) -> dict[str, Found]:
        random = Random(f"{self.name} {number}")
        failures = self.traffic.failures(random)
        judges = _judges(self.traffic, self.known, random)
        wrong: list[int | None] = [None] * len(judges)
        found: dict[str, Found] = {}
        minute = 0
        for begin in self.begins:
            now = _first(judges, failures, minute, begin - minute, Decision.HARM)
            wrong = [one if one is not None else other for one, other in zip(wrong, now, strict=True)]
            minute = begin
            for ratio in RATIOS:
                then = _first(
                    [copy(one) for one in judges], self.traffic.failures(random, ratio), begin, WATCHED, Decision.HARM
                )
                fair = (TOO_EARLY if one is not None else other for one, other in zip(wrong, then, strict=True))
                found[self._name(ratio, begin)] = tuple(fair)
        return found


@dataclass(frozen=True, slots=True)
class Certified:
    """Two canaries that want to go on: one as good as the stable arm, and one whose failures are at the margin."""

    name: str
    traffic: Traffic
    margin: float
    minutes: int = 240

    @property
    def names(self) -> tuple[str, str]:
        return self.name, f"{self.name}, wrongly"

    def run(self, number: int) -> dict[str, Found]:
        found = {}
        for name, ratio in zip(self.names, (1.0, self.margin), strict=True):
            random = Random(f"{name} {number}")
            judges = _judges(self.traffic, 60, random, self.margin)
            failures = self.traffic.failures(random, ratio)
            found[name] = _first(judges, failures, 0, self.minutes, Decision.NOT_WORSE)
        return found


Experiment = Good | Bad | Certified


def _judges(traffic: Traffic, known: int, random: Random, margin: float = 2.0) -> list[Judge]:
    ours = Ours(Limits(margin=margin, samples=1, negligible=0))
    ours.know(history(known, traffic.failures(random)))
    return [ours, Threshold(), ZTest(margin)]


def _first(judges: Sequence[Judge], failures: Iterator[tuple[int, int]], begin: int, minutes: int, word: Decision) -> Found:
    """Let them look; who has said the word, looks no more unless others go on after this."""
    found: list[int | None] = [None] * len(judges)
    for minute in range(begin, begin + minutes):
        if None not in found:
            break
        seen = window(minute, *next(failures))
        for number, judge in enumerate(judges):
            if found[number] is None and judge.look(seen) is word:
                found[number] = minute - begin + 1
    return tuple(found)
