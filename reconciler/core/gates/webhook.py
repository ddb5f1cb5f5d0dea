"""Webhook: somebody else's yes or no, over HTTP."""

from typing import Any

from reconciler.core.gates.answers import AnswerTo, AskHook, Reply, Unanswered
from reconciler.core.gates.memory import Look, Mood
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Gate, Webhook
from reconciler.core.gates.verdict import Reason

#: Longest message of a webhook that is shown.
LONGEST = 200


def question(gate: Gate, ask: Webhook, scene: Scene) -> AskHook:
    """Return what is posted: which gate of which rollout asks, and where that stands."""
    body = {
        "gate": gate.name,
        "rollout": scene.rollout,
        "unit": scene.unit,
        "commit": scene.commit,
        "digest": scene.digest,
        "step": scene.step + 1,
        "steps": scene.steps,
        "exposure": f"{float(scene.exposure):.3%}",
        "inForce": scene.in_force and scene.in_force.isoformat(),
    }
    return AskHook(ask.url, body, ask.timeout, ask.headers, ask.secret, scene.now)


def look(answer: AnswerTo) -> Look:
    """Read a reply: status 200 and a JSON object whose ``answer`` is ``pass``, ``wait`` or ``fail``; nothing else counts.

    ``fail`` is somebody's word that there is harm. Any other status, a redirect too, is no answer.
    """
    match answer:
        case Unanswered(why):
            return Look.unsure(Reason.PROVIDER_ERROR, why)
        case Reply(200, dict(body)):
            return _said(body)
        case Reply(200, None):
            return Look.unsure(Reason.PROVIDER_ERROR, "the webhook replied with something else than a JSON object")
        case Reply(status, _):
            return Look.unsure(Reason.PROVIDER_ERROR, f"the webhook replied with status {status}, not 200")
        case _:
            raise TypeError(f"no webhook answers with {answer!r}")


def _said(body: dict[str, Any]) -> Look:
    message = _clean(body.get("message"))
    match body.get("answer"):
        case "pass":
            return Look(Mood.GOOD, message or "the webhook says pass")
        case "fail":
            return Look(Mood.BAD, message or "the webhook says fail")
        case "wait":
            return Look.unsure(Reason.INCONCLUSIVE, message or "the webhook says wait")
        case _:
            return Look.unsure(Reason.PROVIDER_ERROR, "the webhook's `answer` is not one of pass, wait and fail")


def _clean(message: object) -> str:
    """Return a foreign text as one printable line of bounded length."""
    if not isinstance(message, str):
        return ""
    line = "".join(one if one.isprintable() else " " for one in message[: 4 * LONGEST])
    line = " ".join(line.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
