"""Hours as a gate: what a clock on the wall shows."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.gates.hours import hours, is_open, opens_next
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Hours
from reconciler.core.gates.verdict import Reason, Verdict

WEEK = frozenset(range(7))
OFFICE = Hours(frozenset(range(5)), time(9), time(17), "Europe/Berlin")
NIGHT = Hours(frozenset({4}), time(22), time(6), "Europe/Berlin")


def at(text: str) -> datetime:
    """Return a moment written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-03-02 07:59", False),
        ("2026-03-02 08:00", True),
        ("2026-03-02 15:59", True),
        ("2026-03-02 16:00", False),
        ("2026-03-07 10:00", False),
        ("2026-07-06 07:00", True),  # in summer nine o'clock is earlier
    ],
)
def test_office_hours_are_those_of_the_place(moment: str, opened: bool) -> None:  # noqa: FBT001 - a column of the table
    """From nine to five in Berlin, on working days."""
    assert is_open(OFFICE, at(moment)) is opened


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    """Friday night goes on on Saturday morning, and Friday morning is none."""
    assert is_open(NIGHT, at("2026-03-06 21:30"))
    assert is_open(NIGHT, at("2026-03-07 04:59"))
    assert not is_open(NIGHT, at("2026-03-07 05:00"))
    assert not is_open(NIGHT, at("2026-03-06 04:00"))


def test_closed_hours_say_when_they_open() -> None:
    """In the words of the policy, with the moment."""
    verdict = hours(OFFICE, Scene(now=at("2026-03-06 16:30"), in_force=None))
    assert verdict == Verdict.waiting(
        Reason.CLOSED,
        "closed until Mon 2026-03-09 09:00 CET; open: mon, tue, wed, thu, fri 09:00 to 17:00 Europe/Berlin",
        until=at("2026-03-09 08:00"),
    )
    assert hours(OFFICE, Scene(now=at("2026-03-09 08:00"), in_force=None)).passes


@pytest.mark.case("K-04")
def test_an_hour_that_does_not_exist_begins_when_it_would_be_over() -> None:
    """On 2026-03-29 clocks in Berlin go from 02:00 to 03:00: hours from 02:30 on open at 03:00, which is 01:00 UTC."""
    early = Hours(WEEK, time(2, 30), time(4), "Europe/Berlin")
    assert opens_next(early, at("2026-03-29 00:30")) == at("2026-03-29 01:00")
    assert not is_open(early, at("2026-03-29 00:59"))
    assert is_open(early, at("2026-03-29 01:00"))
    assert not is_open(early, at("2026-03-29 02:00"))


@pytest.mark.case("K-04")
def test_an_hour_that_comes_twice_is_open_twice() -> None:
    """On 2026-10-25 clocks in Berlin show 02:30 at 00:30 and at 01:30 UTC."""
    half = Hours(WEEK, time(2, 15), time(2, 45), "Europe/Berlin")
    assert opens_next(half, at("2026-10-24 12:00")) == at("2026-10-25 00:15")
    assert is_open(half, at("2026-10-25 00:30"))
    assert not is_open(half, at("2026-10-25 01:00"))
    assert is_open(half, at("2026-10-25 01:30"))


@pytest.mark.case("K-04")
def test_a_leap_day_is_a_day() -> None:
    """2028-02-29 is a Tuesday."""
    tuesday = Hours(frozenset({1}), time(9), time(17), "UTC")
    assert opens_next(tuesday, at("2028-02-25 00:00")) == at("2028-02-29 09:00")


@given(
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31)),  # noqa: DTZ001 - hypothesis wants naive bounds
)
@pytest.mark.case("K-04")
def test_closed_hours_open_when_they_say(zone: str, days: frozenset[int], opens: time, closes: time, naive: datetime) -> None:
    """At the moment that is named they are open, and just before they are not, in any zone and across any change of clocks."""
    ask, now = Hours(days, opens, closes, zone), naive.replace(tzinfo=UTC, second=0, microsecond=0)
    if is_open(ask, now):
        return
    begins = opens_next(ask, now)
    local = begins.astimezone(ZoneInfo(zone))
    assert begins > now
    # Hours of less than a minute's length, or that lie within a gap, may be over where they would begin.
    assert is_open(ask, begins) or local.time() >= closes
    assert not is_open(ask, begins - timedelta(minutes=1)) or _touching(ask, begins)


def _touching(ask: Hours, begins: datetime) -> bool:
    """Tell whether the clock was put back into the hours just then."""
    before = begins - timedelta(minutes=1)
    return before.astimezone(ZoneInfo(ask.zone)).utcoffset() != begins.astimezone(ZoneInfo(ask.zone)).utcoffset()
