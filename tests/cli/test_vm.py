"""The group of commands about VMs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from reconciler.cli.main import main
from reconciler.cli.vm import COMMANDS, vm
from reconciler.vms.agent_file import agent_file


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, arguments, prog_name="reconciler")


def test_help_lists_every_command() -> None:
    """With a line each."""
    output = run("vm", "--help").output
    for name, (_, line) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line[:30])}", output, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_person_can_learn_from_the_help(name: str) -> None:
    """Every command says what it does, every option too, and examples can be typed."""
    command = vm.get_command(click.Context(vm), name)
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}
    assert all(one.help for one in command.params if isinstance(one, click.Option))
    text = run("vm", name, "--help").output
    assert "\\b" not in text
    for line in text.splitlines():
        if line.strip().startswith("reconciler vm "):
            assert {word for word in line.split() if word.startswith("--")} <= options, line


def test_wrong_use_ends_with_one() -> None:
    """As everywhere; the near command is named."""
    result = run("vm", "agent-fil")
    assert (result.exit_code, "Did you mean 'agent-file'?" in result.output) == (1, True)


def test_the_agent_as_a_file(tmp_path: Path) -> None:
    """It can be run at once."""
    path = tmp_path / "agent.pyz"
    assert run("vm", "agent-file", str(path)).output == f"{path} is ready\n"
    assert path.read_bytes() == agent_file()
    assert os.access(path, os.X_OK)


def test_the_agent_from_an_installation(tmp_path: Path) -> None:
    """`reconciler agent` is the same agent: here it says what is wrong with its configuration."""
    path = tmp_path / "agent.json"
    path.write_text('{"server": "https://registry", "port": 1}')
    command = [sys.executable, "-m", "reconciler", "agent", "--config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, f"ERROR {path}: port: is not known\n")
