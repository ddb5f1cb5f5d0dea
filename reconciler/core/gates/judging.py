"""One gate, one look: what to ask, and what the answers come to. Pure; the shell only carries questions and answers.

asked = questions(gate, scene, memory)              nothing, where nothing has to be asked now
verdict, memory = judge(gate, scene, memory, answers)
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from reconciler.core.gates import compare, cover, health, ready, share, threshold, webhook
from reconciler.core.gates.answers import Answers, Question, Window
from reconciler.core.gates.approval import approval
from reconciler.core.gates.hours import hours
from reconciler.core.gates.memory import Look, Memory, fold
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.soak import soak, watched
from reconciler.core.gates.spec import (
    Approve,
    Compare,
    Cover,
    Gate,
    Health,
    Hours,
    Ready,
    Refused,
    Share,
    Soak,
    Threshold,
    Webhook,
)
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.resources import EMPTY

_NOT_IN_FORCE = Verdict.waiting(Reason.SOAKING, "the step is not in force yet")


def questions(gate: Gate, scene: Scene, memory: Memory) -> Mapping[str, Question]:
    """Return what has to be asked outside before this gate is judged, by names under which the answers are expected."""
    if scene.in_force is None:
        return {}
    memory = begun(gate, memory, scene)
    if _warms_up(gate, memory, scene) or not memory.due(gate, scene.now):
        return {}
    match gate.ask:
        case Threshold() as ask:
            return threshold.questions(ask, _window(memory, scene))
        case Ready() as ask:
            return ready.questions(ask, scene, _window(memory, scene))
        case Compare() as ask:
            return compare.questions(gate, ask, scene, memory, _window(memory, scene))
        case Cover():
            return cover.questions(scene, _window(memory, scene))
        case Share() as ask:
            return share.questions(ask, scene, _window(memory, scene))
        case Webhook() as ask:
            return {"reply": webhook.question(gate, ask, scene)}
        case Soak() | Health() | Approve() | Hours() | Refused():
            return {}
        case _:
            assert_never(gate.ask)


def judge(gate: Gate, scene: Scene, memory: Memory, answers: Answers) -> tuple[Verdict, Memory]:
    """Return what a gate answers, and what it keeps for its next look; `answers` are those to `questions` of the same scene.

    Approval and hours ask about this moment and keep nothing. All others begin once the step is in force, and anew where it
    comes into force again; between two looks their last answer stands.
    """
    match gate.ask:
        case Approve() as ask:
            return approval(ask, scene), memory
        case Hours() as ask:
            return hours(ask, scene), memory
        case Refused(why):
            return Verdict.waiting(Reason.PROVIDER_ERROR, why), memory
        case _ if scene.in_force is None:
            return _NOT_IN_FORCE, memory
    memory = begun(gate, memory, scene)
    if isinstance(gate.ask, Soak):
        return soak(gate.ask, memory, scene.now)
    if _warms_up(gate, memory, scene):
        return Verdict.waiting(Reason.SOAKING, "warming up", until=memory.opened), memory
    if memory.standing is not None and not memory.due(gate, scene.now):
        return memory.standing, memory
    return _looked(gate, scene, memory, answers)


def begun(gate: Gate, memory: Memory, scene: Scene) -> Memory:
    """Return the memory of the step that is in force now: a new one, where it is of another beginning.

    Only a comparison carries something over, since harm may show late.
    """
    if memory.began == scene.in_force or scene.in_force is None:
        return memory
    kept = compare.carried(memory, scene.version) if isinstance(gate.ask, Compare) else EMPTY
    return Memory(began=scene.in_force, opened=scene.in_force + gate.warmup, kept=kept)


def _warms_up(gate: Gate, memory: Memory, scene: Scene) -> bool:
    """Tell whether the first window is still to open. A clock that was put back prolongs nothing."""
    opens = memory.opened or scene.now
    return memory.asked is None and timedelta(0) < opens - scene.now <= gate.warmup


def _looked(gate: Gate, scene: Scene, memory: Memory, answers: Answers) -> tuple[Verdict, Memory]:
    window = _window(memory, scene)
    look: Look
    match gate.ask:
        case Health():
            look, memory = health.look(scene, memory)
        case Threshold() as ask:
            look = threshold.look(gate, ask, window, answers)
        case Ready() as ask:
            look = ready.look(gate, ask, scene, window, answers)
        case Webhook():
            look = webhook.look(answers["reply"])
        case Compare() as ask:
            return _standing(*compare.compare(gate, ask, scene, window, answers, memory))
        case Share() as ask:
            return _standing(*share.share(ask, scene, window, answers, memory))
        case Cover() as ask:
            return _standing(*cover.cover(ask, scene, window, answers.get("requests"), watched(memory, scene.now)))
        case _:
            raise TypeError(f"{gate.ask!r} is no matter of looks")
    return fold(gate, memory, look, scene.now)


def _standing(verdict: Verdict, memory: Memory) -> tuple[Verdict, Memory]:
    return verdict, replace(memory, standing=verdict)


def _window(memory: Memory, scene: Scene) -> Window:
    # A clock that was put back must not make a window of negative length.
    return Window(min(memory.opened or scene.now, scene.now), scene.now)
