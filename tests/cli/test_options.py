"""Options that several commands share, and the settings that they make."""

from pathlib import Path
from typing import get_args

import click
import pytest
from click.testing import CliRunner

from reconciler.cli.options import DATA, FORMS, TARGET, output_option, report_form, take_settings, target_options
from reconciler.errors import InvalidInput
from reconciler.settings import Settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of the machine decide."""
    for name in [*Settings.model_fields, "config"]:
        monkeypatch.delenv(f"RECONCILER_{name.upper()}", raising=False)


def settings_of(*arguments: str) -> Settings:
    """Return the settings that these arguments make."""
    found: list[Settings] = []

    @click.command()
    @target_options
    @click.option("--own")
    def command(own: str | None, **options: object) -> None:
        found.append(take_settings(options, poll_interval=own))
        assert options == {}

    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return found[0]


def test_every_shared_option_is_a_setting() -> None:
    """Of the same name; only the settings file itself is none."""
    assert TARGET.keys() - {"config"} <= Settings.model_fields.keys()


def test_defaults_in_the_help_are_those_of_the_settings() -> None:
    """What the help claims happens."""
    settings = Settings()
    assert DATA in TARGET["data"]["help"]
    assert settings.data == Path(DATA).expanduser()
    for name in ("ref", "target", "mode"):
        assert f"[default: {getattr(settings, name)}]" in TARGET[name]["help"]


def test_options_become_settings() -> None:
    """Those that are given; all else stays as it is, whatever else a command passes."""
    settings = settings_of("--repo", "https://git.example.com/m.git", "--mode", "observe", "--own", "30s")
    assert (settings.repo, settings.mode, settings.ref) == ("https://git.example.com/m.git", "observe", "main")
    assert settings.poll_interval.total_seconds() == 30


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three places, one order."""
    file = tmp_path / "reconciler.toml"
    file.write_text('repo = "https://file"\nref = "file"\npath = "file"\n[git]\nusername = "file"\n')
    monkeypatch.setenv("RECONCILER_CONFIG", str(file))
    monkeypatch.setenv("RECONCILER_REF", "variable")
    monkeypatch.setenv("RECONCILER_PATH", "variable")
    settings = settings_of("--path", "option")
    assert (settings.repo, settings.ref, settings.path) == ("https://file", "variable", "option")
    assert settings.git.username == "file"


def test_wrong_settings_are_all_named() -> None:
    """With their names, never with their values."""
    with pytest.raises(InvalidInput) as raised:
        settings_of("--target", "Not A Name", "--config", "no-such-file")
    assert "no-such-file does not exist" in str(raised.value)
    with pytest.raises(InvalidInput) as raised:
        settings_of("--target", "Not A Name")
    assert [problem.field for problem in raised.value.problems] == ["target"]
    assert "Not A Name" not in str(raised.value)


def test_a_command_says_which_forms_it_knows() -> None:
    """And takes no other."""

    @click.command()
    @report_form("terminal", "sarif")
    def command(output: str | None) -> None:
        click.echo(str(output))

    for form in ("terminal", "sarif"):
        assert CliRunner().invoke(command, ["-o", form]).output.strip() == form
    assert CliRunner().invoke(command, ["-o", "json"]).exit_code == 2
    assert CliRunner().invoke(command).output.strip() == "None"


def test_the_form_of_reports_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every option that commands share: by variable or file where it is not given."""
    found: list[str] = []

    @click.command()
    @target_options
    @output_option
    def command(**options: object) -> None:
        found.append(take_settings(options).output)

    monkeypatch.setenv("RECONCILER_OUTPUT", "markdown")
    for arguments in ([], ["-o", "html"]):
        CliRunner().invoke(command, arguments, catch_exceptions=False)
    monkeypatch.delenv("RECONCILER_OUTPUT")
    CliRunner().invoke(command, catch_exceptions=False)
    assert found == ["markdown", "html", *FORMS[:1]]
    assert get_args(Settings.model_fields["output"].annotation) == FORMS
