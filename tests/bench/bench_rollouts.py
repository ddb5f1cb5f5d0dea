"""Leading rollouts on alone, in this process: one look at many that run at once, each with gates that have just been judged."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from reconciler.core.gates.consequence import Consequence
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.codec import to_json
from reconciler.core.rollouts.machine import advance
from reconciler.core.rollouts.policy import CAREFUL
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.seen import Judged, Seen
from reconciler.core.rollouts.values import Leg, LegKind, RolloutStep, Way
from tests.bench.table import Bench, Row, Unusable, median, seconds

ROLLOUTS, VMS = 1_000, 10
LONGEST = 0.5
NOON, MINUTE = datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta(minutes=1)
GATES = ("errors", "latency", "health")


def rows(bench: Bench) -> Iterator[Row]:
    """Measure one look at all of them beside reading them as plain JSON."""
    count = bench.objects or ROLLOUTS
    running = [_soaking(number) for number in range(count)]
    text = json.dumps([to_json(one) for one in running])
    verdict = Judged(Verdict.waiting(Reason.FEW, "412 of 500"), Consequence.STAY)
    seen = Seen(written=True, gates=dict.fromkeys(GATES, verdict), population="v1")
    ours, loads = [], []
    for _ in bench.each_round("rollouts"):
        began = time.process_time()
        after = [advance(one, seen, NOON + MINUTE)[0] for one in running]
        ours.append(time.process_time() - began)
        began = time.process_time()
        json.loads(text)
        loads.append(time.process_time() - began)
    if any(one.time.held != 2 * MINUTE for one in after):
        raise Unusable("a minute was not counted")
    yield Row(
        "rollouts",
        f"one look at {count:,} running rollouts",
        seconds(median(ours)),
        f"< {seconds(LONGEST)}",
        median(ours) < LONGEST,
        f"CPU, each with {len(GATES)} gates just judged; to read them as JSON takes {seconds(median(loads))}",
        {"ours": ours, "beside": loads},
    )


def _soaking(number: int) -> Rollout:
    """A rollout of ten VMs in its second step, which was held for a minute."""
    before, after = ({_key(number, vm): _vm(number, vm, weight) for vm in range(VMS)} for weight in (1, 9))
    steps = tuple(RolloutStep(0, Fraction(part, 100), hold=9 * MINUTE, gates=GATES) for part in (10, 50, 100))
    way = Way((Leg(LegKind.TRAFFIC, before, after),), steps, before, after)
    rollout = Rollout(f"r{number}", f"n/{number}", "a" * 40, "d" * 64, "c" * 64, 1, CAREFUL, before, way, NOON)
    time = replace(rollout.time, looked=NOON, settled=MINUTE, held=MINUTE)
    return replace(rollout, phase=Phase.SOAKING, step=1, passed=0, started=NOON, in_force=NOON, time=time, population="v1")


def _key(number: int, vm: int) -> Key:
    return Key("WorkloadEntry", "n", f"vm-{number}-{vm}")


def _vm(number: int, vm: int, weight: int) -> Document:
    spec = {"address": f"10.{number // 250}.{number % 250}.{vm}", "labels": {"app": "a"}, "weight": weight}
    metadata = {"name": f"vm-{number}-{vm}", "namespace": "n"}
    return {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry", "metadata": metadata, "spec": spec}
