"""Observe or enforce: which mode one unit is in, and why.

Target setting, Namespaces and the unit's ServiceEntries each have a say, in Git or live (an annotation set by hand is a brake
that needs no commit); the stricter one wins.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.changes import State
from reconciler.core.plans import Mode
from reconciler.core.resources import Document, Key, ObservedState
from reconciler.core.wanted import MODE_ANNOTATION

_UNADOPTED = frozenset({State.NOT_ADOPTED, State.FOREIGN_TOOL})


@dataclass(frozen=True, slots=True)
class UnitMode:
    """The mode of a unit; `reasons` are the sentences that make it observe, empty in enforce."""

    mode: Mode
    reasons: tuple[str, ...] = ()


def unit_mode(
    setting: Mode,
    keys: Iterable[Key],
    wanted: Mapping[Key, Document],
    observed: ObservedState,
    states: Mapping[Key, State],
) -> UnitMode:
    """Return the mode of the unit with these objects.

    `states` holds the states of the unit's objects that are not in sync. A unit with an object that Git wants and that is not
    adopted yet is in observe: its other half must not change alone. Objects bound to no service (the base) depend on each
    other in no such way: pass no states for them.
    """
    unit = sorted(keys)
    reasons = ["the target is set to observe"] if setting is Mode.OBSERVE else []
    namespaces = dict.fromkeys(Key("Namespace", "", key.namespace or key.name) for key in unit)
    asked = [*namespaces, *(key for key in unit if key.kind == "ServiceEntry")]
    reasons += [reason for key in asked for reason in _annotated(key, wanted, observed)]
    reasons += [f"{key} is not adopted" for key in unit if states.get(key) in _UNADOPTED]
    return UnitMode(Mode.OBSERVE, tuple(reasons)) if reasons else UnitMode(Mode.ENFORCE)


def _annotated(key: Key, wanted: Mapping[Key, Document], observed: ObservedState) -> Iterator[str]:
    live = observed.get(key)
    documents = (("in Git", wanted.get(key)), ("in the cluster", live.document if live else None))
    for where, document in documents:
        text = (document["metadata"].get("annotations") or {}).get(MODE_ANNOTATION) if document else None
        if text == Mode.OBSERVE:
            yield f"{key} is set to observe {where}"
        elif text is not None and text != Mode.ENFORCE:
            # A slip of the pen on a brake must not release it.
            yield f"{key} is set to {text[:40]!r} {where}, which is neither observe nor enforce"
