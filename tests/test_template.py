"""The repository template: what a team copies to start must be right from the first minute."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from reconciler.cli.init import template
from reconciler.cli.main import COMMANDS, main

TARGETS = ("production", "staging")
PIPELINES = (".github/workflows/mesh.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml")


def check(folder: Path, data: Path, *options: str) -> str:
    """Check a folder of the template and return the report; fails unless it is valid."""
    result = CliRunner().invoke(main, ["check", str(folder), "--data", str(data), *options])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("target", TARGETS)
def test_the_template_is_valid(target: str, tmp_path: Path) -> None:
    """Without a warning, and nothing in it is skipped."""
    output = check(template() / target, tmp_path, "--strict-kinds")
    assert ", 0 warnings, " in output
    assert "info: " not in output


@pytest.mark.parametrize("target", TARGETS)
def test_the_template_fits_istios_crds(target: str, tmp_path: Path) -> None:
    """Where a copy of them is at hand."""
    crds = Path(__file__).parents[2] / "shared" / "istio-crds" / "crd-all.gen.yaml"
    if not crds.is_file():
        pytest.skip("no copy of Istio's CRDs beside the project")
    assert ", 0 warnings, " in check(template() / target, tmp_path, "--crds", str(crds))


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a YAML document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_pipelines_call_commands_that_exist(name: str) -> None:
    """With options that exist."""
    lines = "\n".join(texts(yaml.safe_load((template() / name).read_text("utf-8")))).replace("\\\n", " ")
    calls = re.findall(r"reconciler (\w+)([^\n|&>]*)", lines)
    assert calls
    context = click.Context(main)
    for command, arguments in calls:
        assert command in COMMANDS
        known = main.get_command(context, command)
        assert known
        options = {option for parameter in known.params for option in parameter.opts}
        assert set(re.findall(r"(?<= )--?[a-z][a-z-]*", arguments)) <= options


def test_every_target_is_checked_by_the_pipelines() -> None:
    """A folder that nobody checks is found broken at night."""
    for name in PIPELINES:
        text = (template() / name).read_text("utf-8")
        assert all(f"reconciler check {target}" in text for target in TARGETS)
