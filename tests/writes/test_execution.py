"""Carrying out plans: order, journal, independence of units, and what stops what."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from reconciler.adapters.memory_cluster import MemoryCluster
from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.changes import Action, Change
from reconciler.core.plans import Mode, Plan, Step, UnitPlan
from reconciler.core.report import WriteResult, Written
from reconciler.core.resources import Document, Key, LiveObject, ObservedState, Revision
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.errors import Fenced, Rejected, Unavailable
from reconciler.ports import JournalEntry, Store
from reconciler.writes.execution import Execution
from reconciler.writes.writer import Writer
from tests.contracts.clock import SetClock

REVISION = Revision("a" * 40)


def _namespace(name: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _create(name: str) -> Change:
    document = _namespace(name)
    return Change(Key.of(document), Action.CREATE, None, document)


def _unit(name: str, *waves: Sequence[str], waits_for: Iterable[str] = (), mode: Mode = Mode.ENFORCE) -> UnitPlan:
    steps = (Step(tuple(tuple(_create(one) for one in wave) for wave in waves)),)
    return UnitPlan(name, mode, steps, waits_for=tuple(waits_for))


@dataclass
class Hooked:
    """A cluster that asks `before` about every write, which may raise, and notes the order in which writes took place."""

    cluster: MemoryCluster
    before: Callable[[str], None] = lambda _name: None
    order: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def apply(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        name = document["metadata"]["name"]
        self.before(name)
        done = self.cluster.apply(document, uid=uid, resource_version=resource_version)
        with self.lock:
            self.order.append(name)
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self.cluster, name)


class Bench:
    """Everything that an execution needs, in memory."""

    def __init__(self, before: Callable[[str], None] = lambda _name: None, store: Store | None = None) -> None:
        self.clock = SetClock()
        self.cluster = Hooked(MemoryCluster(self.clock, FIELD_MANAGER), before)
        self.store = store or MemoryStore()
        self.fences = 0

    def run(
        self,
        *units: UnitPlan,
        fence: Callable[[], None] | None = None,
        progress: Callable[[WriteResult], None] | None = None,
    ) -> dict[str, WriteResult]:
        plan = Plan("test", REVISION, units, "0" * 64)
        writer = Writer(self.cluster, None, ObservedState({}))  # type: ignore[arg-type]  # a cluster by delegation
        execution = Execution(plan, writer, self.store, self.clock, fence=fence or self.fence, progress=progress)
        return {result.key.name: result for result in execution.run()}

    def fence(self) -> None:
        self.fences += 1


def _refuse(*names: str) -> Callable[[str], None]:
    def before(name: str) -> None:
        if name in names:
            raise Rejected(f"{name} is not welcome", status=422)

    return before


def test_waves_follow_one_another() -> None:
    """No write of a wave is sent before every write of the wave before it is through."""
    bench = Bench()
    results = bench.run(_unit("a", ["a1", "a2", "a3"], ["b1"], ["c1", "c2"]))
    assert all(result.written is Written.DONE for result in results.values())
    assert set(bench.cluster.order[:3]) == {"a1", "a2", "a3"}
    assert bench.cluster.order[3] == "b1"


def test_every_write_is_journalled_before_it_is_sent() -> None:
    """At the moment of each write its intent stands in the journal without an outcome; afterwards none is open."""
    store = MemoryStore()
    seen: list[bool] = []
    bench = Bench(lambda name: seen.append(name in {entry.key.name for entry in store.unsettled()}), store)
    bench.run(_unit("a", ["a1", "a2"], ["a3"]))
    assert seen == [True, True, True]
    assert store.unsettled() == []
    assert set(store.written()) == store.inventory() == {Key("Namespace", "", name) for name in ("a1", "a2", "a3")}


@pytest.mark.case("A-10")
def test_a_failed_write_ends_its_wave_and_its_unit_and_nothing_else() -> None:
    """The 40th of 100 objects fails: its wave is finished, the next one does not begin, other units do not notice."""
    first = [f"n{number:03}" for number in range(100)]
    bench = Bench(_refuse("n040"))
    results = bench.run(_unit("bad", first, ["late"]), _unit("good", ["g1"], ["g2"]))
    assert results["n040"].written is Written.FAILED
    assert "not welcome" in results["n040"].message
    assert [name for name in first if results[name].written is Written.DONE] == [n for n in first if n != "n040"]
    assert results["late"].written is Written.NOT_STARTED
    assert "n040" in results["late"].message
    assert results["g2"].written is Written.DONE


def test_a_unit_waits_for_the_units_that_it_names() -> None:
    """A unit begins when the units that it waits for are through, whatever their order in the plan."""
    bench = Bench()
    bench.run(_unit("route", ["r"], waits_for=["left", "right"]), _unit("left", ["l1"], ["l2"]), _unit("right", ["x"]))
    assert bench.cluster.order[-1] == "r"


def test_a_unit_is_not_begun_when_one_that_it_waits_for_failed() -> None:
    """A failed unit takes along those that wait for it, by name, and those that wait for these."""
    bench = Bench(_refuse("l1"))
    results = bench.run(
        _unit("left", ["l1"]), _unit("route", ["r"], waits_for=["left"]), _unit("more", ["m"], waits_for=["route"])
    )
    assert results["r"].written is results["m"].written is Written.NOT_STARTED
    assert "left" in results["r"].message
    assert bench.cluster.order == []


def test_units_that_wait_for_each_other_end_with_a_reason() -> None:
    """A circle, which no plan should hold, is reported and hangs nothing."""
    results = Bench().run(_unit("a", ["a1"], waits_for=["b"]), _unit("b", ["b1"], waits_for=["a"]))
    assert {result.written for result in results.values()} == {Written.NOT_STARTED}


def test_units_in_observe_are_not_written() -> None:
    """A unit in mode observe sends nothing, and one that waits for it goes on: its objects are not needed to be ours."""
    bench = Bench()
    bench.run(_unit("look", ["l"], mode=Mode.OBSERVE), _unit("do", ["d"], waits_for=["look"]))
    assert bench.cluster.order == ["d"]


@pytest.mark.case("C-02", "K-05")
def test_a_lost_lease_stops_everything() -> None:
    """Once the fence says that another one writes, no further write is sent; those under way are reported as they ended."""
    fenced = threading.Event()

    def fence() -> None:
        if fenced.is_set():
            raise Fenced("target test is being written to by other", holder="other")

    bench = Bench(lambda name: fenced.set() if name == "a1" else None)
    results = bench.run(_unit("a", ["a1"], ["a2"], ["a3"]), fence=fence)
    assert results["a1"].written is Written.DONE
    assert results["a2"].written is results["a3"].written is Written.NOT_STARTED
    assert "other" in results["a2"].message


@pytest.mark.parametrize("error", [Rejected("leases may not be read", status=403), Unavailable("no answer"), KeyError("bug")])
@pytest.mark.parametrize("passed", [0, 1, 2, 3])
def test_a_fence_that_cannot_tell_stops_everything(error: Exception, passed: int) -> None:
    """In whichever thread it fails, and as what: no write is sent, none is lost from the results, the run ends."""
    calls: list[int] = []

    def fence() -> None:
        calls.append(0)
        if len(calls) > passed:
            raise error

    bench = Bench()
    results = bench.run(_unit("a", ["a1"], ["a2"]), fence=fence)
    done = passed // 2  # the fence is asked twice for each: before its intent is stored and before it is sent
    assert bench.cluster.order == ["a1", "a2"][:done]
    assert [results[name].written for name in ("a1", "a2")] == ([Written.DONE] * done + [Written.NOT_STARTED] * 2)[:2]
    assert bench.store.unsettled() == []


def test_what_was_written_is_settled_also_when_the_run_breaks_off() -> None:
    """Whoever is told of the progress fails: what the workers did until then is known, and nothing more is sent."""
    bench = Bench()

    def tell(result: WriteResult) -> None:
        raise BrokenPipeError(result.key.name)

    with pytest.raises(BrokenPipeError):
        bench.run(_unit("a", ["a1", "a2", "a3"], ["a4"]), progress=tell)
    assert {"a1"} <= set(bench.cluster.order) <= {"a1", "a2", "a3"}
    assert bench.store.unsettled() == []
    assert {key.name for key in bench.store.written()} == set(bench.cluster.order)


class Failing(MemoryStore):
    """A store whose journal cannot be written."""

    def intend(self, entries: Sequence[JournalEntry]) -> list[JournalEntry]:  # noqa: ARG002 - as the port has it
        raise Unavailable("no space left on device")


@pytest.mark.case("S-01")
def test_nothing_is_written_that_could_not_be_journalled() -> None:
    """A full disk under the journal means that nothing is applied, and the reason is on every write."""
    bench = Bench(store=Failing())
    results = bench.run(_unit("a", ["a1"], ["a2"]))
    assert bench.cluster.order == []
    assert "no space left" in results["a1"].message


class Forgetful(MemoryStore):
    """A store that takes intents and then no outcomes."""

    def settle(self, entries: Sequence[JournalEntry]) -> None:
        if entries:
            raise Unavailable("disk gone")


@pytest.mark.case("S-03")
def test_an_outcome_that_cannot_be_stored_stops_the_run_and_stays_open() -> None:
    """The write that took place stays open in the journal, so that the next run reads it back; no further write is sent."""
    store = Forgetful()
    bench = Bench(store=store)
    results = bench.run(_unit("a", ["a1"], ["a2"]))
    assert bench.cluster.order == ["a1"]
    assert [entry.key.name for entry in store.unsettled()] == ["a1"]
    assert results["a2"].written is Written.NOT_STARTED


@pytest.mark.case("A-03", "A-04")
def test_writes_without_an_answer_stay_open_and_several_in_a_row_end_the_run() -> None:
    """An API server that has gone away is asked a few times, not once for each of 500 objects."""

    def silence(_name: str) -> None:
        raise Unavailable("timed out; outcome unknown")

    bench = Bench(silence)
    results = bench.run(*(_unit(f"u{number}", [f"n{number}"]) for number in range(500)))
    unknown = [name for name, result in results.items() if result.written is Written.UNKNOWN]
    assert 3 <= len(unknown) <= 64
    assert {entry.key.name for entry in bench.store.unsettled()} == set(unknown)
    assert all(results[name].written is Written.NOT_STARTED for name in results.keys() - set(unknown))


def test_a_bug_in_a_write_is_contained(caplog: pytest.LogCaptureFixture) -> None:
    """An error that is none of ours is logged with its traceback, leaves its write open, and other units go on."""

    def bug(name: str) -> None:
        if name == "a1":
            raise ZeroDivisionError

    results = Bench(bug).run(_unit("a", ["a1"]), _unit("b", ["b1"]))
    assert results["a1"].written is Written.UNKNOWN
    assert "internal error" in results["a1"].message
    assert results["b1"].written is Written.DONE
    assert "ZeroDivisionError" in caplog.text


def test_a_second_write_to_an_object_builds_on_the_first() -> None:
    """Two writes to one object in one plan: the second carries the version that the first one left."""
    bench = Bench()
    first = _create("a1")
    labelled = {**_namespace("a1"), "metadata": {"name": "a1", "labels": {"x": "y"}}}
    second = replace(first, action=Action.UPDATE, after=labelled, uid="stale", resource_version="stale")
    plan = UnitPlan("a", Mode.ENFORCE, (Step(((first,), (second,))),))
    results = bench.run(plan)
    assert results["a1"].written is Written.DONE
    live = bench.cluster.get(first.key)  # type: ignore[operator]
    assert live.labels == {"x": "y"}


def test_only_what_is_written_is_added_to_the_inventory() -> None:
    """It is widened before the first write; deletions leave it to whoever knows that nothing of the object is left."""
    bench = Bench()
    bench.run(_unit("a", ["a1"]))
    key = Key("Namespace", "", "a1")
    live = bench.cluster.get(key)  # type: ignore[operator]
    delete = Change(key, Action.DELETE, live.document, None, uid=live.uid, resource_version=live.resource_version)
    bench.run(UnitPlan("a", Mode.ENFORCE, (Step(((delete,),)),)))
    assert bench.store.inventory() == {key}
    assert bench.store.written() == {}


def test_the_fence_is_asked_before_every_batch() -> None:
    """Between two waves the lease is looked at again."""
    bench = Bench()
    bench.run(_unit("a", ["a1"], ["a2"], ["a3"]))
    assert bench.fences >= 3
    assert bench.clock.now() - SetClock().now() == timedelta(0)
