"""The operator's settings: three places, one order, every mistake named."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from reconciler.errors import InvalidInput
from reconciler.settings import Settings, load
from tests import settings_table


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of the machine decide."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"RECONCILER_{name.upper()}", raising=False)


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    """Return what writes a settings file."""

    def write(text: str) -> Path:
        path = tmp_path / "reconciler.toml"
        path.write_text(text)
        return path

    return write


def problems(options: dict[str, object], config: Path | None = None) -> dict[str, str]:
    """Return what is wrong, by setting."""
    with pytest.raises(InvalidInput) as raised:
        load(options, config)
    return {problem.field: problem.message for problem in raised.value.problems}


def test_without_anything_set_the_defaults_hold() -> None:
    """Which are safe: conflicts are yielded, wholesale changes approved, local repositories and exec plugins refused."""
    settings = load({})
    assert (settings.conflicts, settings.wholesale, settings.git.allow_local, settings.allow_exec) == (
        "yield",
        "approve",
        False,
        False,
    )
    assert settings.folder == Path("~/.local/state/mesh-reconciler/default").expanduser()


def test_nested_settings_come_from_file_and_variable(config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place adds to the other, a variable wins."""
    monkeypatch.setenv("RECONCILER_GIT__USERNAME", "variable")
    settings = load({}, config('[git]\nusername = "file"\ntoken_file = "~/token"\n'))
    assert settings.git.username == "variable"
    assert settings.git.token_file == Path("~/token").expanduser()


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("1500ms", timedelta(seconds=1.5)),
        ("PT2M", timedelta(minutes=2)),
        (30, timedelta(seconds=30)),
    ],
)
def test_lengths_of_time_are_written_as_people_write_them(text: object, length: timedelta) -> None:
    """Or in seconds, or as ISO 8601 has it."""
    assert load({"poll_interval": text}).poll_interval == length


@pytest.mark.parametrize("text", ["5", "soon", "5 m", "-5m", "0s", "500ms", "999999999d9d", "1m1"])
def test_a_length_that_is_none_is_refused(text: str) -> None:
    """So is one that would make the loop spin."""
    assert "poll_interval" in problems({"poll_interval": text})


@pytest.mark.parametrize("text", ["shop,web", "shop, web", "shop web", '["shop", "web"]'])
def test_namespaces_may_be_listed_in_a_variable(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a person would, or as JSON."""
    monkeypatch.setenv("RECONCILER_NAMESPACES", text)
    assert load({}).namespaces == ("shop", "web")


def test_a_list_of_namespaces_in_the_file(config: Callable[[str], Path]) -> None:
    """Is a list."""
    assert load({}, config('namespaces = ["shop", "web"]')).namespaces == ("shop", "web")
    assert "namespaces" in problems({}, config("namespaces = 3"))


def test_every_mistake_is_named_at_once_and_no_value_is_shown(config: Callable[[str], Path]) -> None:
    """A value that is out of place may be a secret."""
    found = problems({"target": "Not-A-Name", "writers": 0}, config('modes = "hunter2"\n[git]\ntokenfile = "hunter2"\n'))
    assert found.keys() == {"target", "writers", "modes", "git.tokenfile"}
    assert not any(secret in message for message in found.values() for secret in ("hunter2", "Not-A-Name"))


def test_a_file_that_is_no_settings_file_is_refused(config: Callable[[str], Path], tmp_path: Path) -> None:
    """Not there, a folder, or no TOML."""
    assert "does not exist" in problems({}, tmp_path / "missing.toml")[""]
    assert "does not exist" in problems({}, tmp_path)[""]
    assert "cannot be read" in problems({}, config("mode ="))[""]


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes sets some for a Service named like us."""
    monkeypatch.setenv("RECONCILER_PORT", "tcp://10.0.0.1:80")
    monkeypatch.setenv("RECONCILER_SERVICE_HOST", "10.0.0.1")
    assert load({}).target == "default"


def test_the_readme_has_every_setting() -> None:
    """Its table is made from the settings; `make settings-table` brings it up to date."""
    readme = settings_table.README.read_text("utf-8")
    assert settings_table.written(readme) == readme, "run `make settings-table`"


def test_every_setting_is_explained() -> None:
    """By a sentence; the table has a row for each."""
    rows = settings_table.table().splitlines()[2:]
    own = Settings()
    nested = [value for name in Settings.model_fields if isinstance(value := getattr(own, name), BaseModel)]
    assert len(rows) == len(Settings.model_fields) + sum(len(type(one).model_fields) - 1 for one in nested)
    for row in rows:
        assert row.strip("| ").rpartition(" | ")[2].rstrip(" |").endswith(".")
