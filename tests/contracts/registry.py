"""What every VM registry promises."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.drain import Drain
from reconciler.core.records import Health, MachineStatus
from reconciler.core.resources import Document, Key
from reconciler.errors import Conflict, Rejected
from reconciler.ports import ServedRegistry, VMRegistry
from tests.contracts.clock import SetClock
from tests.waiting import SOON

MINUTE = timedelta(minutes=1)

BAD_RECORDS: dict[str, dict[str, Any]] = {
    "another kind": {"kind": "Pod"},
    "another version": {"apiVersion": "mesh-reconciler.io/v9"},
    "a status": {"status": {"health": "healthy"}},
    "no metadata": {"metadata": None},
    "an unknown field of metadata": {"metadata": {"name": "vm-1", "namespace": "shop", "finalizers": []}},
    "no name": {"metadata": {"namespace": "shop"}},
    "a name with a newline": {"metadata": {"name": "vm-1\n", "namespace": "shop"}},
    "a name that is too long": {"metadata": {"name": "a" * 254, "namespace": "shop"}},
    "a namespace with a dot": {"metadata": {"name": "vm-1", "namespace": "sh.op"}},
    "a label that is a number": {"metadata": {"name": "vm-1", "namespace": "shop", "labels": {"a": 1}}},
    "a label with a space": {"metadata": {"name": "vm-1", "namespace": "shop", "labels": {"a": "b c"}}},
    "too many labels": {"metadata": {"name": "vm-1", "namespace": "shop", "labels": {f"l{i}": "" for i in range(65)}}},
    "no spec": {"spec": None},
    "NUL in a text": {"spec": {"network": "a\0b"}},
    "NUL in a key": {"spec": {"a\0b": 1}},
    "half a surrogate pair": {"spec": {"network": "\ud800"}},
    "a number out of range": {"spec": {"ports": {"http": 2**63}}},
    "a number of 5000 digits": {"spec": {"ports": {"http": 10**5000}}},
    "no number": {"spec": {"weight": float("nan")}},
    "a value that JSON does not know": {"spec": {"ports": {1, 2}}},
    "a megabyte": {"spec": {"network": "x" * 1_000_000}},
    "a hundred levels": {"spec": {"a": [[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]}},
}

BAD_REPORTS: dict[str, Any] = {
    "an unknown field": {"health": "healthy", "weight": 5},
    "another word for health": {"health": "fine"},
    "a list for health": {"health": ["healthy"]},
    "a host name": {"address": "vm-1.internal"},
    "a number for an address": {"address": 2130706433},
    "an address with a zone": {"address": "fe80::1%eth0"},
    "NUL": {"address": "10.0.0.1\0"},
    "a megabyte": {"address": "1" * 1_000_000},
    "a reason that is too long": {"reason": "x" * 257},
    "a reason with a newline": {"reason": "a\x1bb"},
    "another word for draining": {"draining": "yes"},
    "another word for held": {"held": "by the brake"},
    "half a drain": {"drain": {"by": "ann"}},
    "a drain at no moment": {"drain": {"by": "ann", "since": "now", "until": "2026-03-01T12:00:00Z"}},
    "a drain in no time zone": {"drain": {"by": "ann", "since": "2026-03-01T12:00:00", "until": "2026-03-01T12:00:00"}},
    "a drain by nobody fit": {"drain": {"by": "a\0", "since": "2026-03-01T12:00:00Z", "until": "2026-03-01T12:00:00Z"}},
    "no object": ["healthy"],
}


def record(name: str = "vm-1", **spec: Any) -> Document:
    """Return the document of a VM in namespace shop."""
    return {
        "apiVersion": "mesh-reconciler.io/v1alpha1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"address": "10.0.0.1", "ports": {"http": 8080}, **spec},
    }


def key(name: str = "vm-1") -> Key:
    """Return the key of a VM in namespace shop."""
    return Key("VirtualMachine", "shop", name)


class RegistryContract:
    """Derive from it and give a fixture `registry` over the fixture `clock`."""

    @pytest.fixture
    def clock(self) -> SetClock:
        return SetClock()

    def test_a_new_record_holds_the_spec_and_an_unknown_health(self, registry: VMRegistry, clock: SetClock) -> None:
        """Create, read back, observe: one and the same object, with labels, uid, epoch and the time of its birth."""
        document = record(network="vpc-1")
        document["metadata"]["labels"] = {"app": "billing", "a.b/c": ""}
        made = registry.put(document)
        assert made.document == {**document, "status": {"health": "unknown"}}
        assert (made.key, made.created, made.owners) == (key(), clock.now(), ())
        assert made.uid
        assert made.resource_version
        assert registry.get(key()) == made
        assert registry.observe().machines == {key(): made}

    def test_nothing_is_there_at_first(self, registry: VMRegistry) -> None:
        """An empty registry is observed as empty, and a read of one record finds none."""
        assert registry.observe().machines == {}
        assert registry.get(key()) is None

    def test_a_create_of_what_exists_conflicts(self, registry: VMRegistry) -> None:
        """Without preconditions a put creates; a record that is there stays as it is."""
        first = registry.put(record())
        with pytest.raises(Conflict, match="VirtualMachine shop/vm-1 exists already"):
            registry.put(record(address="10.0.0.9"))
        assert registry.get(key()) == first

    def test_an_update_moves_the_epoch_and_keeps_the_status(self, registry: VMRegistry) -> None:
        """Spec is ours, status the VM's: writing one leaves the other."""
        first = registry.put(record())
        registry.report(key(), {"address": "10.0.0.1", "health": "healthy"})
        second = registry.put(record(address="10.0.0.2"), uid=first.uid, resource_version=first.resource_version)
        assert second.document["spec"]["address"] == "10.0.0.2"
        assert second.document["status"]["health"] == "healthy"
        assert (second.uid, second.created) == (first.uid, first.created)
        assert int(second.resource_version) > int(first.resource_version)

    def test_an_update_with_an_old_epoch_conflicts(self, registry: VMRegistry) -> None:
        """Who decided on what is no longer there must read again."""
        first = registry.put(record())
        second = registry.put(record(address="10.0.0.2"), uid=first.uid, resource_version=first.resource_version)
        with pytest.raises(Conflict, match="has changed"):
            registry.put(record(address="10.0.0.3"), uid=first.uid, resource_version=first.resource_version)
        assert registry.get(key()) == second

    def test_a_report_never_makes_a_write_of_ours_conflict(self, registry: VMRegistry) -> None:
        """The epoch belongs to the spec; a VM that reports every second does not keep Git out."""
        first = registry.put(record())
        for health in ("healthy", "unhealthy", "healthy"):
            reported = registry.report(key(), {"address": "10.0.0.1", "health": health})
        assert reported.resource_version == first.resource_version
        registry.put(record(address="10.0.0.2"), uid=first.uid, resource_version=first.resource_version)

    def test_the_same_spec_again_changes_nothing(self, registry: VMRegistry) -> None:
        """Writing what stands there moves neither the epoch nor the version, so that nobody is told of a change."""
        first = registry.put(record())
        before = registry.observe()
        assert registry.put(record(), uid=first.uid, resource_version=first.resource_version) == first
        assert registry.observe() is before

    def test_a_record_that_is_gone_is_not_updated(self, registry: VMRegistry) -> None:
        """An update is never a create: somebody deleted it for a reason."""
        first = registry.put(record())
        registry.delete(key(), uid=first.uid, resource_version=first.resource_version)
        with pytest.raises(Conflict, match="is gone"):
            registry.put(record(), uid=first.uid, resource_version=first.resource_version)
        assert registry.observe().machines == {}

    def test_a_deletion_hits_exactly_the_record_it_means(self, registry: VMRegistry) -> None:
        """A record of the same name that was made since then stays, and so does one that has changed."""
        first = registry.put(record())
        registry.delete(key(), uid=first.uid, resource_version=first.resource_version)
        second = registry.put(record())
        assert second.uid != first.uid
        for uid, epoch in ((first.uid, ""), (first.uid, first.resource_version), (second.uid, first.resource_version)):
            with pytest.raises(Conflict):
                registry.delete(key(), uid=uid, resource_version=epoch)
        with pytest.raises(Rejected, match="must name the uid"):
            registry.delete(key(), uid="", resource_version="")
        assert registry.observe().machines == {key(): second}

    def test_epochs_are_never_used_again(self, registry: VMRegistry) -> None:
        """A new record of an old name never has an epoch that somebody may still hold from the old one."""
        epochs: set[str] = set()
        for _ in range(3):
            made = registry.put(record())
            changed = registry.put(record(address="10.0.0.2"), uid=made.uid)
            epochs |= {made.resource_version, changed.resource_version}
            registry.delete(key(), uid=made.uid, resource_version="")
        assert len(epochs) == 6

    def test_what_is_gone_already_may_be_deleted(self, registry: VMRegistry) -> None:
        """A deletion whose answer was lost can be sent again."""
        made = registry.put(record())
        for _ in range(2):
            registry.delete(key(), uid=made.uid, resource_version=made.resource_version)
        assert registry.observe().machines == {}

    @pytest.mark.case("K-03")
    def test_a_report_is_dated_by_the_registry(self, registry: VMRegistry, clock: SetClock) -> None:
        """A VM's own clock counts for nothing."""
        registry.put(record())
        live = registry.report(key(), {"address": "10.0.0.1", "health": "healthy", "lastSeen": "2099-01-01T00:00:00Z"})
        assert live.document["status"] == {"address": "10.0.0.1", "health": "healthy", "lastSeen": "2026-03-01T12:00:00.000Z"}
        clock.pass_time(MINUTE)
        registry.report(key(), {"address": "10.0.0.1", "health": "healthy"})
        live = registry.get(key()) or live
        assert live.document["status"]["lastSeen"] == "2026-03-01T12:01:00.000Z"

    def test_last_seen_never_goes_back(self, registry: VMRegistry, clock: SetClock) -> None:
        """A wall clock that is set back makes no VM look lost."""
        registry.put(record())
        registry.report(key(), {"health": "healthy"})
        clock.jump(-60 * MINUTE)
        live = registry.report(key(), {"health": "unhealthy"})
        assert live.document["status"] == {"health": "unhealthy", "lastSeen": "2026-03-01T12:00:00.000Z"}

    def test_a_report_says_the_whole_status(self, registry: VMRegistry) -> None:
        """What a report leaves out is not known any more."""
        registry.put(record())
        registry.report(key(), {"address": "10.0.0.1", "health": "healthy"})
        status = registry.report(key(), {}).document["status"]
        assert status == {"health": "unknown", "lastSeen": "2026-03-01T12:00:00.000Z"}

    def test_addresses_are_kept_in_their_canonical_form(self, registry: VMRegistry) -> None:
        """Two spellings of one address are one address."""
        registry.put(record())
        live = registry.report(key(), {"address": "FD00:0:0::0001"})
        assert live.document["status"]["address"] == "fd00::1"

    @pytest.mark.case("V-04")
    def test_a_report_never_brings_a_record_to_life(self, registry: VMRegistry) -> None:
        """A heartbeat from a VM that is not, or no longer, registered is rejected."""
        with pytest.raises(Rejected, match="VirtualMachine shop/vm-1 is not registered"):
            registry.report(key(), {"health": "healthy"})
        made = registry.put(record())
        registry.delete(key(), uid=made.uid, resource_version="")
        with pytest.raises(Rejected, match="is not registered") as rejected:
            registry.report(key(), {"health": "healthy"})
        assert rejected.value.status == 404
        assert registry.observe().machines == {}

    def test_a_sign_of_life_is_no_change_of_content(self, registry: VMRegistry, clock: SetClock) -> None:
        """Ten thousand heartbeats are not ten thousand changes: the observation stays the very same value."""
        registry.put(record())
        registry.report(key(), {"address": "10.0.0.1", "health": "healthy"})
        before = registry.observe()
        clock.pass_time(MINUTE)
        registry.report(key(), {"address": "10.0.0.1", "health": "healthy"})
        assert registry.observe() is before
        registry.report(key(), {"address": "10.0.0.1", "health": "unhealthy"})
        assert registry.observe().version != before.version

    def test_what_the_server_has_judged_is_stored_as_it_is(self, registry: VMRegistry, clock: SetClock) -> None:
        """With its reason, and with the time of the last sign, which is not now for one that is lost; that is content."""
        registry.put(record())
        registry.report(key(), {"address": "10.0.0.1", "health": "healthy"})
        before, seen = registry.observe(), clock.now()
        clock.pass_time(MINUTE)
        drain = Drain("operator@10.0.0.9", seen, seen + MINUTE)
        registry.tell({key(): MachineStatus("10.0.0.1", Health.UNHEALTHY, seen, "silent", draining=True, drain=drain)})
        observed = registry.observe()
        assert observed.version != before.version
        assert observed.machines[key()].document["status"] == {
            "address": "10.0.0.1",
            "health": "unhealthy",
            "lastSeen": "2026-03-01T12:00:00.000Z",
            "reason": "silent",
            "draining": True,
            "drain": {"by": "operator@10.0.0.9", "since": "2026-03-01T12:00:00.000Z", "until": "2026-03-01T12:01:00.000Z"},
        }
        registry.tell({key(): MachineStatus("10.0.0.1", Health.UNHEALTHY, None, "silent", draining=True, drain=drain)})
        assert registry.observe() is observed
        healthy = MachineStatus("10.0.0.1", Health.HEALTHY, None, held=True)
        registry.tell({key("vm-2"): healthy, key(): healthy})
        told = registry.observe().machines[key()].document["status"]
        assert told == {"address": "10.0.0.1", "health": "healthy", "lastSeen": "2026-03-01T12:00:00.000Z", "held": True}
        assert registry.observe().machines.keys() == {key()}, "a VM that is not registered is passed over"

    def test_signs_of_life_of_many_are_no_content(self, registry: VMRegistry, clock: SetClock) -> None:
        """They move on, never back, and nothing is made for VMs that are not registered."""
        registry.put(record())
        before = registry.observe()
        later = clock.now() + MINUTE
        registry.seen({key(): later, key("vm-2"): later})
        registry.seen({key(): clock.now()})
        registry.seen({})
        live = registry.get(key())
        assert live is not None
        assert live.document["status"]["lastSeen"] == "2026-03-01T12:01:00.000Z"
        assert registry.observe() is before

    def test_each_change_of_content_changes_the_version(self, registry: VMRegistry) -> None:
        """Create, update, report and delete: five contents, five versions, and an old observation stays what it was."""
        observations = [registry.observe()]
        made = registry.put(record())
        observations.append(registry.observe())
        registry.put(record(address="10.0.0.2"), uid=made.uid)
        observations.append(registry.observe())
        registry.report(key(), {"health": "healthy"})
        observations.append(registry.observe())
        registry.delete(key(), uid=made.uid, resource_version="")
        observations.append(registry.observe())
        assert len({one.version for one in observations}) == 5
        assert [len(one.machines) for one in observations] == [0, 1, 1, 1, 0]

    @pytest.mark.case("V-11", "M-07")
    def test_bad_records_are_refused_with_a_small_answer(self, registry: VMRegistry, subtests: pytest.Subtests) -> None:
        """Nothing gets in that a report, a page or a database would choke on, and its value is not repeated."""
        for what, change in BAD_RECORDS.items():
            with subtests.test(what):
                with pytest.raises(Rejected) as rejected:
                    registry.put({**record(), **change})
                assert rejected.value.status == 422
                assert len(str(rejected.value)) < 200
        assert registry.observe().machines == {}

    @pytest.mark.case("V-11")
    def test_bad_reports_are_refused_with_a_small_answer(self, registry: VMRegistry, subtests: pytest.Subtests) -> None:
        """A VM may say its address and its health, in these words."""
        registry.put(record())
        before = registry.observe()
        for what, status in BAD_REPORTS.items():
            with subtests.test(what):
                with pytest.raises(Rejected) as rejected:
                    registry.report(key(), status)
                assert rejected.value.status == 422
                assert len(str(rejected.value)) < 200
        assert registry.observe() is before

    @pytest.mark.case("V-03")
    def test_of_many_that_create_one_name_at_once_one_wins(self, registry: VMRegistry) -> None:
        """Eight threads, ten names: each name has one maker, the others are told so."""

        def create(number: int) -> str:
            try:
                return registry.put(record(f"vm-{number % 10}", address=f"10.0.0.{number}")).uid
            except Conflict:
                return "conflict"

        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(create, range(80)))
        assert Counter(outcomes)["conflict"] == 70
        machines = registry.observe().machines
        assert {live.uid for live in machines.values()} == set(outcomes) - {"conflict"}
        assert len(machines) == 10

    def test_of_many_that_update_one_record_at_once_one_wins(self, registry: VMRegistry) -> None:
        """All start from one epoch; reports in between disturb none of them."""
        made = registry.put(record())

        def update(number: int) -> str:
            registry.report(key(), {"health": "healthy" if number % 2 else "unhealthy"})
            try:
                registry.put(record(weight=number), uid=made.uid, resource_version=made.resource_version)
            except Conflict:
                return "conflict"
            return "done"

        with ThreadPoolExecutor(8) as threads:
            assert Counter(threads.map(update, range(16))) == {"done": 1, "conflict": 15}

    def test_observations_while_others_write_end_with_the_truth(self, registry: VMRegistry) -> None:
        """A reader that reads only what changed misses nothing, in whichever order writers commit."""
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                registry.observe()

        def write(number: int) -> None:
            made = registry.put(record(f"vm-{number}"))
            registry.report(made.key, {"health": "healthy"})
            if number % 3 == 0:
                registry.delete(made.key, uid=made.uid, resource_version="")

        reader = threading.Thread(target=read)
        reader.start()
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(write, range(60)))
        stop.set()
        reader.join()
        observed = registry.observe().machines
        assert observed == {one: registry.get(one) for one in observed}
        assert observed.keys() == {key(f"vm-{number}") for number in range(60) if number % 3}

    def test_a_subscriber_is_told_of_every_kind_of_change(self, registry: VMRegistry) -> None:
        """Create, update, report and delete each call it, soon."""
        told = threading.Event()
        registry.subscribe(told.set)

        def hear() -> None:
            assert told.wait(SOON)
            told.clear()

        made = registry.put(record())
        hear()
        registry.put(record(address="10.0.0.2"), uid=made.uid)
        hear()
        registry.report(key(), {"health": "healthy"})
        hear()
        registry.delete(key(), uid=made.uid, resource_version="")
        hear()

    def test_a_watched_registry_shows_our_own_writes_at_once(self, registry: VMRegistry) -> None:
        """What a write returned is in the next observation, whether or not the watch has told of it yet."""
        registry.subscribe(lambda: None)
        registry.observe()
        for number in range(20):
            made = registry.put(record(f"vm-{number}"))
            assert registry.observe().machines[made.key] == made


class ServedContract(RegistryContract):
    """What a registry promises that a server of ours can keep."""

    def test_that_it_is_served_and_doubted_is_content(self, registry: ServedRegistry) -> None:
        """It is told with the next observation and to subscribers, takes no record away, and is kept once."""
        told = threading.Event()
        registry.put(record())
        before = registry.observe()
        assert (before.served, before.recovering) == (False, False)
        registry.subscribe(told.set)
        registry.serve(recovering=True)
        assert told.wait(SOON)
        doubted = registry.observe()
        assert (doubted.served, doubted.recovering, doubted.machines) == (True, True, before.machines)
        registry.serve(recovering=True)
        assert registry.observe().version == doubted.version
        registry.serve(recovering=False)
        assert (registry.observe().served, registry.observe().recovering) == (True, False)
