"""`explain`: what a problem code means."""

import importlib

import click

from reconciler.cli.show import failing, table
from reconciler.errors import InvalidInput, ProblemCode, SetupCode

#: Modules whose `Code` is a table of problem codes.
_TABLES = (
    "reconciler.core.manifests.codes",
    "reconciler.core.validation.codes",
    "reconciler.core.analysis.codes",
    "reconciler.core.standing",
    "reconciler.adapters.schemas_crd.codes",
    "reconciler.adapters.source_git.codes",
    "reconciler.adapters.tree.codes",
    "reconciler.core.plan",
    "reconciler.core.rollouts.obstacles",
    "reconciler.core.health.codes",
    "reconciler.core.groups.codes",
)


def codes() -> list[ProblemCode]:
    """Return every problem code that there is, in order."""
    tables: list[type[ProblemCode]] = [SetupCode, *(importlib.import_module(name).Code for name in _TABLES)]
    return sorted(code for one in tables for code in one)


@click.command()
@click.argument("code", nargs=-1)
@failing
def explain(*, code: tuple[str, ...]) -> int:
    r"""Say what problem codes mean, or list all of them. Codes are stable.

    \b
    reconciler explain MR1005
    """
    known = {str(one): one.meaning for one in codes()}
    asked = [text.upper() for text in code] or list(known)
    if unknown := [text for text in asked if text not in known]:
        raise InvalidInput(f"there is no code {', '.join(unknown)[:120]}: `reconciler explain` lists all")
    table(("code", "meaning"), [(text, known[text]) for text in asked])
    return 0
