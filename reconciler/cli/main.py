"""`reconciler`: the group of all commands. Each command's module is imported only when it runs, so that help is instant."""

import gc
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

import click
from click.shell_completion import CompletionItem

#: New objects before the youngest, and passes over these before older ones are searched for cycles of garbage.
COLLECT_AFTER = 20_000, 10, 10

Table = Mapping[str, tuple[str, str]]

#: Command -> (module, one line for the list). The line stands here so that the list needs no import.
COMMANDS: Table = {
    "check": ("check", "Validate a folder of manifests, offline."),
    "diff": ("cycle", "Show where cluster and registry differ from Git."),
    "plan": ("cycle", "Show what would be written, in order, and where traffic would go."),
    "apply": ("cycle", "Carry out the plan."),
    "serve": ("serve", "Reconcile continuously: poll Git, watch both stores."),
    "registry": ("registry", "Run the VM registry's server."),
    "status": ("state", "Show the target's state: commit in force, last runs, what waits."),
    "history": ("evidence", "List past runs and rollouts, or show a service at a moment."),
    "approve": ("rollouts", "Give a named override for one plan, or let a rollout go on."),
    "pause": ("rollouts", "Let a rollout go no further."),
    "resume": ("rollouts", "Let a paused rollout go on."),
    "abort": ("rollouts", "Take a rollout back at once, or all of them."),
    "retry": ("rollouts", "Try again what has failed."),
    "undo": ("rollouts", "Take a rollout back, also long after it has succeeded."),
    "hold": ("hold", "Keep all hands off a service for a while."),
    "replay": ("evidence", "Judge a rollout's gates again, with other thresholds."),
    "recover": ("state", "Rebuild a lost state store from the marks in the cluster."),
    "release": ("state", "Hand objects over to another manager and take our marks away."),
    "explain": ("explain", "Say what a problem code means."),
    "vm": ("vm", "Bring VMs into the mesh."),
    "agent": ("agent", "Run the agent of this VM, in the foreground."),
    "init": ("init", "Copy the repository template to start from."),
    "demo": ("demo", "Run the whole job on an embedded mesh."),
    "completion": ("init", "Print the shell completion script."),
}


class Commands(click.Group):
    """A group that knows its commands by the names in a table and imports them on use.

    A wrong use ends with 1 like every other error: click's 2 would say that changes are due.
    """

    def __init__(self, *args: Any, table: Table, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table
        _keep_layout(self)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._table:
            return None
        module = importlib.import_module(f"reconciler.cli.{self._table[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        _keep_layout(command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self._table and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(args[0], possibilities=self._table, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=line) for name, (_, line) in self._table.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _one_for_wrong_use():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_for_wrong_use():
            return super().invoke(ctx)


def _keep_layout(command: click.Command) -> None:
    """Let click know the mark of paragraphs to leave alone: in a raw docstring a backslash and a b, not the character."""
    if command.help:
        command.help = command.help.replace("\\b\n", "\b\n")


@contextmanager
def _one_for_wrong_use() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.show()
        raise click.exceptions.Exit(1) from error


@click.group(
    cls=Commands,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "auto_envvar_prefix": None},
    epilog="Exit codes: 0 nothing to do or all done, 1 error, 2 changes are due, 3 refused by a guard.",
)
@click.version_option(package_name="mesh-reconciler", prog_name="reconciler")
@click.pass_context
def main(context: click.Context, /, **_: Any) -> None:
    r"""GitOps for Istio services that live half on VMs, half in Kubernetes.

    Compares a Git repository of mesh manifests with what the cluster and the VM registry hold, shows the difference, and brings
    both to it in a safe order.

    \b
    Start here:
      reconciler demo                      see the whole job on an embedded mesh
      reconciler init my-mesh              copy the repository template
      reconciler check my-mesh/production  validate it, offline
      reconciler diff --repo URL           compare; writes nothing
      reconciler plan --repo URL           see the writes in order, and where traffic goes
      reconciler apply --repo URL          carry them out

    The options that name a target are also settings in a TOML file (--config FILE) and variables such as RECONCILER_REPO or
    RECONCILER_KUBECONFIG: what is set there need not be typed. An option wins over a variable, a variable over the file.
    """
    # Documents have no cycles; to look for some among them took a fifth of the time of a plan.
    gc.set_threshold(*COLLECT_AFTER)
    # A report of writes that were made must not die on an arrow that the terminal's encoding has not.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if context.invoked_subcommand not in ("serve", "agent", "registry"):  # which have a log
        from reconciler.cli.told import sentences

        context.with_resource(sentences())
