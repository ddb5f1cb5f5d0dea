"""Evidence is stored as JSON, and resumed exactly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.judge import Evidence, Limits, from_json, to_json
from tests.core.judge.flows import after, flow

LIMITS = Limits()
COUNTS = st.floats(0, 1000)


@given(failures=st.lists(st.tuples(COUNTS, COUNTS), max_size=40), more=st.tuples(COUNTS, COUNTS))
def test_what_was_stored_goes_on_as_if_nothing_had_happened(
    failures: list[tuple[float, float]], more: tuple[float, float]
) -> None:
    """Every number, and every number after it; no NaN or infinity, which JSON does not know."""
    found = after(flow(failures, canary=1000, stable=1000), LIMITS)
    back = from_json(json.loads(json.dumps(to_json(found), allow_nan=False)))
    assert back == found
    (one,) = flow([more], first=len(failures), canary=1000, stable=1000)
    assert back.add(one, LIMITS) == found.add(one, LIMITS)


def test_what_is_stored_is_small() -> None:
    """It stands in every rollout's row."""
    assert len(json.dumps(to_json(after(flow([(1.3, 9.7)] * 3000), LIMITS)))) < 1500


def _with(**changes: Any) -> dict[str, Any]:
    return {**to_json(Evidence()), **changes}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        _with(version=2),
        _with(until="now"),
        _with(until=float("nan")),
        _with(windows=None),
        _with(scales=[]),
        _with(scales=[[0.0] * 8] * 4),
        _with(scales=[[0.0] * 7] * 5),
        _with(scales=[[1.0, 2.0, 0, 0, 0, 0, 0, 0]] * 5),
        _with(harm=[0, 0]),
        _with(harm=[0, float("inf"), 0, 0, 0, 0, 0, 0]),
        _with(certificate=[True, False]),
        _with(certificate=None),
        _with(seen=[0, 0, 0, 0, 0]),
        _with(seen={"canary": 0}),
    ],
)
def test_what_is_no_evidence_is_refused(data: Any) -> None:
    """Whoever reads it decides what then; it is never read as "nothing happened"."""
    with pytest.raises(ValueError, match=r"evidence|cannot be"):
        from_json(data)
