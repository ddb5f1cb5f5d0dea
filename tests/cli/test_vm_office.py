"""What a person says to the registry's server, by the command."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.main import main
from tests.registry.served import OPERATOR, Agent, Served, served


@pytest.fixture
def server() -> Iterator[Served]:
    """A server that nobody has joined yet."""
    with served() as running:
        yield running


def run(server: Served, folder: Path, *arguments: str) -> Result:
    """Run `vm` as an operator."""
    token = folder / "operator.token"
    token.write_text(OPERATOR)
    where = ("--operator-url", f"http://127.0.0.1:{server.port}", "--operator-token", str(token), "--data", str(folder))
    return CliRunner().invoke(main, ["vm", *arguments, *where], prog_name="reconciler")


def test_a_token_is_all_that_is_printed_and_lets_a_vm_in_until_it_is_revoked(server: Served, tmp_path: Path) -> None:
    """So it can be piped to the VM."""
    printed = run(server, tmp_path, "token", "shop/vm-1", "--address", "127.0.0.0/8", "--ttl", "5m")
    agent = Agent(server)
    assert (printed.exit_code, agent.join(printed.stdout.strip()).status) == (0, 201)
    assert run(server, tmp_path, "revoke", "shop/vm-1").output == "shop/vm-1 is revoked\n"
    assert agent.beat().status == 401


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
        (("token",), "name one VM, or a --group"),
        (("token", "--group", "shop/web"), "a token for a group needs an --address"),
    ):
        result = run(server, tmp_path, *arguments)
        assert (result.exit_code, words in result.output) == (1, True), result.output


def test_without_a_token_nothing_is_asked(tmp_path: Path) -> None:
    """And it is said what is missing."""
    result = CliRunner().invoke(main, ["vm", "end-recovery", "--data", str(tmp_path)], prog_name="reconciler")
    assert (result.exit_code, "name its file with --operator-token" in result.output) == (1, True)
