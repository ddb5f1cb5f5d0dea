"""What a person says to rollouts: `approve`, `pause`, `resume`, `abort`, `retry`, `undo`.

They are noted in the state store, and whoever runs the target carries them out: `serve` at its next look, or `apply`.
"""

import os
import pwd
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import take_settings, target_options
from reconciler.cli.show import failing
from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.core.rollouts.rollout import Rollout
    from reconciler.ports import Store
    from reconciler.settings import Settings

_DIGEST = re.compile("[0-9a-f]{64}")

reason_option = click.option("--reason", default="", help="Why; kept with the rollout.")


@click.command()
@click.argument("what", metavar="PLAN|ROLLOUT|UNIT")
@target_options
@click.option("--allow", multiple=True, metavar="NAME", help="Give this override for the plan, as the plan prints it.")
@click.option("--digest", default="", metavar="PLAN", help="Plan of the rollout that you have looked at; 12 digits are enough.")
@click.option("--reason", required=True, help="Why; kept with the approval.")
@failing
def approve(*, what: str, allow: tuple[str, ...], digest: str, reason: str, **options: Any) -> int:
    r"""Give named overrides for a plan, or let a rollout go on to its next step.

    With --allow it is about a PLAN, by its digest, before anything is written. Without, it is about the step that a rollout is
    in; it counts for the plan that you have looked at, and for that step alone.

    \b
    reconciler approve 3f2a... --allow wholesale:shop/billing --reason "agreed with the shop team"
    reconciler approve shop/billing --digest 3f2a61c09b7e --reason "the errors of step 2 are known"
    """
    with opened(take_settings(options)) as store:
        if allow:
            _override(store, what, allow, reason)
            return 0
        if _DIGEST.fullmatch(what):
            raise InvalidInput(
                "say which overrides to give for the plan (--allow NAME), or name the rollout whose step to approve"
            )
        from reconciler.rollouts.saying import chosen, plan_of

        rollout = chosen(store.rollouts, what)
        _tell(store, [rollout], "approve", reason, plan_of(rollout, what, digest))
    return 0


@click.command()
@click.argument("rollout", metavar="ROLLOUT|UNIT")
@target_options
@reason_option
@failing
def pause(*, rollout: str, reason: str, **options: Any) -> int:
    """Let a rollout go no further until `resume`. Gates stay armed, and what it has reached is kept up."""
    return _say("pause", rollout, reason, options)


@click.command()
@click.argument("rollout", metavar="ROLLOUT|UNIT")
@target_options
@reason_option
@failing
def resume(*, rollout: str, reason: str, **options: Any) -> int:
    """Let a paused rollout go on from where it is, also over what was changed by hand."""
    return _say("resume", rollout, reason, options)


@click.command()
@click.argument("rollout", required=False, default="", metavar="[ROLLOUT|UNIT]")
@target_options
@click.option("--all", "everything", is_flag=True, help="Every rollout of the target that has not ended.")
@reason_option
@failing
def abort(*, rollout: str, everything: bool, reason: str, **options: Any) -> int:
    """Take a rollout back at once: in the fewest lawful steps, without waiting for capacity."""
    if bool(rollout) == everything:
        raise InvalidInput("name the rollout or unit to abort, or say --all")
    if not everything:
        return _say("abort", rollout, reason, options)
    from reconciler.rollouts.saying import running

    with opened(take_settings(options)) as store:
        found = running(store.rollouts)
        _tell(store, found, "abort", reason)
    if not found:
        click.echo("no rollout is under way")
    return 0


@click.command()
@click.argument("rollout", metavar="ROLLOUT|UNIT")
@target_options
@reason_option
@failing
def retry(*, rollout: str, reason: str, **options: Any) -> int:
    """Try again what has failed: an undo from where it stands, refused content as a new attempt, with the rest of its group."""
    from reconciler.rollouts.saying import to_try_again

    with opened(take_settings(options)) as store:
        _tell(store, to_try_again(store.rollouts, rollout), "retry", reason)
    return 0


@click.command()
@click.argument("rollout", metavar="ROLLOUT|UNIT")
@target_options
@reason_option
@failing
def undo(*, rollout: str, reason: str, **options: Any) -> int:
    """Take a rollout back as its policy says, also long after it has succeeded."""
    return _say("undo", rollout, reason, options)


def _say(word: str, name: str, reason: str, options: dict[str, Any]) -> int:
    from reconciler.rollouts.saying import chosen

    with opened(take_settings(options)) as store:
        _tell(store, [chosen(store.rollouts, name)], word, reason)
    return 0


def _tell(store: "Store", rollouts: "Iterable[Rollout]", word: str, reason: str, digest: str = "") -> None:
    from reconciler.core.rollouts.seen import Word
    from reconciler.reports.safe import clean
    from reconciler.rollouts.saying import Said, say
    from reconciler.wiring import system_clock

    said = Said(Word(word), login(), reason, system_clock().now(), digest)
    for rollout in rollouts:
        click.echo(clean(say(store.rollouts, rollout, said)))


def _override(store: "Store", digest: str, names: tuple[str, ...], reason: str) -> None:
    from reconciler.ports import Override
    from reconciler.wiring import system_clock

    if not _DIGEST.fullmatch(digest):
        raise InvalidInput(f"{digest[:80]!r} is not a plan's digest: copy the 64 hexadecimal digits that `plan` prints")
    for name in names:
        store.override(Override(digest, name, login(), reason, system_clock().now()))
    click.echo(f"noted for plan {digest[:12]}: {', '.join(names)}")


def login() -> str:
    """Return who speaks: the user by the system's own list, whatever variables say, and the host."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = f"uid-{user}"
    return f"{name}@{socket.gethostname()}"


@contextmanager
def opened(settings: "Settings") -> "Iterator[Store]":
    """Open the state store for a while."""
    from reconciler.wiring import state_store

    store = state_store(settings)
    try:
        yield store
    finally:
        store.close()
