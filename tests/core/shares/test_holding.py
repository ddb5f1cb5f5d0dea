"""A share that is held: an HPA, a crash, a zone, a VM, played tick by tick."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.shares import Course, Crowd, Effect, Held, Limits, Presence, Promise, hold, weights_on

TO_PODS, TO_VMS = Course(Fraction(1), Fraction(0)), Course(Fraction(0), Fraction(1))
TENTH, HALF = Fraction(1, 10), Fraction(1, 2)


def begun(crowd: Crowd, course: Course, exposure: Fraction) -> Presence:
    """A step that has just been written, all well."""
    return Presence(weights_on(crowd, course, exposure).weights, crowd.pods)


def play(crowd: Crowd, promise: Promise, pods: Iterable[int]) -> list[Held]:
    """Let an HPA have its way: all its Pods run and serve, and every answer is written."""
    now, found = promise.start, []
    for count in pods:
        held = hold(replace(crowd, pods=count), replace(now, pods=count), promise)
        now = replace(now, weights=held.weights, pods=count)
        found.append(held)
    return found


def test_an_hpa_goes_up_and_down_and_the_share_stays() -> None:
    """From 2 Pods to 20 and to 3 in a step of a half: within tolerance of a half at every tick, all VMs stay."""
    crowd = Crowd({"a": 1, "b": 1, "c": 1}, pods=12)
    promise = Promise(TO_PODS, HALF, begun(replace(crowd, pods=2), TO_PODS, HALF))
    found = play(crowd, promise, [2, 4, 8, 16, 20, 19, 14, 9, 5, 4, 3])
    assert all(set(one.weights) == {"a", "b", "c"} and min(one.weights.values()) >= 1 for one in found)
    # Two Pods beside three VMs are 40 % at most.
    assert [round(float(one.planned), 2) for one in found] == [0.6, *[0.5] * 10]
    assert [one.effect for one in found[1:5]] == [Effect.LOWERS] * 4
    assert [one.effect for one in found[6:]] == [Effect.RAISES] * 5


def test_what_lowers_exposure_is_written_in_full_at_once() -> None:
    """Ten times as many Pods in one tick are ten times the weight in the next write."""
    crowd = Crowd({"a": 1, "b": 1}, pods=2)
    (found,) = play(crowd, Promise(TO_PODS, TENTH, begun(crowd, TO_PODS, TENTH)), [20])
    assert found == Held({"a": 90, "b": 90}, Fraction(9, 10), Fraction(9, 10), Effect.LOWERS)


def test_a_canary_that_an_hpa_shrinks_gives_way_to_its_pods_load() -> None:
    """20 Pods shared a tenth; 3 would have to take 6.7 times as much each. They get 1.5 times as much, and it is said."""
    crowd = Crowd({"a": 1, "b": 1}, pods=20)
    start = begun(crowd, TO_PODS, TENTH)
    (found,) = play(crowd, Promise(TO_PODS, TENTH, start), [3])
    assert found.effect is Effect.RAISES
    assert (1 - found.expected) / 3 <= Fraction(3, 2) * TENTH / 20 < (1 - found.expected) / 3 * Fraction(102, 100)
    assert found.notes == (
        "the VMs get 97.78% instead of 90%: an endpoint would get more than 1.5 times its load at the step's start",
    )
    again = hold(replace(crowd, pods=3), replace(start, weights=found.weights, pods=3), Promise(TO_PODS, TENTH, start))
    assert (again.weights, again.effect, again.notes) == (found.weights, Effect.NONE, found.notes)


def test_within_tolerance_nothing_changes() -> None:
    """One Pod more or less of twenty is no reason to write."""
    crowd = Crowd({"a": 1, "b": 1}, pods=20)
    start = begun(crowd, TO_PODS, TENTH)
    for count in (19, 21):
        (found,) = play(crowd, Promise(TO_PODS, TENTH, start), [count])
        assert (found.weights, found.effect) == (start.weights, Effect.NONE)


def test_eight_of_ten_pods_crash_and_the_vms_take_over() -> None:
    """Lost Pods are not compensated: the two that are left get what they got, and nobody writes."""
    crowd = Crowd({"a": 1, "b": 1}, pods=10)
    start = begun(crowd, TO_PODS, HALF)
    found = hold(crowd, replace(start, pods=2), Promise(TO_PODS, HALF, start))
    assert (found.weights, found.effect) == (start.weights, Effect.NONE)
    assert (found.planned, found.expected, found.drift) == (HALF, Fraction(10, 12), Fraction(1, 3))
    assert found.notes == ("8 of 10 Pods do not serve: until they do, the VMs get 83.33% instead of 50%",)


def test_a_zone_is_lost_on_both_sides() -> None:
    """A third of the VMs and of the Pods: the split stays as it is, each of the others gets half as much again."""
    crowd = Crowd(dict.fromkeys("abcdef", 1), pods=6)
    start = begun(crowd, TO_PODS, HALF)
    found = hold(crowd, replace(start, pods=4, down=frozenset("ab")), Promise(TO_PODS, HALF, start))
    assert (found.weights, found.effect, found.expected, found.notes) == (start.weights, Effect.NONE, HALF, ())


def test_a_vm_is_lost_and_comes_back() -> None:
    """Its part drifts to all others; its weight waits for it."""
    crowd = Crowd({"a": 1, "b": 1, "c": 1}, pods=3)
    start = begun(crowd, TO_PODS, TENTH)
    lost = hold(crowd, replace(start, down=frozenset("a")), Promise(TO_PODS, TENTH, start))
    assert (lost.weights, lost.effect, lost.expected) == (start.weights, Effect.NONE, Fraction(18, 21))
    assert lost.notes == ("1 of 3 VMs do not serve: until they do, the VMs get 85.71% instead of 90%",)
    back = hold(crowd, replace(start, weights=lost.weights), Promise(TO_PODS, TENTH, start))
    assert (back.weights, back.notes) == (start.weights, ())


def test_a_drift_beyond_spill_is_held_back_while_the_survivors_can_bear_it() -> None:
    """Half of the VMs gone would give the Pods 18 % instead of 10 %; a spill of 4 points ends at 14 %, and there it rests."""
    crowd = Crowd(dict.fromkeys("abcdef", 1), pods=4)
    start = begun(crowd, TO_PODS, TENTH)
    now = replace(start, down=frozenset("abc"))
    promise = Promise(TO_PODS, TENTH, start, max_load=Fraction(3), spill=Fraction(4, 100))
    found = hold(crowd, now, promise)
    assert abs(found.expected - Fraction(86, 100)) <= Fraction(1, 100)
    assert found.effect is Effect.LOWERS
    assert {name: found.weights[name] for name in "abc"} == {name: start.weights[name] for name in "abc"}
    assert found.notes[-1] == "the Pods would take over more than 4% of the requests: weights hold the rest back"
    again = hold(crowd, replace(now, weights=found.weights), promise)
    assert (again.weights, again.effect) == (found.weights, Effect.NONE)
    back = hold(crowd, replace(start, weights=found.weights), promise)
    assert abs(back.planned - Fraction(9, 10)) <= Fraction(1, 100)


def test_the_survivors_load_comes_before_the_exposure() -> None:
    """The same, but the three VMs left already carry twice what they did: the Pods get more than the spill, and it is said."""
    crowd = Crowd(dict.fromkeys("abcdef", 1), pods=4)
    start = begun(crowd, TO_PODS, TENTH)
    now = replace(start, down=frozenset("abc"))
    found = hold(crowd, now, Promise(TO_PODS, TENTH, start, spill=Fraction(4, 100)))
    assert (found.weights, found.effect) == (start.weights, Effect.NONE)
    assert found.notes[-1].endswith("an endpoint would get more than 1.5 times its load at the step's start")


def test_no_side_is_left_to_spill_from() -> None:
    """All Pods, or all VMs gone: weights stay, whatever the spill."""
    crowd = Crowd({"a": 1, "b": 1}, pods=2)
    start = begun(crowd, TO_PODS, TENTH)
    for now in (replace(start, pods=0), replace(start, down=frozenset("ab"))):
        found = hold(crowd, now, Promise(TO_PODS, TENTH, start, spill=Fraction(0)))
        assert (found.weights, found.effect) == (start.weights, Effect.NONE)
        assert ["do not serve" in note for note in found.notes] == [True]


def test_nothing_is_written_that_raises_real_exposure_above_the_step() -> None:
    """On the way to VMs 8 of 10 Pods crash: the VM has too much already. More Pods are meant to come: no more weight yet."""
    crowd = Crowd({"a": 1}, pods=10)
    start = Presence({"a": 1}, 10)
    found = hold(replace(crowd, pods=30), replace(start, pods=2), Promise(TO_VMS, TENTH, start, max_load=Fraction(10)))
    assert (found.weights, found.effect) == ({"a": 1}, Effect.NONE)
    assert found.notes[-1] == "nothing is written: with those who serve now, the exposure would be 60%"


def test_the_end_is_as_near_as_whole_weights_come() -> None:
    """Ten Pods and one VM have no 30 %: 28.57 % is nearer than a third, though a little further than the way."""
    start = Presence({"a": 6}, 10)
    found = hold(Crowd({"a": 1}, pods=10), start, Promise(Course(Fraction(1), Fraction(3, 10)), Fraction(1), start))
    assert (found.weights, found.effect) == ({"a": 4}, Effect.RAISES)


def test_a_write_that_changes_nothing_for_anybody_is_none() -> None:
    """One VM is at its bound, and the other, which is down, would only be weighed up tick by tick."""
    start = Presence({"a": 2, "b": 1})
    now = replace(start, pods=1, down=frozenset("a"))
    found = hold(Crowd({"a": 2, "b": 1}), now, Promise(TO_PODS, Fraction(1, 20), start, max_load=Fraction(1)))
    assert (found.weights, found.effect) == (start.weights, Effect.NONE)


def test_a_vm_that_was_down_before_the_step_counts_for_nothing_until_it_is_back() -> None:
    """The step was sized without it; coming back, it is one more VM to size for."""
    crowd = Crowd({"a": 1, "b": 1}, pods=9, down=frozenset("b"))
    start = Presence(weights_on(crowd, TO_PODS, TENTH).weights, 9, frozenset("b"))
    promise = Promise(TO_PODS, TENTH, start)
    still = hold(crowd, start, promise)
    assert still == Held(start.weights, Fraction(9, 10), Fraction(9, 10))
    back = hold(crowd, replace(start, down=frozenset()), promise)
    assert back.effect is Effect.RAISES
    assert back.weights == {"a": 41, "b": 41}


def test_a_weight_that_is_missing_is_written_and_a_changed_ratio_too() -> None:
    """Somebody deleted b; and Git asks for another ratio than is there."""
    crowd = Crowd({"a": 1, "b": 1}, pods=10)
    start = Presence({"a": 5, "b": 5}, 10)
    promise = Promise(TO_PODS, HALF, start)
    assert hold(crowd, Presence({"a": 5}, 10), promise).weights == {"a": 5, "b": 5}
    other = hold(Crowd({"a": 3, "b": 2}, pods=10), start, promise)
    assert (other.weights, other.effect) == ({"a": 6, "b": 4}, Effect.LEVEL)


def test_more_pods_than_are_meant_count() -> None:
    """A surge, or another Deployment with the same labels: they get requests."""
    crowd = Crowd({"a": 1}, pods=2)
    start = begun(crowd, TO_PODS, TENTH)
    assert hold(crowd, replace(start, pods=4), Promise(TO_PODS, TENTH, start)).weights == {"a": 36}


def loads(presence: Presence) -> dict[str, Fraction]:
    """What each endpoint gets, counted out."""
    vms = {name: weight for name, weight in presence.weights.items() if name not in presence.down}
    total = sum(vms.values()) + presence.pods + presence.fixed_vms + presence.fixed_pods
    return {
        **{name: Fraction(one, total) for name, one in vms.items()},
        **({"pod": Fraction(1, total)} if presence.pods else {}),
    }


NAMES = [f"vm{one}" for one in range(5)]


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_whatever_happens_the_order_of_aims_is_kept(data: st.DataObject) -> None:
    """Never a VM less; no write gives more than the bound or today's load, or more exposure than the step; it comes to rest."""
    ratios = data.draw(st.dictionaries(st.sampled_from(NAMES), st.integers(1, 4), min_size=1))
    counts = st.integers(0, 25)
    course = data.draw(st.sampled_from([TO_PODS, TO_VMS, Course(HALF, Fraction(1, 5))]))
    exposure = data.draw(st.sampled_from([Fraction(1, 20), TENTH, HALF, Fraction(1)]))
    down = st.sets(st.sampled_from(sorted(ratios))).map(frozenset)
    crowd = Crowd(ratios, data.draw(counts), data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2)))
    written = weights_on(crowd, course, exposure).weights
    start = Presence(written, crowd.pods, fixed_vms=crowd.fixed_vms, fixed_pods=crowd.fixed_pods)
    meant = replace(crowd, pods=data.draw(counts))
    now = replace(start, pods=data.draw(st.integers(0, meant.pods + 2)), down=data.draw(down))
    most = data.draw(st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(4)]))
    spill = data.draw(st.sampled_from([Fraction(0), TENTH, Fraction(1)]))
    promise = Promise(course, exposure, start, most, spill)
    found = hold(meant, now, promise)
    after = replace(now, weights=found.weights)
    assert set(found.weights) == set(ratios)
    assert min(found.weights.values()) >= 1
    assert found.expected == sum(
        (load for name, load in loads(after).items() if name != "pod"), Fraction(crowd.fixed_vms, after.total or 1)
    )
    if found.effect is Effect.NONE:
        assert found.weights == now.weights
        return
    before, first = loads(now), loads(start)
    for name, load in loads(after).items():
        if name in first:
            assert load <= max(before[name], most * first[name])
    if found.effect is Effect.RAISES and not crowd.fixed_vms + crowd.fixed_pods:
        reach = course.exposure(weights_on(replace(meant, pods=max(meant.pods, now.pods)), course, exposure).share)
        slip = Limits().tolerance(course.share(exposure)) / abs(course.wanted - course.start)
        assert course.exposure(found.expected) <= max(exposure, reach) + slip
    for _ in range(5):
        again = hold(meant, after, promise)
        assert again.effect in (found.effect, Effect.NONE)
        after = replace(now, weights=again.weights)
    assert again.effect is Effect.NONE
