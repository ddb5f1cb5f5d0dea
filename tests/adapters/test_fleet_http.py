"""The VMs that have joined, asked of the registry's own server over a socket."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.adapters.fleet_http import HttpFleet
from reconciler.adapters.join_tokens_http import HttpJoinTokens
from reconciler.adapters.outbound.operators import OperatorSettings
from reconciler.core.drain import Drain
from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Key
from reconciler.errors import Rejected, Unavailable
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from tests.registry.served import OPERATOR, Agent, Served, served


@pytest.fixture
def server() -> Iterator[Served]:
    """A server that nobody has joined yet."""
    with served(ServerRules(DoorRules(OPERATOR))) as running:
        yield running


def settings(server: Served, folder: Path) -> OperatorSettings:
    """An operator's way to it."""
    token = folder / "operator"
    token.write_text(OPERATOR)
    return OperatorSettings(f"http://127.0.0.1:{server.port}", token)


def test_whoever_joins_with_a_token_is_listed_and_drained(server: Served, tmp_path: Path) -> None:
    """The server takes what is asked for a token, and shows what becomes of the VM."""
    operator = settings(server, tmp_path)
    fleet = HttpFleet(operator)
    vm = EnrolledVM("shop", "vm-1", "billing", "127.0.0.1", "billing")
    token = HttpJoinTokens(operator).issue(vm, ("127.0.0.1/32",), timedelta(hours=1))
    assert fleet.vms() == ()
    assert Agent(server).join(token).status == 201
    (found,) = fleet.vms()
    assert (found["name"], found["serviceAccount"], found["draining"], found["claimed"]) == ("vm-1", "billing", False, False)
    key = Key(VIRTUAL_MACHINE, "shop", "vm-1")
    for draining in (True, False):
        fleet.drain(key, draining=draining)
        assert fleet.vms()[0]["draining"] is draining
    fleet.drain(key, draining=True, within=timedelta(minutes=2))
    drain = Drain.read(fleet.vms()[0]["drain"])
    assert (drain.by, drain.until - drain.since) == ("operator@127.0.0.1", timedelta(minutes=2))


def test_refusals_and_silence_are_told_apart(server: Served, tmp_path: Path) -> None:
    """A VM that nobody knows, a token that is none, and a server that is not the registry's."""
    operator = settings(server, tmp_path)
    with pytest.raises(Rejected, match="does not drain shop/vm-9: HTTP status 404"):
        HttpFleet(operator).drain(Key(VIRTUAL_MACHINE, "shop", "vm-9"), draining=True)
    (tmp_path / "other").write_text("x" * 40)
    with pytest.raises(Rejected, match="does not list its VMs"):
        HttpFleet(OperatorSettings(operator.url, tmp_path / "other")).vms()
    with pytest.raises(Unavailable, match="without a list of VMs"):
        HttpFleet(OperatorSettings(f"{operator.url}/healthz?", operator.token_file)).vms()


def test_what_a_person_decides_reaches_the_server(server: Served, tmp_path: Path) -> None:
    """A token lets one in, a revocation out; where there is nothing to release or to end, that is said."""
    fleet, key = HttpFleet(settings(server, tmp_path)), Key(VIRTUAL_MACHINE, "shop", "vm-1")
    agent = Agent(server)
    assert agent.join(fleet.issue(key, ("127.0.0.0/8",), timedelta(minutes=1), "billing")).status == 201
    fleet.revoke(key)
    assert (agent.beat().status, fleet.vms()[0]["agentState"]) == (401, "revoked")
    with pytest.raises(Rejected, match=r"release the brake of all: HTTP status 404 \(not-found\)"):
        fleet.release_brake("all")
    with pytest.raises(Rejected, match=r"end its recovery: HTTP status 409 \(conflict\)"):
        fleet.end_recovery()
