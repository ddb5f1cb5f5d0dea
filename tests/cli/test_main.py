"""The group of all commands: help, wrong use, completion."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from reconciler.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
#: What `--help` may import of ours; each module more is time before the first line.
HELP_IMPORTS = {"reconciler", "reconciler.cli", "reconciler.cli.main"}


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, arguments, prog_name="reconciler")


def commands() -> dict[str, click.Command]:
    """Return all commands, loaded."""
    context = click.Context(main, info_name="reconciler")
    return {name: command for name in COMMANDS if (command := main.get_command(context, name))}


def python(code: str) -> str:
    """Run code in a fresh process and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_help_lists_every_command() -> None:
    """With a line each, and the exit codes."""
    result = run("--help")
    assert result.exit_code == 0
    for name, (_, line) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line[:30])}", result.output, re.MULTILINE)
    assert "Exit codes: 0 nothing to do" in result.output


def test_help_imports_next_to_nothing() -> None:
    """So that it answers at once; commands are imported when they run."""
    code = (
        "import sys; from reconciler.cli.main import main; main(['--help'], standalone_mode=False); "
        "print('LOADED', *(name for name in sys.modules if name.partition('.')[0] in "
        "('reconciler', 'pydantic', 'rich', 'yaml', 'sqlalchemy', 'kubernetes', 'jinja2', 'asyncio')))"
    )
    loaded = python(code).partition("LOADED ")[2].split()
    assert set(loaded) <= HELP_IMPORTS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_person_can_learn_from_the_help(name: str) -> None:
    """Every command says what it does, every option too; marks of layout are not shown."""
    command = commands()[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, parameter.name
    text = run(name, "--help").output
    assert "\\b" not in text
    assert len(text.splitlines()) > 5


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_can_be_typed(name: str) -> None:
    """Commands and options in an example exist."""
    known = commands()
    for line in (known[name].help or "").splitlines():
        words = line.strip().split()
        if words[:1] == ["reconciler"]:
            assert words[1] in known, line
            options = {option for parameter in known[words[1]].params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, line


def test_a_misspelt_command_is_corrected() -> None:
    """The near one is named, and the exit code is that of an error: 2 would mean that changes are due."""
    result = run("chekc", "folder")
    assert result.exit_code == 1
    assert "No such command 'chekc'. Did you mean 'check'?" in result.output


@pytest.mark.parametrize("arguments", [["--nosuch"], ["check"], ["check", "--crd", "x", "."], ["diff", "-o", "yaml"], []])
def test_wrong_use_ends_with_one(arguments: list[str]) -> None:
    """Whatever is wrong with it."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert "Usage: reconciler" in result.output


def test_it_runs_as_a_module() -> None:
    """Where the command is not on the path."""
    done = subprocess.run([sys.executable, "-m", "reconciler", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: reconciler ")


def test_a_terminal_that_lacks_a_character_gets_another(tmp_path: Path) -> None:
    """An old encoding is no reason to end without a word."""
    (tmp_path / "kündigung.yaml").write_text("kind: [")
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "check", str(tmp_path), "--data", str(tmp_path / ".data")],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "k?ndigung.yaml:2:1: error: " in done.stdout


def complete(shell: str, words: str, at: int) -> list[str]:
    """Ask for completions as the shell's script does, and return the words offered."""
    current = [*words.split(), ""][at]
    asked = {"COMP_WORDS": words, "COMP_CWORD": current if shell == "fish" else str(at)}
    done = subprocess.run(
        [sys.executable, "-m", "reconciler"],
        cwd=ROOT,
        env={**os.environ, **asked, "_RECONCILER_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    if shell == "zsh":
        return lines[1::3]
    return [re.split(r"[\t]", line.partition(",")[2])[0] for line in lines]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_speaks_the_protocol_of_the_shell(shell: str) -> None:
    """Commands, options and values are offered."""
    assert complete(shell, "reconciler re", 1) == ["registry", "resume", "retry", "replay", "recover", "release"]
    assert complete(shell, "reconciler check --str", 2) == ["--strict-kinds"]
    assert complete(shell, "reconciler check -o s", 3) == ["sarif"]
    assert complete(shell, "reconciler completion ", 2) == ["bash", "zsh", "fish"]


def test_completing_a_command_imports_no_command() -> None:
    """A tab is answered as fast as help."""
    code = (
        "import sys, click; from reconciler.cli.main import main; "
        "assert main.shell_complete(click.Context(main), ''); "
        "print(*(name for name in sys.modules if name.startswith('reconciler')))"
    )
    assert set(python(code).split()) <= HELP_IMPORTS


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_that_shells(shell: str) -> None:
    """It names the variable by which the shell asks."""
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_RECONCILER_COMPLETE={shell}_complete" in result.output


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    """The script in a real bash, with the command on its path."""
    command = tmp_path / "reconciler"
    command.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m reconciler "$@"\n')
    command.chmod(0o755)
    script = (
        'eval "$(reconciler completion bash)" && COMP_WORDS=(reconciler sta) COMP_CWORD=1 '
        '&& _reconciler_completion reconciler && echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script],  # noqa: S607 - the shell on the path is what is tested
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["status"]
