"""The machine's clocks."""

from datetime import UTC, datetime

from reconciler.adapters.clock import SystemClock


def test_wall_time_is_utc_and_aware() -> None:
    """It lies between two looks at the machine's clock."""
    before = datetime.now(UTC)  # noqa: TID251 - what it is compared with
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)  # noqa: TID251
    assert now.utcoffset() == UTC.utcoffset(None)


def test_monotonic_time_only_grows() -> None:
    """Two instances read the same clock."""
    first, second = SystemClock().monotonic(), SystemClock().monotonic()
    assert 0 <= second - first < 60
