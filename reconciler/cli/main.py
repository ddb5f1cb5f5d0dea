"""`reconciler`: the group of all commands. Each command's module is imported only when it runs, so that help is instant."""

import importlib
from typing import Any

import click

#: Command -> (module, one line for the list). The line stands here so that the list needs no import.
COMMANDS = {
    "check": ("check", "Validate a folder of manifests, offline."),
    "diff": ("cycle", "Show where cluster and registry differ from Git."),
    "plan": ("cycle", "Show what would be written, in order, and where traffic would go."),
    "apply": ("cycle", "Carry out the plan."),
    "serve": ("serve", "Reconcile continuously: poll Git, watch both stores."),
    "status": ("state", "Show the target's state: commit in force, last runs, what waits."),
    "history": ("state", "List past runs."),
    "approve": ("state", "Give a named override for one plan."),
    "recover": ("state", "Rebuild a lost state store from the marks in the cluster."),
    "release": ("state", "Hand objects over to another manager and take our marks away."),
    "init": ("init", "Copy the repository template to start from."),
    "demo": ("demo", "Run the whole job on an embedded mesh."),
    "completion": ("init", "Print the shell completion script."),
}


class Commands(click.Group):
    """A group that knows its commands by name and imports them on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"reconciler.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "auto_envvar_prefix": None},
    epilog="Exit codes: 0 nothing to do or all done, 1 error, 2 changes are due, 3 refused by a guard.",
)
@click.version_option(package_name="mesh-reconciler", prog_name="reconciler")
def main(**_: Any) -> None:
    r"""GitOps for Istio services that live half on VMs, half in Kubernetes.

    Compares a Git repository of mesh manifests with what the cluster and the VM registry hold, shows the difference, and brings
    both to it in a safe order.

    \b
    Start here:
      reconciler demo                     see the whole job on an embedded mesh
      reconciler init my-mesh             copy the repository template
      reconciler check my-mesh            validate it, offline
      reconciler diff --repo URL          compare; writes nothing
    """
