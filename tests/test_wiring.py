"""Settings become what gates may ask, and where VMs are registered."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.gates.answers import AskHook
from reconciler.core.gates.reading import Library, Template
from reconciler.core.gates.spec import Role
from reconciler.errors import InvalidInput
from reconciler.settings import Settings, load
from reconciler.wiring import hook, library, metrics, registry_server, vm_registry
from tests.adapters.canned_http import CannedServer
from tests.contracts.clock import SetClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def settings(folder: Path, text: str) -> Settings:
    """Return the settings that a file has."""
    path = folder / "reconciler.toml"
    path.write_text(text)
    return load({}, path)


def test_without_settings_gates_can_ask_nobody(tmp_path: Path) -> None:
    """And Git may write queries itself."""
    own = settings(tmp_path, "")
    assert (metrics(own), hook(own), library(own)) == (None, None, Library())


def test_prometheus_is_asked_as_the_settings_say(tmp_path: Path) -> None:
    """With its token."""
    (tmp_path / "token").write_text("secret\n")
    with CannedServer() as server:
        server.answers(200, b'{"status": "success", "data": {"resultType": "vector", "result": []}}')
        own = settings(tmp_path, f'[gates]\nprometheus = "{server.url}"\nprometheus_token_file = "{tmp_path / "token"}"\n')
        asked = metrics(own)
        assert asked is not None
        assert asked.query("up", NOON).samples == ()
        assert server.asked[0].headers["authorization"] == "Bearer secret"


def test_consul_is_asked_as_the_settings_say(tmp_path: Path) -> None:
    """With its token."""
    (tmp_path / "token").write_text("secret\n")
    with CannedServer() as server:
        server.answers(200, b"[]", X_Consul_Index="5")
        text = f'registry = "consul://127.0.0.1:{server.port}"\n[consul]\ntoken_file = "{tmp_path / "token"}"\n'
        registry = vm_registry(settings(tmp_path, text), SetClock())
        assert registry is not None
        assert registry.observe().machines == {}
        assert {one.headers["x-consul-token"] for one in server.asked} == {"secret"}


@pytest.mark.parametrize("registry", ["none", "consul://127.0.0.1", "consul+https://consul.example.org"])
def test_the_registrys_server_needs_a_database(tmp_path: Path, registry: str) -> None:
    """What agents may do is kept in tables, which Consul has none of."""
    with (
        pytest.raises(InvalidInput, match="SQLite or PostgreSQL"),
        registry_server(settings(tmp_path, f'registry = "{registry}"\ndata = "{tmp_path}"\n')),
    ):
        pytest.fail("it serves")


def test_webhooks_are_asked_as_the_settings_say(tmp_path: Path) -> None:
    """Those on the list, signed by the secrets of these names."""
    (tmp_path / "secret").write_text("s3cret")
    with CannedServer() as server:
        secrets = f'[gates.webhook_secrets]\nshop = "{tmp_path / "secret"}"\n'
        own = settings(tmp_path, f'[gates]\nwebhooks = ["{server.url}/"]\n{secrets}')
        asked = hook(own)
        assert asked is not None
        question = AskHook(f"{server.url}/may-we", {}, timedelta(seconds=30), {}, "shop", NOON)
        assert asked.ask(question).status == 200
        assert server.asked[0].headers["x-mesh-reconciler-signature"].startswith("t=1772452800,v1=")


def test_the_operators_templates_are_read(tmp_path: Path) -> None:
    """With the switch for queries in Git."""
    own = settings(tmp_path, '[gates]\nfree_queries = false\n[gates.templates.errors]\nquery = "rate(x{a=$a}[$window])"\n')
    assert library(own) == Library({"errors": Template("rate(x{a=$a}[$window])")}, free_queries=False)


def test_people_are_read(tmp_path: Path) -> None:
    """Each login belongs to one of them, and no name can be taken for a login or an address."""
    zoe = '[people."Zoë Ohm"]\nlogins = ["zoe"]\nrole = "admin"\nemails = ["zoe@example.org"]\n'
    assert library(settings(tmp_path, zoe)).people.known("zoe@bastion") == ("Zoë Ohm <zoe@example.org>", Role.ADMIN)
    for wrong in ('[people.bob]\nlogins = ["zoe"]\n', '[people."b@c"]\nlogins = ["b"]\n', "[people.bob]\nlogins = []\n"):
        with pytest.raises(InvalidInput, match="people"):
            settings(tmp_path, zoe + wrong)


@pytest.mark.case("W-14")
@pytest.mark.parametrize("text", ['prometheus = "file:///etc/passwd"', 'prometheus = "http://x"\nnetworks = ["everywhere"]'])
def test_addresses_that_cannot_be_are_named(tmp_path: Path, text: str) -> None:
    """When the process starts."""
    own = settings(tmp_path, f"[gates]\n{text}\n")
    with pytest.raises(InvalidInput) as refused:
        metrics(own)
    assert refused.value.problems[0].code == "MR0801"
