"""What every store of a fleet promises."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.drain import Drain
from reconciler.core.fleet.audit import BEGINNING, Entry, Extent, broken_at
from reconciler.core.fleet.damping import Damping
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.rows import identity
from reconciler.core.fleet.values import Agent, AgentState, Fleet, Presence, Row, Sign, Token, Workload
from reconciler.core.records import Health
from reconciler.errors import Conflict
from reconciler.ports import FleetStore

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

TOKEN = Token("t1", "d" * 64, "shop", "vm-1", NOON, NOON + MINUTE, "billing", ("10.0.0.0/8", "fd00::/8"))
AGENT = Agent("a1", NOON, NOON, 3, "n", AgentState.LOCKED, "10.0.0.1", ("10.0.0.0/8",), {"agent": "1.0"})
WORKLOAD = Workload(
    "shop",
    "vm-1",
    4,
    "a1",
    "billing",
    Health.UNHEALTHY,
    Health.HEALTHY,
    "probe failed: ü",
    Damping(2.25, NOON, held_out=True),
    draining=True,
    presence=Presence.LOST,
    departed=NOON,
    planned=True,
    drain=Drain("operator@10.0.0.9", NOON, NOON + MINUTE),
)
FLEET = Fleet(NOON, {"all": "2026-03-01T12:00:00+00:00"})


def bare(row: Row) -> Row:
    """Return a row without its version."""
    return replace(row, version=0)


class FleetContract:
    """Derive from it and give a fixture `fleet`."""

    def test_nothing_is_there_at_first(self, fleet: FleetStore) -> None:
        """No rows, no signs, no audit."""
        assert (fleet.changes().version, fleet.changes().rows) == (0, ())
        assert fleet.signs() == {}
        assert fleet.audit() == ()

    def test_rows_come_back_as_they_were(self, fleet: FleetStore) -> None:
        """Of every kind, each field, in the order in which they were written, with versions that grow."""
        stored = fleet.save(Decision((TOKEN, AGENT, WORKLOAD, FLEET)))
        assert tuple(map(bare, stored)) == (TOKEN, AGENT, WORKLOAD, FLEET)
        changes = fleet.changes()
        assert changes.rows == stored
        assert [row.version for row in stored] == [1, 2, 3, 4]
        assert changes.version == 4

    def test_a_reader_reads_only_what_is_new(self, fleet: FleetStore) -> None:
        """A row that was written again is there once, as it is now."""
        first, _ = fleet.save(Decision((AGENT, WORKLOAD)))
        assert isinstance(first, Agent)
        since = fleet.changes().version
        assert fleet.changes(since).rows == ()
        (second,) = fleet.save(Decision((replace(first, counter=9),)))
        assert fleet.changes(since).rows == (second,)
        assert len(fleet.changes().rows) == 2

    def test_a_write_on_an_old_version_conflicts_and_leaves_nothing(self, fleet: FleetStore) -> None:
        """All rows and audit entries of a decision, or none."""
        (agent,) = fleet.save(Decision((AGENT,), (Entry(NOON, "ann", "made", "a1"),)))
        assert isinstance(agent, Agent)
        fleet.save(Decision((replace(agent, counter=4),)))
        before = fleet.changes()
        with pytest.raises(Conflict, match="agent a1 was written by somebody else"):
            fleet.save(Decision((TOKEN, replace(agent, counter=5)), (Entry(NOON, "bob", "made", "a1"),)))
        assert fleet.changes() == before
        assert len(fleet.audit()) == 1

    def test_a_row_that_is_there_is_not_made_again(self, fleet: FleetStore) -> None:
        """Version 0 means that there was none."""
        fleet.save(Decision((WORKLOAD,)))
        with pytest.raises(Conflict, match="workload shop/vm-1"):
            fleet.save(Decision((WORKLOAD,)))

    @pytest.mark.case("V-02", "V-03")
    def test_of_many_that_use_one_token_at_once_one_wins(self, fleet: FleetStore) -> None:
        """Eight threads, one token, one name: the others hear that it was used meanwhile."""
        (token,) = fleet.save(Decision((TOKEN,)))
        assert isinstance(token, Token)

        def use(number: int) -> str:
            rows = (replace(token, used_by=f"a{number}"), replace(WORKLOAD, agent=f"a{number}"))
            try:
                fleet.save(Decision(rows, (Entry(NOON, "token/t1", "joined", f"a{number}"),)))
            except Conflict:
                return "conflict"
            return f"a{number}"

        with ThreadPoolExecutor(8) as threads:
            outcomes = Counter(threads.map(use, range(24)))
        assert outcomes["conflict"] == 23
        (winner,) = outcomes.keys() - {"conflict"}
        rows = {identity(row): row for row in fleet.changes().rows}
        used, workload = rows["token", "t1"], rows["workload", "shop/vm-1"]
        assert isinstance(used, Token)
        assert isinstance(workload, Workload)
        assert (used.used_by, workload.agent, [link.entry.subject for link in fleet.audit()]) == (winner, winner, [winner])

    def test_signs_of_life_are_no_writes(self, fleet: FleetStore) -> None:
        """Of each agent the newest stays, whichever comes last, and no version moves."""
        fleet.save(Decision((AGENT,)))
        before = fleet.changes()
        old, new = Sign(NOON, MINUTE), Sign(NOON + MINUTE, 2 * MINUTE)
        fleet.sign({"a1": new, "a2": old})
        fleet.sign({"a1": old, "a2": new})
        fleet.sign({})
        assert fleet.signs() == {"a1": new, "a2": new}
        assert fleet.changes() == before

    @pytest.mark.case("S-06")
    def test_the_audit_log_is_one_chain(self, fleet: FleetStore) -> None:
        """Entries of many writers at once are linked one after the other, and read page by page."""

        def write(number: int) -> None:
            fleet.save(Decision((), (Entry(NOON, "ann", "first", str(number)), Entry(NOON, "ann", "second", str(number)))))

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(write, range(12)))
        links = fleet.audit()
        assert broken_at(links) is None
        assert links[0].before == BEGINNING
        assert [link.number for link in links] == list(range(1, 25))
        assert fleet.audit(20, 2) == links[20:22]
        assert all(one.entry.subject == two.entry.subject for one, two in zip(links[::2], links[1::2], strict=True))

    def test_what_is_gone_goes_in_the_same_write(self, fleet: FleetStore) -> None:
        """With an agent its sign of life; what is gone already is no conflict, what was written meanwhile is one."""
        token, agent, workload = fleet.save(Decision((TOKEN, AGENT, WORKLOAD)))
        fleet.sign({"a1": Sign(NOON, MINUTE), "a2": Sign(NOON, MINUTE)})
        assert isinstance(workload, Workload)
        (written,) = fleet.save(Decision((replace(workload, reason="later"),)))
        with pytest.raises(Conflict, match="workload shop/vm-1 was written by somebody else"):
            fleet.save(Decision((FLEET,), (Entry(NOON, "registry", "forgotten", "fleet"),), (token, agent, workload)))
        assert (len(fleet.changes().rows), len(fleet.audit()), set(fleet.signs())) == (3, 0, {"a1", "a2"})
        for _ in range(2):
            fleet.save(Decision((), (Entry(NOON, "registry", "forgotten", "fleet"),), (token, agent)))
        assert fleet.changes().rows == (written,)
        assert (set(fleet.signs()), len(fleet.audit())) == ({"a2"}, 2)

    @pytest.mark.case("S-06", "L-06")
    def test_a_log_that_was_cut_is_still_one_chain(self, fleet: FleetStore) -> None:
        """The oldest entries go, so many at most, never one that is not from before; what the first one follows on stays."""
        assert (fleet.extent(), fleet.cut(NOON, 10)) == (Extent(), 0)
        for number in range(9):
            fleet.save(Decision((), (Entry(NOON + number * MINUTE, "ann", "drain", f"vm-{number}"),)))
        whole = fleet.audit()
        assert [fleet.cut(NOON + 4 * MINUTE, 3), fleet.cut(NOON + 4 * MINUTE, 3), fleet.cut(NOON + 4 * MINUTE, 3)] == [3, 1, 0]
        assert fleet.audit() == whole[4:]
        assert fleet.extent() == Extent(whole[3].mark, whole[8].mark)
        assert broken_at(fleet.audit(), fleet.extent().cut) is None
        assert broken_at(fleet.audit()) == 1
        fleet.save(Decision((), (Entry(NOON, "ann", "undrain", "vm-0"),)))
        assert fleet.cut(NOON + timedelta(days=1), 100) == 6
        assert (fleet.audit(), fleet.extent().cut) == ((), fleet.extent().newest)
        fleet.save(Decision((), (Entry(NOON, "ann", "drain", "vm-0"),)))
        assert broken_at(fleet.audit(), fleet.extent().cut) is None
        assert fleet.audit()[0].number == 11
