"""The agent's configuration: what is read, and what is refused, all at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.agent.config import Config, InvalidConfig, config_of, read_config

URL = "https://registry.example.org:8443"


def test_what_a_file_says(tmp_path: Path) -> None:
    """Each name has its place; what is left out has the default that the module names."""
    path = tmp_path / "agent.json"
    path.write_text(json.dumps({"server": URL, "caFile": "/ca.pem", "stateDir": "/s", "addresses": ["10.0.0.5", "fd00::5"]}))
    assert read_config(path) == Config(
        "registry.example.org", 8443, ca_file="/ca.pem", state=Path("/s"), addresses=("10.0.0.5", "fd00::5")
    )
    assert config_of({"server": "https://registry", "leave": False, "allowExec": True}) == Config(
        "registry", 443, allow_exec=True, leave=False
    )


def test_plain_http_only_to_this_machine() -> None:
    """A credential in the clear on a network is nobody's any more."""
    assert not config_of({"server": "http://127.0.0.1:8080"}).secure
    assert not config_of({"server": "http://[::1]:8080"}).secure
    with pytest.raises(InvalidConfig, match="must be https"):
        config_of({"server": "http://10.0.0.1:8080"})


@pytest.mark.parametrize(
    "server",
    ["", "registry", "https://", "https://r:0", "https://r:x", "ftp://r", "https://u@r", "https://r/v1", "https://r?a"],
)
def test_servers_that_are_none(server: str) -> None:
    """A URL is host and port, and nothing that would be ignored."""
    with pytest.raises(InvalidConfig, match="server: "):
        config_of({"server": server})


def test_every_problem_at_once() -> None:
    """Who must edit a file wants to do it once."""
    document = {"sever": URL, "caFile": 1, "leave": "no", "addresses": ["10.0.0"], "keyFile": "/k"}
    with pytest.raises(InvalidConfig) as caught:
        config_of(document)
    assert [one.partition(":")[0] for one in caught.value.problems] == [
        "sever",
        "caFile",
        "leave",
        "addresses",
        "certFile and keyFile",
    ]


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_files_that_say_nothing(tmp_path: Path, text: str | None) -> None:
    """A file that is not there, no JSON or no object is named."""
    path = tmp_path / "agent.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidConfig, match=r"agent\.json"):
        read_config(path)
