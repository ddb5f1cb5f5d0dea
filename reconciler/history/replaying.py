"""A rollout's gates judged again, with some settings changed: ``GATE.min=0.98``."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from reconciler.core.gates.reading import Library, gates_of
from reconciler.core.manifests.shape import shape_problems
from reconciler.core.resources import Document
from reconciler.core.rollouts.records import Evidence
from reconciler.core.rollouts.replay import Replayed, replay
from reconciler.core.rollouts.rollout import Rollout
from reconciler.errors import InvalidInput, SetupCode
from reconciler.ports import RolloutStore

#: Pieces of evidence that are read at once.
_PAGE = 1_000
#: What a gate says beside what it asks: settings of these names are not looked for in the question.
_ABOUT = frozenset("mode warmup interval consecutive failures deadline staleAfter onNoData onError onInconclusive".split())


def replayed(kept: RolloutStore, rollout: Rollout, changed: Iterable[str], library: Library) -> tuple[Replayed, ...]:
    """Return every look of a rollout that is kept, judged with its own settings but those changed. Raises InvalidInput."""
    documents = altered(rollout.policy.gates, changed)
    gates = {gate.name: gate for gate in gates_of({"gates": list(documents.values())}, library)}
    return tuple(replay(all_evidence(kept, rollout.id), gates))


def all_evidence(kept: RolloutStore, rollout: str) -> Iterator[Evidence]:
    """Yield all evidence of a rollout, oldest first."""
    after = 0
    while found := kept.evidence(rollout, after=after, limit=_PAGE):
        yield from found
        after = found[-1].id


def altered(gates: Mapping[str, Document], changed: Iterable[str]) -> dict[str, Document]:
    """Return the gates with settings changed, each written as ``GATE.SETTING=VALUE``. Raises InvalidInput."""
    found = dict(gates)
    for text in changed:
        place, equals, value = text.partition("=")
        name, dot, setting = place.partition(".")
        if not (equals and dot and setting):
            raise InvalidInput(f"{text[:80]!r} is no setting: write GATE.SETTING=VALUE", code=SetupCode.OPTION)
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise InvalidInput(f"the rollout has no gate {name[:80]!r}; its gates: {known}", code=SetupCode.OPTION)
        found[name] = _with(found[name], setting, _value(value))
    _check(tuple(found.values()))
    return found


def _with(gate: Document, setting: str, value: Any) -> Document:
    if setting in _ABOUT:
        return {**gate, setting: value}
    kind = next(name for name, asks in gate.items() if isinstance(asks, dict))
    return {**gate, kind: {**gate[kind], setting: value}}


def _value(text: str) -> Any:
    with suppress(ValueError):
        return json.loads(text)
    return text


def _check(gates: Sequence[Document]) -> None:
    """Hold the gates against what a RolloutPolicy may say."""
    metadata = {"name": "replayed", "namespace": "replayed"}
    policy = {"apiVersion": "mesh-reconciler.io/v1alpha1", "kind": "RolloutPolicy", "metadata": metadata}
    if problems := shape_problems("RolloutPolicy", {**policy, "spec": {"gates": list(gates)}}):
        raise InvalidInput(problems)
