"""The gates of a rollout once more, over the answers that were kept: what each look would have said with other settings.

Every look that asked something is kept whole: the scene, the answers, and for how long the gate had been awaited. So the gate
is judged again as it was then, look by look, from an empty memory; with the same settings it says the same. What asks nobody
(soak, health of endpoints, approval, hours) is not replayed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from reconciler.core.gates.answers import Answers, AnswerTo, Counts, Durations, Reply, Series, Unanswered
from reconciler.core.gates.consequence import Consequence, would
from reconciler.core.gates.judging import judge
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Gate
from reconciler.core.gates.verdict import Verdict
from reconciler.core.resources import Document
from reconciler.core.rollouts.codec import plain, read
from reconciler.core.rollouts.records import Evidence, EvidenceKind

#: Each kind of answer by the names of its fields: no two have the same.
_KINDS: Mapping[frozenset[str], type[AnswerTo]] = {
    frozenset(field.name for field in fields(kind)): kind for kind in (Series, Counts, Durations, Reply, Unanswered)
}


@dataclass(frozen=True, slots=True)
class Replayed:
    """One look at a gate: what it said then (empty where that was not kept), and what it says now, as if it acted."""

    at: datetime
    step: int
    gate: str
    then: str
    verdict: Verdict
    consequence: Consequence

    @property
    def now(self) -> str:
        """What it says now, in the words of `then`."""
        return _word(self.verdict.answer, self.verdict.reason)

    @property
    def is_harm(self) -> bool:
        return self.consequence is Consequence.HARM

    @property
    def stops(self) -> bool:
        """Whether the rollout would have stopped here: gone back for harm, or paused."""
        return self.is_harm or self.consequence is Consequence.PAUSE


def asked(gate: str, scene: Scene, waited: timedelta, answers: Answers, step: int) -> Evidence:
    """Return what is kept of a look that asked something, all that it takes to judge it again."""
    told = {name: plain(answer) for name, answer in answers.items()}
    data = {"answers": told, "scene": plain(scene), "waited": plain(waited)}
    return Evidence(scene.now, EvidenceKind.QUERY, step, gate, "", data)


def replay(evidence: Iterable[Evidence], gates: Mapping[str, Gate]) -> Iterator[Replayed]:
    """Yield every look that is kept, oldest first, as these gates judge it."""
    memories: dict[str, Memory] = {}
    pieces = list(evidence)
    said = {
        (one.at, one.name): _word(one.data["answer"], one.data["reason"]) for one in pieces if one.kind is EvidenceKind.VERDICT
    }
    for one in pieces:
        gate = gates.get(one.name)
        if one.kind is not EvidenceKind.QUERY or gate is None:
            continue
        scene = read(Scene, one.data["scene"])
        answers = {name: answer_of(value) for name, value in one.data["answers"].items()}
        verdict, memories[one.name] = judge(gate, scene, memories.get(one.name, Memory()), answers)
        late = scene.now - read(timedelta, one.data["waited"])
        yield Replayed(
            one.at, one.step, one.name, said.get((one.at, one.name), ""), verdict, would(gate, verdict, late, scene.now)
        )


def answer_of(value: Document) -> AnswerTo:
    """Return the answer that `plain` wrote; its fields tell its kind. Raises KeyError for what is none."""
    found: AnswerTo = read(_KINDS[frozenset(value)], value)
    return found


def _word(answer: str, reason: str) -> str:
    return f"{answer}: {reason}" if reason else str(answer)
