"""The shares of rollouts in words and as JSON: planned, written, observed, left alone, and the Pods that they take."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from reconciler.core.rollouts.capacity import Need
from reconciler.core.rollouts.outlook import Outlook, StepOutlook
from reconciler.core.rollouts.values import ArmFigures, Figures, LeftAlone, ShareFigures
from reconciler.core.scaling import Scaler
from reconciler.reports import safe, words

#: A share that the proxies may not have got yet was not observed.
_UNKNOWN = "not yet in force at the proxies"
#: Weights are whole numbers: by so much a step may miss its exposure anyhow.
_NEAR = Fraction(2, 100)
#: So many workloads of an arm are named.
_FEW = 3


def abreast(one: Outlook) -> tuple[str, ...]:
    """Return for each service that VMs and Pods divide the share as planned, written and observed."""
    found = one.figures.shares if one.figures and not one.foreseen else ()
    return tuple(
        safe.clean(
            f"{each.service}: planned {_pair(each.planned)}; written {_pair(each.written)}; "
            + (f"observed {_pair(each.observed)}, by the endpoints that are ready" if each.observed is not None else _UNKNOWN)
        )
        for each in found
    )


def _pair(machines: Fraction | None) -> str:
    return "no endpoint" if machines is None else f"vm {words.percent(machines)}, pod {words.percent(1 - machines)}"


def left_alone(one: Outlook) -> tuple[str, ...]:
    """Return for each service how far its steps would go if the reconciler were stopped, with all Pods that may run."""
    found: dict[tuple[str, str, int], list[LeftAlone]] = {}
    for each in one.figures.left_alone if one.figures else ():
        found.setdefault((each.service, each.scaler, each.pods), []).append(each)
    return tuple(safe.clean(_alone(*of, steps)) for of, steps in found.items())


def _alone(service: str, scaler: str, pods: int, steps: Sequence[LeftAlone]) -> str:
    off = [each for each in steps if abs(each.exposure - each.planned) > _NEAR]
    reached = [f"step {each.step + 1} {words.percent(each.exposure)} instead of {words.percent(each.planned)}" for each in off]
    cure = "; strategy subsets keeps shares however many run" if any(each.exposure > each.planned for each in off) else ""
    said = ", ".join(reached) or "each step stays as it is"
    return f"with the reconciler stopped and {scaler} of {service} at its maximum of {pods:,} Pods: {said}{cure}"


def arms(one: Outlook) -> tuple[str, ...]:
    """Return for each service whether its gates can tell canary from stable, and if not, what a person does about it."""
    return tuple(safe.clean(_told_apart(each)) for each in (one.figures.arms if one.figures else ()))


def _told_apart(one: ArmFigures) -> str:
    if one.why:
        return f"{one.service}: gates cannot tell canary from stable: {one.why}"
    return f"{one.service}: gates tell canary ({_few(one.canary)}) from stable ({_few(one.stable)}) by workload"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW:,} more" if len(names) > _FEW else "")


def needed(step: StepOutlook) -> str:
    """Return the Pods that a step needs beside those that there are: ``6 (2 ready, HPA 2-10)``."""
    several = len(step.needs) > 1
    return safe.clean("; ".join(f"{f'{one.service} ' if several else ''}{_need(one)}" for one in step.needs))


def _need(one: Need) -> str:
    who = [f"HPA {each.minimum:,}-{each.maximum:,}" for each in one.scale.automatic]
    return f"{one.pods:,} ({', '.join((f'{one.ready:,} ready', *who))})"


def need(one: Need) -> dict[str, Any]:
    """Return the Pods that a step needs, with who scales them."""
    scalers = [_scaler(each) for each in one.scale.scalers]
    return {"service": one.service, "pods": one.pods, "ready": one.ready, "share": _share(one.share), "scalers": scalers}


def figures(one: Figures) -> dict[str, Any]:
    """Return what a look has found out of shares, with its time."""
    return {
        "at": one.at.isoformat().replace("+00:00", "Z"),
        "shares": [_side_by_side(each) for each in one.shares],
        "retreat": one.retreat,
        "measured": one.measured,
        "unarmed": list(one.unarmed),
        "arms": [_arms(each) for each in one.arms],
        "leftAlone": [_by_itself(each) for each in one.left_alone],
    }


def _scaler(one: Scaler) -> dict[str, Any]:
    bounds = {"minimum": one.minimum, "maximum": one.maximum, "desired": one.desired}
    return {"name": one.name, "automatic": one.automatic, **bounds}


def _side_by_side(one: ShareFigures) -> dict[str, Any]:
    found = {"planned": one.planned, "written": one.written, "observed": one.observed}
    return {"service": one.service, **{name: _share(share) for name, share in found.items()}}


def _arms(one: ArmFigures) -> dict[str, Any]:
    named = {"canary": list(one.canary), "stable": list(one.stable)}
    return {"service": one.service, "apart": not one.why, **named, "why": one.why}


def _by_itself(one: LeftAlone) -> dict[str, Any]:
    exposures = {"planned": _share(one.planned), "exposure": _share(one.exposure)}
    return {"service": one.service, "scaler": one.scaler, "pods": one.pods, "step": one.step + 1, **exposures}


def _share(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share), 6)
