"""`check`: validate a folder of manifests, offline."""

import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import DATA, FORMS, report_form
from reconciler.cli.show import failing, show

if TYPE_CHECKING:
    from rich.progress import Progress

    from reconciler.desired.checking import Stage

#: A stage of so many pieces takes long enough for a progress bar.
LONG = 1_000
#: Settings that mean something to a check, and those of Git among them.
_SETTINGS = ("crds", "data", "namespaces", "output", "strict_kinds")
_OF_GATES = ("gates", "people")
#: Where the context keeps what the settings file says of these.
_KNOWN = "reconciler.check"
_OF_GIT = ("kubectl", "max_files", "max_file_bytes", "max_total_bytes")


class _Names(click.ParamType[str]):
    """Namespaces, several of which an environment variable holds with commas or as a JSON list, as in the settings."""

    name = "name"

    def split_envvar_value(self, rv: str) -> list[str]:
        try:
            names = json.loads(rv)
        except ValueError:
            names = None
        return [str(name) for name in names] if isinstance(names, list) else rv.replace(",", " ").split()


def _read_config(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Let a settings file say what no option and no variable does. Reading `Settings` for a few values would take too long."""
    if path is None:
        return
    try:
        known = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} cannot be read: {error}") from error
    git = known.get("git")
    more = {name: git[name] for name in _OF_GIT if name in git} if isinstance(git, dict) else {}
    context.default_map = {name: known[name] for name in _SETTINGS if name in known} | more
    context.meta[_KNOWN] = {name: known[name] for name in _OF_GATES if name in known}


def _git_settings(command: Any) -> Any:
    """Let a check go by what the settings say of Git: what it has no option for either."""
    for name in _OF_GIT:
        sort = str if name == "kubectl" else click.IntRange(min=1)
        command = click.option(f"--git-{name}", name, type=sort, envvar=f"RECONCILER_GIT__{name.upper()}", hidden=True)(command)
    return command


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="RECONCILER_CONFIG",
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="Settings file (TOML).",
)
@click.option(
    "--crds",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="RECONCILER_CRDS",
    help="Your Istio's CustomResourceDefinitions (YAML or JSON), to hold every manifest against these too.",
)
@click.option("--strict-kinds", is_flag=True, envvar="RECONCILER_STRICT_KINDS", help="Refuse kinds that are not managed.")
@click.option(
    "--namespace",
    "namespaces",
    type=_Names(),
    multiple=True,
    envvar="RECONCILER_NAMESPACES",
    metavar="NAME",
    help="Allow this namespace and no other; may be given several times.  [default: all]",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=DATA,
    envvar="RECONCILER_DATA",
    help="Folder for the cache.",
)
@_git_settings
@report_form(*FORMS, "sarif", envvar="RECONCILER_OUTPUT")
@failing
def check(folder: Path, *, output: str | None, namespaces: tuple[str, ...], **options: Any) -> int:
    r"""Validate the manifests in DIR, offline: like Istio does, and what goes wrong between them.

    Tells every problem at once, with file, line, column and field, and ends with 1 if one of them is an error. What has not
    changed since the last check is not read again. Folders with a kustomization are rendered with kubectl first.

    \b
    reconciler check production
    reconciler check production -o sarif > check.sarif      for code scanning
    kubectl get crd -l app=istio-pilot -o json > crds.json  the CRDs of your own Istio
    reconciler check production --crds crds.json            hold the manifests against these, too
    """
    from reconciler.wiring import Offline, offline

    form = output or FORMS[0]
    data, crds = options.pop("data").expanduser(), options.pop("crds")
    said = {name: value for name, value in options.items() if value is not None}
    known = click.get_current_context().meta.get(_KNOWN)
    world = offline(folder, data, crds, Offline(namespaces=frozenset(namespaces) or None, settings=known, **said))
    with _bar(form) as stage, world as checker:
        report = checker.check(shown(folder), stage)
    if form == "sarif":
        from reconciler.cli.explain import codes
        from reconciler.reports import sarif

        click.echo(sarif.text(report, codes()))
    else:
        show(report, form)
    return report.verdict.exit_code


def shown(folder: Path) -> str:
    """Return the folder as places in it are shown: relative to the working directory where it lies below it."""
    path = os.path.relpath(folder)
    return path if not path.startswith("..") else str(folder)


@contextmanager
def _bar(form: str) -> "Iterator[Stage]":
    """Draw a progress bar for long stages on a terminal, on standard error, so that reports stay clean."""
    from reconciler.desired.checking import quiet

    if form != "terminal" or not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield stages(bar)


def stages(bar: "Progress") -> "Stage":
    """Return what adds a task to a progress bar for each long stage, and moves it in steps of a hundredth."""

    def stage(name: str, pieces: int) -> Callable[[], None]:
        if pieces < LONG:
            return lambda: None
        task, every, done = bar.add_task(name, total=pieces), pieces // 100, 0

        def tick() -> None:
            nonlocal done
            done += 1
            if done % every == 0 or done == pieces:
                bar.update(task, completed=done)

        return tick

    return stage
