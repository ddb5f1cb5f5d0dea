"""Options that several commands share, and how their values become `Settings`.

Every option here is also a setting in the file and an environment variable; an option that is not given leaves those alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

FORMS = click.Choice(["terminal", "json", "markdown", "html"])

_SETTINGS: tuple[Callable[[Any], Any], ...] = (
    click.option("--config", type=click.Path(path_type=Path), envvar="RECONCILER_CONFIG", help="Settings file (TOML)."),
    click.option("--repo", metavar="URL", help="Git repository: https, ssh or a local path.  [RECONCILER_REPO]"),
    click.option("--ref", metavar="REF", help="Branch, tag:NAME, semver:RANGE or commit:ID.  [default: main]"),
    click.option("--path", metavar="FOLDER", help="Folder of the repository with this target's manifests."),
    click.option("--target", metavar="NAME", help="Name of the target.  [default: default]"),
    click.option("--kubeconfig", metavar="FILE", help="Kubeconfig of the cluster."),
    click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
    click.option("--registry", metavar="URL", help="VM registry: sqlite:///FILE, postgresql://... or none."),
    click.option("--state", metavar="URL", help="State store: sqlite:///FILE or postgresql://..."),
    click.option("--data", metavar="FOLDER", help="Folder for mirror, caches and SQLite files."),
    click.option("--crds", metavar="FILE", help="CustomResourceDefinitions to validate against, not the cluster's."),
    click.option("--mode", type=click.Choice(["enforce", "observe"]), help="Observe writes nothing.  [default: enforce]"),
)


def target_options(command: Command) -> Command:
    """Add the options that say which target a command is about."""
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


def output_option(command: Command) -> Command:
    """Add ``-o``."""
    decorated: Command = click.option(
        "-o", "--output", "form", type=FORMS, default="terminal", show_default=True, help="Form of the report."
    )(command)
    return decorated


def take_settings(options: dict[str, Any]) -> Any:
    """Take the shared options out of a command's options and return the `Settings` that they make.

    A person on a command line may name a local repository; a service must be told so by ``git.allow_local``.
    """
    from reconciler.settings import load

    names = {parameter.name for parameter in _parameters()}
    given = {name: options.pop(name) for name in list(options) if name in names}
    config = given.pop("config", None)
    return load({name: value for name, value in given.items() if value is not None}, config)


def _parameters() -> list[click.Parameter]:
    @target_options
    def probe() -> None: ...

    parameters: list[click.Parameter] = probe.__click_params__  # type: ignore[attr-defined]
    return parameters
