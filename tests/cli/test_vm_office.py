"""What a person says to the registry's server, by the command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.cli.main import main
from reconciler.core.fleet.audit import Link
from tests.registry.served import OPERATOR, Agent, Served, served


@pytest.fixture
def server() -> Iterator[Served]:
    """A server that nobody has joined yet."""
    with served(fleet=Tampered()) as running:
        yield running


def run(server: Served, folder: Path, *arguments: str) -> Result:
    """Run `vm` as an operator."""
    token = folder / "operator.token"
    token.write_text(OPERATOR)
    where = ("--operator-url", f"http://127.0.0.1:{server.port}", "--operator-token", str(token), "--data", str(folder))
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, ["vm", *arguments, *where], prog_name="reconciler")


def test_a_token_is_all_that_is_printed_and_lets_a_vm_in_until_it_is_revoked(server: Served, tmp_path: Path) -> None:
    """So it can be piped to the VM."""
    printed = run(server, tmp_path, "token", "shop/vm-1", "--address", "127.0.0.0/8", "--ttl", "5m")
    agent = Agent(server)
    assert (printed.exit_code, agent.join(printed.stdout.strip()).status) == (0, 201)
    assert run(server, tmp_path, "revoke", "shop/vm-1").output == "shop/vm-1 is revoked\n"
    assert agent.beat().status == 401


def test_tokens_are_listed_and_withdrawn(server: Served, tmp_path: Path) -> None:
    """Not by their texts: who sees the list can join nothing."""
    text = run(server, tmp_path, "token", "shop/vm-1", "--address", "127.0.0.0/8").stdout.strip()
    run(server, tmp_path, "token", "--group", "shop/web", "--address", "127.0.0.0/8")
    listed = run(server, tmp_path, "tokens").output
    assert [word in listed for word in ("shop/vm-1", "a new member of shop/web", "127.0.0.0/8", "open")] == [True] * 4
    assert text.rpartition("_")[2] not in listed
    assert run(server, tmp_path, "withdraw", text.split("_")[1]).exit_code == 0
    assert Agent(server).join(text).body["code"] == "token-unknown"
    assert "withdrawn" in run(server, tmp_path, "tokens").output
    assert "HTTP status 404" in run(server, tmp_path, "withdraw", "../vms").output


def test_a_token_lets_a_vm_into_a_group(server: Served, tmp_path: Path) -> None:
    """It is named after its address; the networks of the group must be said."""
    printed = run(server, tmp_path, "token", "--group", "shop/web", "--address", "127.0.0.0/8")
    agent = Agent(server, "127.0.0.7")
    assert (printed.exit_code, agent.join(printed.stdout.strip()).status) == (0, 201)
    assert agent.workloads[0]["name"] == "web-127-0-0-7"


def test_what_cannot_be_is_said_and_ends_with_one(server: Served, tmp_path: Path) -> None:
    """Nothing to release, nothing to end, a name that is none."""
    for arguments, words in (
        (("release-brake", "namespace/shop"), "release the brake of namespace/shop: HTTP status 404"),
        (("end-recovery",), "end its recovery: HTTP status 409"),
        (("revoke", "vm-1"), "must be NAMESPACE/NAME"),
        (("token", "shop/VM"), "HTTP status 422"),
        (("token", "shop/vm-1", "--group", "shop/web"), "name one VM, or a --group"),
        (("token", "shop/vm-1", "--ttl", "8d"), "a token lives up to 7 days"),
        (("token",), "name one VM, or a --group"),
        (("token", "--group", "shop/web"), "a token for a group needs an --address"),
    ):
        result = run(server, tmp_path, *arguments)
        assert (result.exit_code, words in result.output) == (1, True), result.output


def test_without_a_token_nothing_is_asked(tmp_path: Path) -> None:
    """And it is said what is missing."""
    result = CliRunner().invoke(main, ["vm", "end-recovery", "--data", str(tmp_path)], prog_name="reconciler")
    assert (result.exit_code, "name its file with --operator-token" in result.output) == (1, True)


@pytest.mark.case("S-06", "L-06")
def test_the_audit_log_is_checked_from_where_it_was_cut(server: Served, tmp_path: Path) -> None:
    """Its end is shown, and what was found; an entry that was changed, and one that lacks at the end, end with one."""
    agent = Agent(server)
    agent.join(server.token())
    agent.beat()
    whole = run(server, tmp_path, "audit", "--last", "2")
    assert (whole.exit_code, "3 entries, each follows on the one before; the newest is 3" in whole.output) == (0, True)
    assert ("joined" in whole.output, "token-issued" in whole.output) == (True, False)
    assert server.fleet.cut(datetime.max.replace(tzinfo=UTC), 2) == 2
    shorter = run(server, tmp_path, "audit")
    assert (shorter.exit_code, "1 entries, each follows on the one before, those up to 2" in shorter.output) == (0, True)
    server.operate("POST", "/v1/vms/shop/vm-1/drain")
    assert isinstance(server.fleet, Tampered)
    for wrong, number in (("changed", 3), ("missing", 4)):
        server.fleet.wrong = wrong
        broken = run(server, tmp_path, "audit")
        assert (broken.exit_code, f"broken: entry {number} does not follow" in broken.output) == (1, True)


class Tampered(MemoryFleet):
    """A store whose audit log somebody has laid hands on."""

    wrong = ""

    def audit(self, after: int = 0, limit: int = 1000) -> tuple[Link, ...]:
        """Return the links as whoever has the database left them."""
        links = super().audit(after, limit)
        if self.wrong == "missing":
            return links[:-1] if after < 3 else ()
        return tuple(replace(one, entry=replace(one.entry, actor="eve")) if self.wrong else one for one in links)
