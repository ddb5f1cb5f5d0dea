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


def advice(report: Report, options: Sequence[str] = (), decisions: Sequence[str] = ()) -> tuple[Advice, ...]:
    """Return the commands that lead on from here.

    `options` are those that named the target, `decisions` those with which a person decided something for this run (what to
    adopt, what to allow): both are repeated where they count, since the plan would be another one without them.
    """
    return tuple(_advice(report, options, decisions))


def _advice(report: Report, options: Sequence[str], decisions: Sequence[str]) -> Iterator[Advice]:
    match report.verdict:
        case Verdict.VALID | Verdict.IN_SYNC | Verdict.APPLIED:
            return
        case Verdict.INVALID:
            if report.command != "check" and any(problem.place for problem in report.errors):
                yield Advice("reconciler check FOLDER", "finds the same errors in a working copy, before a push")
        case Verdict.UNAVAILABLE:
            if report.command != "serve":
                yield Advice(_command(report.command, options, *decisions), "tries again; a running service does so by itself")
        case Verdict.FAILED:
            unsure = " (writes whose outcome is unknown are read back first)" if report.written(Written.UNKNOWN) else ""
            if report.results and report.command != "serve":
                yield Advice(_command("apply", options, *decisions), f"goes on with what was not done{unsure}")
        case Verdict.CHANGES | Verdict.REFUSED:
            yield from _decisions(report, options, decisions)
            yield from _words(report, options)
        case unreachable:
            assert_never(unreachable)


def _decisions(report: Report, options: Sequence[str], decisions: Sequence[str]) -> Iterator[Advice]:
    """What goes on without anybody's word comes first, then each word that somebody may give."""
    if report.results or report.reason:
        # What was planned is no longer what is left, and so the digest is another one.
        if report.command != "serve":
            yield Advice(_command("plan", options), "shows how things stand now, and what is left")
        return
    plan = report.plan
    enforced = plan if report.mode is Mode.ENFORCE and report.command != "serve" else None
    if report.command == "diff":
        # Where a rollout would begin, the plan has another digest, and other guards.
        if enforced and any(unit.steps or unit.held for unit in enforced.units):
            yield Advice(_command("plan", options), "shows the writes in order, and where traffic goes")
    else:
        if enforced and any(unit.steps for unit in enforced.units):
            chosen = (*decisions, "--digest", enforced.digest)
            yield Advice(_command("apply", options, *chosen), "carries out this plan and no other")
        yield from _overrides(report, options, decisions)
    # While a service runs, adoption is said in Git; in mode observe nothing would come of it.
    adopts = report.mode is Mode.ENFORCE and report.command != "serve"
    foreign = [one.key for one in report.differences if adopts and one.state is State.NOT_ADOPTED]
    if len(foreign) > 1:
        yield Advice(_command("plan", options, "--adopt", "all"), f"shows what taking all {len(foreign)} over would write")
    for key in foreign[:FEW]:
        yield Advice(_command("apply", options, "--adopt", argument(key)), f"takes {safe.clean(str(key))} over")


def _overrides(report: Report, options: Sequence[str], decisions: Sequence[str]) -> Iterator[Advice]:
    """Each name is a decision of its own. While `serve` runs, it is the writer, and is told instead."""
    names = list(dict.fromkeys(guard.override for guard in report.guards if guard.override))[:FEW]
    digest = report.plan.digest if report.plan else ""
    for name in names if report.command != "serve" else ():
        chosen = (*decisions, "--digest", digest, "--allow", name)
        yield Advice(_command("apply", options, *chosen), f"also lets {safe.clean(name)} happen")
    if names:
        allowed = [word for name in names for word in ("--allow", name)]
        yield Advice(
            _command("approve", options, digest, *allowed, "--reason", "WHY"), "tells a running service to let it happen"
        )


def _words(report: Report, options: Sequence[str]) -> Iterator[Advice]:
    """What leads on from rollouts that wait for a person; a diff is about drift alone."""
    for again in [one.retry for one in report.guards if one.retry][:FEW]:
        yield Advice(_command("retry", options, again, "--reason", "WHY"), "tries what was refused again, as a new attempt")
    waiting = [one for one in report.rollouts if one.asked or not one.moves] if report.command != "diff" else []
    if not waiting:
        return
    from reconciler.core.rollouts.rollout import DIGITS, Cause, Phase  # a check has no rollouts, and is sooner without

    for one in waiting[:FEW]:
        commit, why = one.commit[:10], ("--reason", "WHY")
        match one.phase:
            case _ if one.moves:
                chosen = (one.unit, "--digest", one.digest[:DIGITS], *why)
                yield Advice(_command("approve", options, *chosen), f"lets {safe.clean(one.unit)} go on to its next step")
            case Phase.PAUSED if one.cause is Cause.HOLD:
                yield Advice(_command("hold", options, one.unit, "--end"), f"ends the hold of {safe.clean(one.unit)}")
            case Phase.PAUSED:
                yield Advice(_command("resume", options, one.unit, *why), f"lets {safe.clean(one.unit)} go on from where it is")
                yield Advice(_command("abort", options, one.unit, *why), "takes it back at once")
            case Phase.HALTED:
                yield Advice(_command("retry", options, one.unit, *why), f"tries the way back of {safe.clean(one.unit)} again")
            case _:
                yield Advice(
                    _command("retry", options, one.unit, *why),
                    f"tries commit {commit} again for {safe.clean(one.unit)}, as a new attempt",
                )
                yield Advice(
                    safe.clean(shlex.join(("git", "revert", commit))),
                    "makes Git say what stands, so that nothing is left to do",
                )


def argument(key: Key) -> str:
    """Return a key as commands take it: ``Kind/namespace/name``."""
    return "/".join(part for part in (key.kind, key.namespace, key.name) if part)


def _command(name: str, options: Sequence[str], *more: str) -> str:
    return safe.clean(shlex.join(("reconciler", name, *options, *more)))
