"""Options that several commands share, and how their values become `Settings`.

Each option here is also a setting in the file and an environment variable; an option that is not given leaves those alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.errors import InvalidInput, SetupCode

if TYPE_CHECKING:
    from reconciler.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

#: Where mirror, caches and SQLite files are kept unless somebody says otherwise.
DATA = "~/.local/state/mesh-reconciler"

FORMS = ("terminal", "json", "markdown", "html")

_FILE = click.Path(dir_okay=False)

#: The options that say which target a command is about: name -> what click needs to know.
TARGET: dict[str, dict[str, Any]] = {
    "config": {
        "type": click.Path(dir_okay=False, path_type=Path),
        "envvar": "RECONCILER_CONFIG",
        "help": "Settings file (TOML).",
    },
    "repo": {"metavar": "URL", "help": "Git repository: https, ssh or a local path."},
    "ref": {"metavar": "REF", "help": "Branch, tag:NAME, semver:RANGE or commit:ID.  [default: main]"},
    "path": {"metavar": "FOLDER", "help": "Folder of the repository with the target's manifests.  [default: all of it]"},
    "target": {"metavar": "NAME", "help": "Name of the target: the mark on our objects.  [default: default]"},
    "kubeconfig": {"type": _FILE, "help": "Kubeconfig of the cluster.  [default: yours, or the Pod's own account]"},
    "context": {"metavar": "NAME", "help": "Context of the kubeconfig.  [default: its current one]"},
    "registry": {
        "metavar": "URL",
        "help": "VM registry: sqlite:///FILE, postgresql://..., consul://HOST or none.  [default: a file in --data]",
    },
    "state": {"metavar": "URL", "help": "State store: sqlite:///FILE or postgresql://...  [default: a file in --data]"},
    "data": {"type": click.Path(file_okay=False), "help": f"Folder for mirror, caches and SQLite files.  [default: {DATA}]"},
    "crds": {"type": _FILE, "help": "CustomResourceDefinitions to validate against.  [default: the cluster's]"},
    "mode": {"type": click.Choice(["enforce", "observe"]), "help": "observe writes nothing.  [default: enforce]"},
}


def some_options(*names: str) -> Callable[[Command], Command]:
    """Return what adds these of the options that say which target a command is about."""

    def add(command: Command) -> Command:
        for name in reversed(names):
            command = click.option(f"--{name}", **TARGET[name])(command)
        return command

    return add


target_options = some_options(*TARGET)


def report_form(*forms: str, **attributes: Any) -> Callable[[Command], Command]:
    """Return what adds ``-o``, the setting `output`, with these forms."""
    text = f"Form of the report.  [default: {FORMS[0]}]"
    return click.option("-o", "--output", type=click.Choice(forms), help=text, **attributes)


output_option = report_form(*FORMS)


def namespace_and_name(text: str) -> tuple[str, str]:
    """Return both parts of ``NAMESPACE/NAME``. Raises InvalidInput."""
    namespace, slash, name = text.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise InvalidInput(f"{text} must be NAMESPACE/NAME", code=SetupCode.OPTION)
    return namespace, name


def take_settings(options: dict[str, Any], **more: Any) -> "Settings":
    """Take the shared options out of a command's options; return the `Settings` that they and `more` make (None: not given).

    Raises InvalidInput.
    """
    from reconciler.settings import load

    given = {name: options.pop(name) for name in (*TARGET, "output") if name in options} | more
    config = given.pop("config", None)
    return load({name: value for name, value in given.items() if value is not None}, config)
