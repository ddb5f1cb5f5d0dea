"""What every state store promises."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from reconciler.core.resources import Document, Key, Revision, Signature
from reconciler.ports import CycleRecord, JournalEntry, Override, Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENTRY, SERVICE = Key("WorkloadEntry", "shop", "vm-1"), Key("ServiceEntry", "shop", "billing")


def document(**spec: Any) -> Document:
    """Return a document with texts that databases like to spoil."""
    return {"kind": "WorkloadEntry", "spec": {"text": "Zoë \U0001f980 '\"\\ \u0000", "none": None, "half": 0.5, **spec}}


def intent(key: Key = ENTRY, after: Document | None = None, action: str = "update", **values: Any) -> JournalEntry:
    """Return an intent as a plan's execution makes them; without `after` a deletion."""
    return JournalEntry(0, "digest-1", key, action if after else "delete", after, started=NOON, **values)


def done(entries: Sequence[JournalEntry], ended: datetime = NOON) -> list[JournalEntry]:
    """Return the entries as settled well."""
    return [replace(entry, outcome="done", ended=ended) for entry in entries]


class StoreContract:
    """Derive from it and give a fixture `store`, and one `small` that remembers three values of a family."""

    def test_a_new_store_is_fresh_and_empty(self, store: Store) -> None:
        """It has an id, and says of itself that it knows nothing."""
        assert store.id == store.id != ""
        assert store.fresh
        assert store.generation == 0
        assert (store.inventory(), store.written(), store.unsettled()) == (frozenset(), {}, [])
        assert (store.accepted(), store.history(), store.fights()) == (None, [], {})

    def test_an_accepted_commit_is_returned_whole(self, store: Store) -> None:
        """Signature, time zone and all; a store that has accepted is not fresh any more."""
        moment = datetime(2026, 3, 1, 14, 30, 1, 5, tzinfo=timezone(2 * HOUR))
        revision = Revision("a" * 40, "Zoë <z@x>", moment, "Raise \u202e weights", Signature.GOOD, "ABCD", moving=False)
        store.accept(revision)
        assert store.accepted() == revision
        assert not store.fresh
        store.accept(Revision("b" * 40))
        assert store.accepted() == Revision("b" * 40)

    def test_the_inventory_is_widened_and_narrowed(self, store: Store) -> None:
        """Widening again is fine, narrowing drops the last written document too."""
        store.widen([ENTRY, SERVICE])
        store.widen([ENTRY])
        store.settle(done(store.intend([intent(after=document())])))
        assert store.inventory() == {ENTRY, SERVICE}
        store.narrow([ENTRY, Key("WorkloadEntry", "shop", "never-there")])
        assert store.inventory() == {SERVICE}
        assert store.written() == {}

    def test_generators_are_read_once(self, store: Store) -> None:
        """Keys and names may be given by a generator, also where a transaction is run again."""
        store.widen(key for key in (ENTRY, SERVICE))
        store.settle(done(store.intend([intent(after=document())])))
        assert store.written(key for key in (ENTRY, SERVICE)).keys() == {ENTRY}
        store.narrow(key for key in (ENTRY,))
        store.remember("a", {"v": 1})
        assert store.recall_all(name for name in ("a", "b")) == {"a": {"v": 1}}
        assert store.inventory() == {SERVICE}

    def test_nothing_to_do_is_fine(self, store: Store) -> None:
        """Empty batches change nothing."""
        store.widen([])
        store.narrow([])
        assert store.intend([]) == []
        store.settle([])
        store.remember_all({})
        assert store.recall_all([]) == {}
        assert store.written([]) == {}
        assert store.generation == 0

    @pytest.mark.case("S-03")
    def test_an_intent_stays_open_until_it_is_settled(self, store: Store) -> None:
        """What was intended reads back as it was given, oldest first, with a number of its own."""
        given = [
            intent(after=document(weight=1), uid="u-1", resource_version="17"),
            intent(SERVICE, after=document(weight=2), action="create"),
            intent(Key("Namespace", "", "shop"), action="delete"),
        ]
        entries = store.intend(given)
        assert [replace(entry, id=0) for entry in entries] == given
        assert len({entry.id for entry in entries}) == 3
        assert store.unsettled() == entries
        store.settle(done(entries[1:2]))
        assert store.unsettled() == [entries[0], entries[2]]

    def test_what_became_of_writes_is_told_in_their_order(self, store: Store) -> None:
        """Whole, after an entry that is known; what is still open comes in its place once it is settled."""
        assert (store.settled(0), store.last_entry()) == ([], 0)
        first, failed, still_open, last = store.intend([intent(after=document(weight=number)) for number in range(4)])
        ended = [*done([first]), replace(failed, outcome="failed", message="no", ended=NOON)]
        store.settle([*ended, *done([last])])
        assert store.settled(0) == [*ended, *done([last])]
        assert store.settled(first.id) == [ended[1], *done([last])]
        store.settle([replace(still_open, outcome="moot", message="read back", ended=NOON)])
        assert [entry.outcome for entry in store.settled(failed.id)] == ["moot", "done"]
        assert store.last_entry() == last.id
        assert store.settled(last.id) == []

    def test_only_what_was_done_becomes_last_written(self, store: Store) -> None:
        """A failed or moot write leaves the last one as it was."""
        store.settle(done(store.intend([intent(after=document(weight=1))])))
        for outcome in ("failed", "moot"):
            entry = store.intend([intent(after=document(weight=2))])[0]
            store.settle([replace(entry, outcome=outcome, message="no \0 \ud800 way", ended=NOON)])
        assert store.written() == {ENTRY: document(weight=1)}
        assert store.unsettled() == []

    def test_whatever_was_written_is_in_the_inventory(self, store: Store) -> None:
        """A confirmed write is ours, even where nobody widened the inventory before."""
        store.settle(done(store.intend([intent(after=document())])))
        assert store.inventory() == {ENTRY}

    def test_a_confirmed_deletion_leaves_no_last_written_document(self, store: Store) -> None:
        """The key stays in the inventory until somebody narrows it; one that was not there does not get in."""
        store.settle(done(store.intend([intent(after=document())])))
        store.settle(done(store.intend([intent(), intent(SERVICE)])))
        assert store.written() == {}
        assert store.inventory() == {ENTRY}

    def test_an_outcome_counts_once(self, store: Store) -> None:
        """Settling again, even otherwise, changes nothing: the first word stands."""
        first = done(store.intend([intent(after=document(weight=1))]))
        store.settle(first)
        second = done(store.intend([intent(after=document(weight=2))]))
        store.settle(second)
        generation = store.generation
        store.settle(first)
        store.settle([replace(second[0], outcome="failed")])
        assert store.written() == {ENTRY: document(weight=2)}
        assert store.generation == generation

    def test_an_older_write_never_replaces_a_newer_one(self, store: Store) -> None:
        """Outcomes may arrive in any order, in one batch or in several."""
        old, new, newest = store.intend([intent(after=document(weight=number)) for number in (1, 2, 3)])
        store.settle(done([new]))
        store.settle(done([old]))
        assert store.written() == {ENTRY: document(weight=2)}
        deletion, last = store.intend([intent(), intent(after=document(weight=5))])
        store.settle(done([last, deletion, newest]))
        assert store.written() == {ENTRY: document(weight=5)}

    def test_a_settled_entry_must_say_what_and_when(self, store: Store) -> None:
        """Without outcome or end it is the caller's bug, and nothing of the batch is stored."""
        entries = store.intend([intent(after=document()), intent(SERVICE)])
        for bad in (replace(entries[1], outcome="done"), replace(entries[1], ended=NOON)):
            with pytest.raises(ValueError, match="an outcome and an end"):
                store.settle([*done(entries[:1]), bad])
        assert store.unsettled() == entries

    def test_last_written_documents_can_be_asked_for_by_key(self, store: Store) -> None:
        """A few, a thousand, or all; keys without one are left out."""
        keys = [Key("WorkloadEntry", f"n-{number % 7}", f"vm-{number}") for number in range(1_000)]
        store.settle(done(store.intend([intent(key, after={"n": key.name}) for key in keys])))
        assert store.written(keys[3:5]) == {key: {"n": key.name} for key in keys[3:5]}
        assert store.written([*keys, *keys, SERVICE]) == store.written() == {key: {"n": key.name} for key in keys}

    @pytest.mark.case("S-04")
    def test_the_generation_grows_with_every_acceptance_and_settlement(self, store: Store) -> None:
        """So a store that was put back to yesterday is behind what its lease has seen."""
        seen = [store.generation]
        store.accept(Revision("a" * 40))
        seen.append(store.generation)
        entries = store.intend([intent(after=document()), intent(SERVICE)])
        store.settle(done(entries[:1]))
        seen.append(store.generation)
        store.settle([replace(entries[1], outcome="failed", ended=NOON)])
        seen.append(store.generation)
        store.accept(Revision("b" * 40))
        seen.append(store.generation)
        assert seen == sorted(set(seen))
        store.accept(Revision("b" * 40))
        assert store.generation == seen[-1]

    def test_a_deletion_is_due_since_it_was_first_seen(self, store: Store) -> None:
        """A key that is named again keeps its time, one that is left out starts anew."""
        assert store.first_seen([ENTRY], NOON) == {ENTRY: NOON}
        assert store.first_seen([ENTRY, SERVICE], NOON + HOUR) == {ENTRY: NOON, SERVICE: NOON + HOUR}
        assert store.first_seen([SERVICE, ENTRY], NOON + 2 * HOUR) == {ENTRY: NOON, SERVICE: NOON + HOUR}
        assert store.first_seen([SERVICE], NOON + 3 * HOUR) == {SERVICE: NOON + HOUR}
        assert store.first_seen([ENTRY], NOON + 4 * HOUR) == {ENTRY: NOON + 4 * HOUR}
        assert store.first_seen([], NOON + 5 * HOUR) == {}

    def test_a_look_at_what_is_due_changes_nothing(self, store: Store) -> None:
        """Another commit's plan may be looked at without starting or ending a timer."""
        store.first_seen([ENTRY], NOON)
        assert store.first_seen([SERVICE], NOON + HOUR, keep=False) == {SERVICE: NOON + HOUR}
        assert store.first_seen([ENTRY, SERVICE], NOON + 2 * HOUR) == {ENTRY: NOON, SERVICE: NOON + 2 * HOUR}

    def test_confirmed_deletions_of_services_count_within_the_time_asked_for(self, store: Store) -> None:
        """Only ServiceEntries, only deletions, only confirmed ones; each service once, in order."""
        services = [Key("ServiceEntry", "shop", f"svc-{number}") for number in range(5)]
        for number, service in enumerate(services):
            store.settle(done(store.intend([intent(service)]), NOON + number * HOUR))
        store.settle(done(store.intend([intent(services[3]), intent(ENTRY)]), NOON + 9 * HOUR))
        update = store.intend([intent(Key("ServiceEntry", "shop", "updated"), after=document())])
        store.settle(done(update, NOON + 9 * HOUR))
        failed = store.intend([intent(Key("ServiceEntry", "shop", "failed"))])[0]
        store.settle([replace(failed, outcome="failed", ended=NOON + 9 * HOUR)])
        store.intend([intent(Key("ServiceEntry", "shop", "open"))])
        assert set(store.deleted_services(NOON + 2 * HOUR)) == {services[2], services[3], services[4]}
        assert store.deleted_services(NOON + 9 * HOUR) == (services[3],)
        assert store.deleted_services(NOON + 10 * HOUR) == ()

    def test_an_override_is_bound_to_its_plan(self, store: Store) -> None:
        """Given for one digest it says nothing about another; given again it is replaced."""
        first = Override("digest-1", "wholesale:shop/billing", "Zoë", "agreed in CHG-1", NOON)
        other = Override("digest-1", "delete-services", "Ann", "", NOON)
        for given in (first, other, replace(first, digest="digest-2")):
            store.override(given)
        assert store.overrides("digest-1") == (other, first)
        again = replace(first, by="Ann", reason="agreed in CHG-2", at=NOON + HOUR)
        store.override(again)
        assert store.overrides("digest-1") == (other, again)
        assert store.overrides("digest-3") == ()

    def test_flips_within_the_hour_make_a_fight_that_lasts(self, store: Store) -> None:
        """Three times by one manager in one field; then it stands until a person decides."""
        path, manager = "spec.weight", "kubectl-edit"
        assert store.flips(ENTRY, path, manager, NOON) == 1
        assert store.flips(ENTRY, path, manager, NOON + HOUR / 4) == 2
        assert store.fights() == {}
        assert store.flips(ENTRY, path, manager, NOON + HOUR / 2) == 3
        assert store.flips(SERVICE, "spec.ports", "argocd", NOON + HOUR / 2, limit=1) == 1
        expected = {ENTRY: ("spec.weight kubectl-edit",), SERVICE: ("spec.ports argocd",)}
        assert store.fights() == expected
        store.flips(SERVICE, "spec.hosts", "flux", NOON + 9 * HOUR, limit=9)
        assert store.fights() == expected
        store.settle_fight(ENTRY)
        assert store.fights() == {SERVICE: ("spec.ports argocd",)}
        assert store.flips(ENTRY, path, manager, NOON + 9 * HOUR) == 1

    def test_flips_count_by_field_and_manager_within_an_hour(self, store: Store) -> None:
        """Another field, another manager or an older hour is another count."""
        store.flips(ENTRY, "spec.weight", "one", NOON)
        assert store.flips(ENTRY, "spec.weight", "two", NOON) == 1
        assert store.flips(ENTRY, "spec.address", "one", NOON) == 1
        assert store.flips(SERVICE, "spec.weight", "one", NOON) == 1
        assert store.flips(ENTRY, "spec.weight", "one", NOON + HOUR / 2) == 2
        assert store.flips(ENTRY, "spec.weight", "one", NOON + HOUR) == 2
        assert store.fights() == {}

    def test_named_values_are_remembered(self, store: Store) -> None:
        """One or many, replaced by a newer one of the same name."""
        store.remember("crds", document())
        store.remember_all({f"dry-run/{number}": {"n": number} for number in range(1_200)})
        store.remember("crds", document(weight=2))
        assert store.recall("crds") == document(weight=2)
        assert store.recall("nothing") is None
        found = store.recall_all([f"dry-run/{number}" for number in range(1_190, 1_210)])
        assert found == {f"dry-run/{number}": {"n": number} for number in range(1_190, 1_200)}

    def test_memory_is_bounded_by_family(self, small: Store) -> None:
        """The oldest of a family go; other families, and what was renewed, stay."""
        small.remember("crds", {"n": 0})
        for number in range(4):
            small.remember(f"dry-run/{number}", {"n": number})
        small.remember("dry-run/1", {"n": 1})
        small.remember_all({"dry-run/4": {"n": 4}, "dry-run/5": {"n": 5}})
        kept = small.recall_all(["crds", *(f"dry-run/{number}" for number in range(6))])
        assert kept == {"crds": {"n": 0}, **{f"dry-run/{number}": {"n": number} for number in (1, 4, 5)}}

    @pytest.mark.case("L-06")
    def test_history_is_paged_newest_first(self, store: Store) -> None:
        """Page by page, without gaps or repetitions, with the whole report."""
        for number in range(25):
            store.record(CycleRecord(0, NOON + number * HOUR, "a" * 40, "d", "applied", number, {"objects": number}))
        pages = [store.history(10)]
        while pages[-1]:
            pages.append(store.history(10, before=pages[-1][-1].id))
        cycles = [cycle for page in pages for cycle in page]
        assert [cycle.written for cycle in cycles] == list(range(24, -1, -1))
        assert cycles[0].report == {"objects": 24}
        assert cycles[0].at == NOON + 24 * HOUR
        assert len(store.history()) == 20

    @pytest.mark.case("L-06")
    def test_the_past_can_be_forgotten(self, store: Store) -> None:
        """Old cycles and settled entries go; open intents, the inventory and what was last written stay."""
        services = [Key("ServiceEntry", "shop", f"svc-{number}") for number in range(2)]
        still_open = store.intend([intent(after=document())])
        store.settle(done(store.intend([intent(SERVICE, after=document(weight=7)), intent(services[0])]), NOON))
        store.settle(done(store.intend([intent(services[1])]), NOON + HOUR))
        for number in range(3):
            store.record(CycleRecord(0, NOON + number * HOUR, "a", "d", "applied", number))
        store.forget(NOON + HOUR)
        assert [cycle.written for cycle in store.history()] == [2, 1]
        assert store.deleted_services(NOON) == (services[1],)
        assert store.unsettled() == still_open
        assert store.written() == {SERVICE: document(weight=7)}
        store.settle(done(still_open))
        assert store.written()[ENTRY] == document()

    def test_threads_settle_their_own_writes(self, store: Store) -> None:
        """Batches from several threads mix without loss: every entry has one number and one outcome."""

        def write(number: int) -> list[int]:
            keys = [Key("WorkloadEntry", "shop", f"vm-{number}-{place}") for place in range(10)]
            store.widen(keys)
            entries = store.intend([intent(key, after={"n": key.name}) for key in keys])
            store.settle(done(entries))
            return [entry.id for entry in entries]

        with ThreadPoolExecutor(6) as threads:
            numbers = [number for batch in threads.map(write, range(12)) for number in batch]
        assert len(set(numbers)) == 120
        assert store.unsettled() == []
        assert store.written() == {key: {"n": key.name} for key in store.inventory()}
        assert len(store.inventory()) == 120
        assert store.generation == 12
