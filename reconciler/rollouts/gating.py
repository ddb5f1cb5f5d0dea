"""Judge the gates of all rollouts at one moment: all that is due is asked at once, then each judges its answers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from reconciler.core.gates.answers import Answers
from reconciler.core.gates.consequence import consequence
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.reading import Library, gates_of, hopeless, share_of
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Gate, GateMode, Refused, Share
from reconciler.core.gates.verdict import Reason
from reconciler.core.rollouts.armed import SHARE, armed
from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.records import Evidence, EvidenceKind
from reconciler.core.rollouts.replay import asked
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.seen import Judged
from reconciler.core.rollouts.waits import since
from reconciler.ports import Hook, Metrics
from reconciler.rollouts.asking import answers

#: Time between two looks at the share of requests: one of them at least lies in all but the shortest steps.
_SHARES = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class GateLook:
    """One look at one gate: the evidence that is kept. `answers` are empty where nothing had to be asked.

    `waited` is for how long the gate was awaited by then (`consequence`). `ends`: it has nothing left to compare with from this
    look on.
    """

    gate: Gate
    scene: Scene
    waited: timedelta
    answers: Answers
    judged: Judged
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Whom gates ask: Prometheus and webhooks, where the operator has named them."""

    metrics: Metrics | None = None
    hook: Hook | None = None
    library: Library = field(default_factory=Library)

    def armed(self, rollout: Rollout) -> tuple[Gate, ...]:
        """Return the gates of a rollout that count now."""
        asks = self._share(rollout.policy)
        measured = None if isinstance(asks, Refused) else Gate(SHARE, asks, interval=_SHARES)
        return tuple(armed(rollout, {gate.name: gate for gate in self._gates(rollout)}, measured))

    def hopeless(self, rollout: Rollout) -> tuple[str, ...]:
        """Say which gates of a rollout can never pass as the operator's settings are, also before it is their turn."""
        found = ((gate.name, hopeless(gate)) for gate in self._gates(rollout))
        return tuple(f"gate {name} can never pass: {why}" for name, why in found if why)

    def judge(self, scenes: Iterable[tuple[Rollout, Scene]]) -> dict[str, tuple[Rollout, tuple[GateLook, ...]]]:
        """Return by id each rollout with what its gates keep now, and their verdicts."""
        found = list(scenes)
        asked = {
            (rollout.id, gate.name): questions(gate, scene, _memory(rollout, gate))
            for rollout, scene in found
            for gate in self.armed(rollout)
        }
        said = answers(asked, self.metrics, self.hook)
        return {rollout.id: self._judged(rollout, scene, said) for rollout, scene in found}

    def unmeasured(self, policy: RolloutPolicy) -> str:
        """Say why nobody measures the share of requests, empty where somebody does."""
        asks = self._share(policy)
        return asks.why if isinstance(asks, Refused) else ""

    def _share(self, policy: RolloutPolicy) -> Share | Refused:
        if self.metrics is None:
            return Refused("no Prometheus is known: set `gates.prometheus`")
        return share_of(policy.share_tolerance, policy.observed_share, self.library)

    def _gates(self, rollout: Rollout) -> tuple[Gate, ...]:
        return gates_of({"gates": list(rollout.policy.gates.values())}, self.library)

    def _judged(
        self, rollout: Rollout, scene: Scene, said: Mapping[tuple[str, str], Answers]
    ) -> tuple[Rollout, tuple[GateLook, ...]]:
        kept = dict(rollout.gate_state)
        judged = []
        for gate in self.armed(rollout):
            told = said[rollout.id, gate.name]
            before = _memory(rollout, gate)
            verdict, memory = judge(gate, scene, before, told)
            kept[gate.name] = memory.to_json()
            late = since(rollout, scene.now)
            found = Judged(verdict, consequence(gate, verdict, late, scene.now))
            ends = verdict.reason is Reason.NO_STABLE and verdict != before.standing
            judged.append(GateLook(gate, scene, scene.now - late, told, found, ends))
        return replace(rollout, gate_state=kept), tuple(judged)


def _memory(rollout: Rollout, gate: Gate) -> Memory:
    return Memory.of(rollout.gate_state.get(gate.name, {}))


def judged_of(looks: Iterable[GateLook]) -> Mapping[str, Judged | None]:
    """Return what counts, by gate: not what gates say that only observe."""
    return {one.gate.name: one.judged for one in looks if one.gate.mode is GateMode.ACT}


def evidence_of(look: GateLook, step: int) -> Iterator[Evidence]:
    """Yield what is kept of a look: what came back, and what the gate made of it.

    Nothing is where nobody was asked, unless the gate has just found that there is nothing left to ask about.
    """
    if look.answers:
        yield asked(look.gate.name, look.scene, look.waited, look.answers, step)
    if look.answers or look.ends:
        verdict = look.judged.verdict
        data = {"answer": verdict.answer.value, "reason": verdict.reason.value, "consequence": look.judged.consequence.value}
        yield Evidence(look.scene.now, EvidenceKind.VERDICT, step, look.gate.name, verdict.says, data)
