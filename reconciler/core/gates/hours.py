"""Hours: when the policy allows a step to begin, by the wall clock of an IANA time zone.

What counts is what a clock on the wall there shows. When clocks go forward, hours that begin in the hour that is left out
begin at its end; when they go back, an hour that comes twice is open twice. Instants themselves are UTC all along.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Hours
from reconciler.core.gates.verdict import Reason, Verdict

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def hours(ask: Hours, scene: Scene) -> Verdict:
    """Pass while the hours are open."""
    if is_open(ask, scene.now):
        return Verdict.passing(f"open: {described(ask)}")
    begins = opens_next(ask, scene.now)
    local = begins.astimezone(ZoneInfo(ask.zone))
    says = f"closed until {local:%a %Y-%m-%d %H:%M %Z}; open: {described(ask)}"
    return Verdict.waiting(Reason.CLOSED, says, until=begins)


def is_open(ask: Hours, now: datetime) -> bool:
    """Tell whether a moment is within the hours. Hours past midnight belong to the day on which they begin."""
    local = now.astimezone(ZoneInfo(ask.zone))
    today, yesterday = local.weekday(), (local.weekday() - 1) % 7
    clock = local.time()
    if ask.opens < ask.closes:
        return today in ask.days and ask.opens <= clock < ask.closes
    return (today in ask.days and clock >= ask.opens) or (yesterday in ask.days and clock < ask.closes)


def opens_next(ask: Hours, now: datetime) -> datetime:
    """Return the first moment after `now` at which closed hours open, to the minute, in the time zone of `now`."""
    zone = ZoneInfo(ask.zone)
    today = now.astimezone(zone).date()
    for ahead in range(9):
        day = today + ahead * _DAY
        if day.weekday() in ask.days:
            begins = _first(datetime.combine(day, ask.opens), zone).astimezone(now.tzinfo)
            if begins > now:
                return begins
    raise ValueError("hours without a day never open")


def described(ask: Hours) -> str:
    """Return the hours in the words of the policy."""
    days = ", ".join(DAYS[day] for day in sorted(ask.days))
    return f"{days} {_clock(ask.opens)} to {_clock(ask.closes)} {ask.zone}"


def _first(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clock of a zone shows this time or a later one."""
    # For a time that does not exist the later offset gives an instant before the gap, and for one that comes twice the
    # earlier of the two is wanted; the smaller instant of both folds is right in either case, or up to a gap too early.
    instant = min(wall.replace(tzinfo=zone, fold=fold).astimezone(_UTC) for fold in (0, 1))
    while instant.astimezone(zone).replace(tzinfo=None) < wall:
        instant += _MINUTE
    return instant


def _clock(moment: time) -> str:
    return moment.isoformat(timespec="minutes")


_UTC = ZoneInfo("UTC")
