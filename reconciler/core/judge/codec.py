"""Evidence as plain JSON, and back."""

from math import isfinite
from typing import Any

from reconciler.core.judge.counts import Counts
from reconciler.core.judge.dispersion import Dispersion, Scale, Sums
from reconciler.core.judge.evidence import Evidence
from reconciler.core.judge.processes import Certificate, Harm
from reconciler.core.judge.verdict import Seen

#: Changes with the meaning of the numbers.
VERSION = 1
_SCALES, _STAKES = len(Dispersion().scales), len(Harm().stakes)


def to_json(evidence: Evidence) -> dict[str, Any]:
    """Return an object of finite numbers and lists of them: some 60 numbers, whatever the history."""
    harm, seen = evidence.harm, evidence.seen
    return {
        "version": VERSION,
        "until": evidence.until,
        "windows": evidence.dispersion.windows,
        "scales": [[*_counts(one.waiting), *_sums(one.newer), *_sums(one.older)] for one in evidence.dispersion.scales],
        "harm": [harm.windows, harm.peak, *harm.stakes],
        "certificate": list(evidence.certificate.logs),
        "seen": [*_counts(seen.canary), *_counts(seen.stable), seen.windows, seen.seconds],
    }


def from_json(data: Any) -> Evidence:
    """Return the evidence that `to_json` was given. Raises ValueError for anything else, such as what another version kept."""
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise ValueError(f"this is no evidence of version {VERSION}")
    scales = data.get("scales")
    if not isinstance(scales, list) or len(scales) != _SCALES:
        raise ValueError("evidence without its scales")
    until = data.get("until")
    windows, peak, *stakes = _numbers(data.get("harm"), 2 + _STAKES)
    relative, absolute = _numbers(data.get("certificate"), 2)
    return Evidence(
        until=None if until is None else _numbers([until], 1)[0],
        dispersion=Dispersion(int(_numbers([data.get("windows")], 1)[0]), tuple(_scale(one) for one in scales)),
        harm=Harm(int(windows), tuple(stakes), peak),
        certificate=Certificate((relative, absolute)),
        seen=_seen(data.get("seen")),
    )


def _counts(counts: Counts) -> tuple[float, float]:
    return counts.requests, counts.failures


def _sums(sums: Sums) -> tuple[float, float, float]:
    return sums.pairs, sums.squares, sums.variances


def _scale(data: Any) -> Scale:
    numbers = _numbers(data, 8)
    return Scale(Counts(*numbers[:2]), Sums(*numbers[2:5]), Sums(*numbers[5:]))


def _seen(data: Any) -> Seen:
    *counts, windows, seconds = _numbers(data, 6)
    return Seen(Counts(*counts[:2]), Counts(*counts[2:]), int(windows), seconds)


def _numbers(data: Any, length: int) -> list[float]:
    fits = isinstance(data, list) and len(data) == length
    if not fits or not all(type(one) in (int, float) and isfinite(one) for one in data):
        raise ValueError(f"evidence needs {length} finite numbers where it has something else")
    return [float(one) for one in data]
