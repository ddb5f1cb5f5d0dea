"""Chance: seeded runs of the traffic that `make simulate` plays, with bounds far from what it finds."""

from __future__ import annotations

import pytest

from tests.bench.simulation.experiments import JUDGES, Bad, Certified, Found, Good
from tests.bench.simulation.tables import tables
from tests.bench.simulation.traffic import Traffic

SINGLE, BURSTS = Traffic(), Traffic(burst=5)


def ours(runs: list[dict[str, Found]], name: str) -> list[int | None]:
    """What our judge did in each run."""
    return [run[name][JUDGES.index("ours")] for run in runs]


@pytest.mark.parametrize("known", [0, 60])
@pytest.mark.parametrize("traffic", [SINGLE, BURSTS], ids=["single", "bursts"])
def test_a_good_canary_is_left_alone_where_a_repeated_test_for_one_look_stops_it(traffic: Traffic, known: int) -> None:
    """At most 2 of 40 in two hours, where one is expected in a hundred; the others stop many more, of bursts above all."""
    runs = [Good("good", traffic, known=known, minutes=120).run(number) for number in range(40)]
    stopped = [sum(run["good"][number] is not None for run in runs) for number in range(len(JUDGES))]
    assert stopped[0] <= 2
    assert stopped[1] > 10
    assert stopped[2] > (10 if traffic is BURSTS else -1)


def test_a_bad_canary_is_stopped() -> None:
    """Five times the failures within half an hour, twice within three, of single failures after an hour of history."""
    bad = Bad("bad", SINGLE, begins=(0,))
    runs = [bad.run(number) for number in range(20)]
    twice, five_times = (ours(runs, name) for name in bad.names)
    assert all(minute is not None and 0 < minute <= 30 for minute in five_times)
    assert all(minute is not None and 0 < minute <= 180 for minute in twice)


def test_harm_that_begins_after_16_good_hours_is_stopped() -> None:
    """Where a test over all that was seen has to outweigh the good hours first."""
    bad = Bad("late", SINGLE, begins=(960,))
    run = bad.run(0)
    twice, five_times = (run[name] for name in bad.names)
    assert twice[0] is not None
    assert 0 < twice[0] <= 180
    assert five_times[0] is not None
    assert 0 < five_times[0] <= 30


def test_a_certificate_is_given_to_the_good_and_hardly_ever_at_the_margin() -> None:
    """Margin 3: all of 20 as good as the stable arm, at most 3 of 20 that fail thrice as often."""
    certified = Certified("one", SINGLE, 3.0)
    runs = [certified.run(number) for number in range(20)]
    given = [sum(minute is not None for minute in ours(runs, name)) for name in certified.names]
    assert given[0] == 20
    assert given[1] <= 3


def test_the_tables_say_how_many_and_how_many_requests() -> None:
    """As text and as Markdown."""
    experiments = (Good("good", SINGLE), Bad("bad", SINGLE, begins=(0,)), Certified("certified", SINGLE, 2.0))
    results: dict[str, list[Found]] = {"good": [(None, 3, 9), (None, 4, None)], "certified": [(5, 5, 5), (None, None, 7)]}
    results["certified, wrongly"] = [(None, 1, None), (None, None, None)]
    results |= {name: [(10, -1, 20), (30, -1, -1), (40, -1, None)] for name in experiments[1].names}
    good, bad, certified = tables(experiments, results)
    assert good.rows == (("good", "0.0 %", "100 %", "50.0 %"),)
    assert bad.rows[0] == (
        "bad, x2 from the start",
        "100 %, 6,000 requests, 30 min",
        "100 % stopped before",
        "50.0 %; 33.3 % stopped before",
    )
    assert certified.rows == (("certified", "50.0 % (0.0 %)", "50.0 % (50.0 %)", "100 %, 1,400 requests, 7 min (0.0 %)"),)
    assert certified.markdown().splitlines()[2:] == [
        "| runs | ours | threshold | z-test |",
        "| --- | --- | --- | --- |",
        "| certified | 50.0 % (0.0 %) | 50.0 % (50.0 %) | 100 %, 1,400 requests, 7 min (0.0 %) |",
    ]
    assert good.text().splitlines()[2:] == [
        "runs  ours   threshold  z-test",
        "----  -----  ---------  ------",
        "good  0.0 %  100 %      50.0 %",
    ]
