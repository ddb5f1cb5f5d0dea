"""`init` and `completion`: what a person runs once."""

import shlex
import shutil
from importlib.resources import files
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from reconciler.cli.main import main


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Copy the repository template to FOLDER (new or empty): targets, two services, CI files, a README."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.UsageError(f"{folder} exists and is not an empty folder; name another one")
    shutil.copytree(template(), folder, dirs_exist_ok=True)
    click.echo(f"{folder} is ready. Next:")
    click.echo(f"  cd {shlex.quote(str(folder))} && git init -b main && git add -A && git commit -m 'Start from the template'")
    click.echo("  reconciler check production")


def template() -> Path:
    """Return the template's folder: inside the installed package, or beside it in a source checkout."""
    packaged = Path(str(files("reconciler"))) / "_template"
    return packaged if packaged.is_dir() else packaged.parent.parent / "repo-template"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print the completion script of SHELL.

    \b
    bash:  eval "$(reconciler completion bash)"
    zsh:   eval "$(reconciler completion zsh)"
    fish:  reconciler completion fish | source
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(main, {}, "reconciler", "_RECONCILER_COMPLETE").source())
