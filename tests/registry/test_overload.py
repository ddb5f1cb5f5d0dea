"""More to do than can be done: agents are turned away, and nothing is held against them."""

import socket
from datetime import timedelta

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.core.fleet.leases import Pace
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from reconciler.registry.shedding import Bounds, spread
from tests.registry.served import OPERATOR, Agent, served
from tests.waiting import SOON, becomes

SECOND = timedelta(seconds=1)
QUICK = Pace(heartbeat=0.2 * SECOND, lease=3 * SECOND, sweep=0.5 * SECOND)
HEAD = b"POST /v1/join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


@pytest.mark.case("V-05")
def test_a_server_with_too_much_to_do_turns_agents_away() -> None:
    """503, a time to come again that is spread; operators and probes are let in."""
    with served(ServerRules(DoorRules(OPERATOR), bounds=Bounds(requests=0))) as server:
        replies = [Agent(server).beat() for _ in range(12)]
        assert {(reply.status, reply.body["code"]) for reply in replies} == {(503, "overloaded")}
        assert len({reply.headers["retry-after"] for reply in replies}) > 1
        assert server.ask("GET", "/healthz").status == server.operate("GET", "/v1/vms").status == 200


@pytest.mark.case("V-05", "L-07")
def test_who_was_turned_away_is_not_lost_for_it() -> None:
    """For two leases one request keeps all others out: nobody is lost. With it gone, silence counts again."""
    rules = ServerRules(DoorRules(OPERATOR), QUICK, bounds=Bounds(requests=1, longest=SOON))
    clock = SystemClock()
    with served(rules) as server:
        agent, silent = Agent(server), Agent(server, "127.0.0.2")
        assert agent.join(server.token()).status == silent.join(server.token("vm-2")).status == 201
        with socket.create_connection(("127.0.0.1", server.port), timeout=SOON) as slow:
            slow.sendall(HEAD)
            assert becomes(lambda: agent.beat().status == 503)
            ends = clock.monotonic() + 2 * QUICK.lease.total_seconds()
            while clock.monotonic() < ends:
                assert agent.beat().status == 503
                assert {server.vm(name)["presence"] for name in ("vm-1", "vm-2")} == {"present"}
        assert becomes(lambda: agent.beat().status == 200)
        assert becomes(lambda: (agent.beat(), server.vm("vm-2")["presence"])[1] == "lost")


def test_the_more_are_turned_away_the_later_they_come_again() -> None:
    """Up to a minute: whoever comes again too soon costs what others could be given."""
    assert [spread(refused, 100) for refused in (0, 100, 300)] == [10, 20, 40]
    assert spread(5000, 0) == 60
