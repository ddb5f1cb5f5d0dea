"""What a person types next: whole commands, in the order in which they are likely to be wanted."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from reconciler.core.changes import State
from reconciler.core.plans import Mode
from reconciler.core.report import Report, Verdict, Written
from reconciler.core.resources import Key
from reconciler.reports import safe

#: Commands of one sort that are told; the report names the others anyway.
FEW = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """One command, and what it does here."""

    command: str
    effect: str


def advice(report: Report, options: Sequence[str] = ()) -> tuple[Advice, ...]:
    """Return the commands that lead on from here. `options` are those that named the target, and are repeated."""
    return tuple(_advice(report, options))


def _advice(report: Report, options: Sequence[str]) -> Iterator[Advice]:
    match report.verdict:
        case Verdict.VALID | Verdict.IN_SYNC | Verdict.APPLIED:
            return
        case Verdict.INVALID:
            if report.command != "check" and any(problem.place for problem in report.errors):
                yield Advice("reconciler check FOLDER", "finds the same errors in a working copy, before a push")
        case Verdict.UNAVAILABLE:
            if report.command != "serve":
                yield Advice(_command(report.command, options), "tries again; a running service does so by itself")
        case Verdict.FAILED:
            unsure = " (writes whose outcome is unknown are read back first)" if report.written(Written.UNKNOWN) else ""
            if report.results and report.command != "serve":
                yield Advice(_command("apply", options), f"goes on with what was not done{unsure}")
        case Verdict.CHANGES | Verdict.REFUSED:
            yield from _decisions(report, options)
        case unreachable:
            assert_never(unreachable)


def _decisions(report: Report, options: Sequence[str]) -> Iterator[Advice]:
    """What goes on without anybody's word comes first, then each word that somebody may give."""
    plan = report.plan
    if plan and report.mode is Mode.ENFORCE and report.command != "serve" and any(unit.steps for unit in plan.units):
        if report.command == "diff":
            yield Advice(_command("plan", options), "shows the writes in order, and where traffic goes")
        else:
            yield Advice(_command("apply", options, "--digest", plan.digest), "carries out this plan and no other")
    overrides = list(dict.fromkeys(guard.override for guard in report.guards if guard.override))
    digest = plan.digest if plan else ""
    for name in overrides[:FEW]:
        if report.command == "serve":
            said = (digest, "--allow", name, "--reason", "WHY")
            yield Advice(_command("approve", options, *said), f"lets {safe.clean(name)} happen")
        else:
            chosen = ("--digest", digest, "--allow", name)
            yield Advice(_command("apply", options, *chosen), f"also lets {safe.clean(name)} happen")
    for key in [one.key for one in report.differences if one.state is State.NOT_ADOPTED][:FEW]:
        yield Advice(_command("apply", options, "--adopt", argument(key)), f"takes {safe.clean(str(key))} over")


def argument(key: Key) -> str:
    """Return a key as commands take it: ``Kind/namespace/name``."""
    return "/".join(part for part in (key.kind, key.namespace, key.name) if part)


def _command(name: str, options: Sequence[str], *more: str) -> str:
    return safe.clean(shlex.join(("reconciler", name, *options, *more)))
