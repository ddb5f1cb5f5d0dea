"""Rollouts in words: where each one is, its steps as rows, and what is new about it. Every form of a report shows these."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reconciler.core.gates.words import length
from reconciler.core.plans import Split
from reconciler.core.report import Report
from reconciler.core.rollouts.outlook import Outlook, Standing, StepOutlook
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.reports import safe, shares, words

HEADS = ("step", "exposure", "what changes", "predicted traffic", "Pods needed", "then waits for")
#: The mark of each step.
MARKS = {Standing.PASSED: "✓", Standing.CURRENT: "→", Standing.COMING: " "}
#: Steps shown of one rollout on a page, those about the current one; a terminal shows fewer.
STEPS = 30
#: Tones of rollouts that a person must see.
URGENT = ("wait", "bad")


@dataclass(frozen=True, slots=True)
class Row:
    """One step as cells, in the order of `HEADS`."""

    standing: Standing
    cells: tuple[str, ...]


def title(one: Outlook) -> str:
    """Return where a rollout is, ``soaking, step 2 of 3``, or would be if that were done: ``would begin step 1 of 3``."""
    if one.outcome is not Outcome.NONE:
        return f"{one.outcome}"
    at = next((number for number, step in enumerate(one.steps, 1) if step.standing is Standing.CURRENT), 0)
    where = f", step {at} of {len(one.steps)}" if at and one.phase not in (Phase.WAITING, Phase.WATCHING) else ""
    back = " on the way back" if one.back and one.phase is not Phase.UNDOING else ""
    if not one.foreseen:
        return f"{one.phase}{back}{where}"
    return f"would begin{where.replace(',', '')}" if one.phase is Phase.APPLYING else f"would be {one.phase}{back}{where}"


def about(one: Outlook) -> str:
    """Return what a rollout leads to: ``commit 1a2b3c4d5e, attempt 2``."""
    attempt = f", attempt {one.attempt}" if one.attempt > 1 else ""
    return safe.clean(f"commit {one.commit[:10]}{attempt}")


def tone(one: Outlook) -> str:
    """Return how urgent it is: ``bad``, ``wait`` (a person or a way back), ``good`` or empty."""
    if one.phase is Phase.HALTED:
        return "bad"
    if one.back or not one.moves:
        return "wait"
    return "good" if one.phase is Phase.WATCHING else ""


def progress(one: Outlook) -> float:
    """Return how much of its way a rollout has gone (0 to 1), all legs counted alike."""
    legs = dict.fromkeys(step.leg for step in one.steps)
    ahead = (Standing.COMING, Standing.CURRENT) if one.foreseen and one.phase is Phase.APPLYING else (Standing.COMING,)
    gone = {step.leg: float(step.exposure) for step in one.steps if step.standing not in ahead}
    return sum(gone.values()) / len(legs) if legs else 1.0


@dataclass(frozen=True, slots=True)
class News:
    """What is new about one rollout, in a line; `urgent` where a person must look."""

    text: str
    urgent: bool = False

    def __str__(self) -> str:
        return self.text


def news(report: Report, told: dict[str, str]) -> Iterator[News]:
    """Yield a line for each rollout that has moved or asks a person since it was last told of, and for each that is gone.

    `told` keeps what was told, by rollout, from one call to the next. A run that ended before its plan says nothing of them.
    """
    if report.plan is None:
        return
    for one in report.rollouts:
        asked = f"; {safe.clean(one.asked)}" if one.asked and not one.foreseen else ""
        line = f"{state(one)}{asked}"
        if told.get(one.id) != line:
            yield News(line, urgent=bool(asked) or tone(one) in URGENT)
        told[one.id] = line
    units = {safe.clean(one.unit) for one in report.rollouts}
    for gone in told.keys() - {one.id for one in report.rollouts}:
        unit = told.pop(gone).split(": ")[0]
        yield News(f"{unit}: {'another one took over' if unit in units else 'through'}")


def state(one: Outlook) -> str:
    """Return where a rollout is and why, in a line."""
    return safe.clean(
        f"{one.unit}: {', '.join(filter(None, (title(one), gone(one))))}{f': {one.reason}' if one.reason else ''}"
    )


def gone(one: Outlook) -> str:
    """Return how much of its way it has gone: ``50 %``, ``50 % of the way back``; empty for one that has ended."""
    if one.outcome is not Outcome.NONE:
        return ""
    return f"{100 * progress(one):.0f} %{' of the way back' if one.back else ''}"


def rows(one: Outlook) -> tuple[Row, ...]:
    """Return the steps; ``-`` stands where nobody asked for a prediction."""
    return tuple(_row(number, step) for number, step in enumerate(one.steps, 1))


def window(one: Outlook, most: int = STEPS) -> slice:
    """Return which rows to show where there are too many: some before the current step, most after it."""
    at = next((number for number, step in enumerate(one.steps) if step.standing is not Standing.PASSED), len(one.steps))
    first = max(0, min(at - 3, len(one.steps) - most))
    return slice(first, first + most)


def left_out(one: Outlook, most: int = STEPS) -> str:
    """Return how many steps `window` leaves out, empty where it leaves none out."""
    more = len(one.steps) - most
    return f"… and {words.counted(more, 'more step')}; the JSON report has them all" if more > 0 else ""


def before(one: Outlook) -> str:
    """Return where requests go before the first step, empty where nobody asked."""
    return _traffic(one.start)


def waits(one: Outlook) -> tuple[str, ...]:
    """Return what a rollout waits for, each once."""
    return tuple(dict.fromkeys(map(safe.clean, one.waits)))


def figures(one: Outlook) -> tuple[tuple[str, str], ...]:
    """Return what is known of the shares, each with a name: planned, written, observed, alone; and of the arms."""
    measured = [one.figures.measured] if one.figures and one.figures.measured and not one.foreseen else []
    return (
        *(("share", text) for text in shares.abreast(one)),
        *(("share", safe.clean(text)) for text in measured),
        *(("alone", text) for text in shares.left_alone(one)),
        *(("arms", text) for text in shares.arms(one)),
    )


def notes(one: Outlook) -> tuple[str, ...]:
    """Return what a person should know of the way and its steps, each once."""
    lacking = [f"step {number}: {step.lacks}" for number, step in enumerate(one.steps, 1) if step.lacks]
    retreat = [f"an undo would wait: {one.figures.retreat}"] if one.figures and one.figures.retreat else []
    unarmed = one.figures.unarmed if one.figures else ()
    found = [*one.notes, *(note for step in one.steps for note in step.notes), *lacking, *retreat, *unarmed]
    return tuple(dict.fromkeys(map(safe.clean, found)))


def _row(number: int, step: StepOutlook) -> Row:
    traffic = _traffic(step.split) or "-"
    cells = (str(number), words.percent(step.exposure), _changes(step), traffic, shares.needed(step) or "-", _asks(step))
    return Row(step.standing, cells)


def _traffic(splits: Sequence[Split]) -> str:
    """Services are named where there are several."""
    if len(splits) == 1:
        return words.split(splits[0])
    return safe.clean("; ".join(f"{one.service}:{one.port} {words.split(one)}" for one in splits))


def _changes(step: StepOutlook) -> str:
    kinds: dict[str, int] = {}
    for key in step.objects:
        kinds[key.kind] = kinds.get(key.kind, 0) + 1
    what = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if kind != "VirtualMachine")
    return safe.clean(f"{step.leg}: {what}" if what else f"{step.leg}")


def _asks(step: StepOutlook) -> str:
    parts = [*([length(step.hold)] if step.hold > timedelta(0) else []), "endpoints", *step.gates]
    parts += ["approval"] if step.approval else []
    parts += [f"{length(step.watch)} of watch"] if step.watch else []
    return safe.clean(", ".join(parts))
