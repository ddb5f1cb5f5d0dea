"""What an answer of the API server means: a document, or one of our errors.

Beside the errors of `reconciler.errors` this package tells apart, for itself only, whether an unavailable server surely did
nothing (`NotActed`) or may have done what was asked (`Unsure`), and which sort of 404 it was.
"""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from reconciler.core.resources import Document
from reconciler.errors import Conflict, Rejected, Unavailable

#: Of what the server says, so much is passed on.
LONGEST_TEXT = 2000
#: A server that sends us away for longer is not believed.
LONGEST_RETRY_AFTER = 3600.0

#: The body with which kube-apiserver says that it serves no such resource (`http.NotFound`); any other 404 without a Status
#: document comes from somebody between us and it.
NOT_SERVED = "404 page not found"


class NotActed(Unavailable):
    """The request was not carried out: nobody was reached, or it was turned away unread. Sending it again is safe."""


class Unauthenticated(NotActed):
    """Our credentials are not accepted (any more)."""


class Unsure(Unavailable):
    """The request was sent, and nobody told us what became of it."""


class Expired(Unavailable):
    """The version or the continue token that we named is too old (410): list again."""


class Missing(Rejected):
    """The object, or the namespace it should be in, does not exist."""


class NotServed(Rejected):
    """The server does not know this kind under this version."""


def document(status: int, headers: Mapping[str, str], body: bytes) -> Document:
    """Return the JSON object of an answer with a status of 2xx, or raise what the answer means."""
    if status >= 400:
        raise refusal(status, headers, body)
    if not 200 <= status < 300:
        raise Unsure(f"answered with HTTP status {status}, which the API server never does")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unsure("answered with something else than JSON; is it the API server?") from error
    if not isinstance(answer, dict):
        raise Unsure("answered with JSON that is no object; is it the API server?")
    return answer


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> Unavailable | Rejected:
    """Return the error that an answer with a status of 400 or above stands for."""
    told = _status_document(body)
    text = _text(told, body)
    pause = retry_after(headers)
    match status:
        case 401:
            return Unauthenticated(f"the API server does not accept our credentials: {text}")
        case 404 if told is not None and told.get("reason") == "NotFound":
            return Missing(text, status=status)
        case 404 if text == NOT_SERVED:
            return NotServed(text, status=status)
        case 409:
            return Conflict(text, managers=_managers(told))
        case 410:
            return Expired(text)
        case 422 if moved := _moved(told):
            return Conflict(f"{moved}: {text}")
        case 429:
            return NotActed(f"the API server is overloaded: {text}", retry_after=pause)
        # Server-side apply answers so when the document does not fit the schema, and means the caller.
        case 500 if text.startswith("failed to create typed patch object"):
            return Rejected(text, status=status)
        case _ if status >= 500 or status < 400 or status in (404, 408):
            return Unsure(f"HTTP status {status}: {text}", retry_after=pause)
        case _:
            return Rejected(text, status=status)


def _status_document(body: bytes) -> Document | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and told.get("kind") == "Status" else None


def _text(told: Document | None, body: bytes) -> str:
    text = told.get("message") if told is not None else None
    text = text if isinstance(text, str) and text else body.decode(errors="replace").strip() or "no reason given"
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."


def _causes(told: Document | None) -> list[dict[str, Any]]:
    details = told.get("details") if told is not None else None
    causes = details.get("causes") if isinstance(details, dict) else None
    return [cause for cause in causes if isinstance(cause, dict)] if isinstance(causes, list) else []


def _managers(told: Document | None) -> tuple[str, ...]:
    """Return whose fields an apply ran into; each cause reads ``conflict with "kubectl" using networking.istio.io/v1``."""
    messages = [str(cause.get("message", "")) for cause in _causes(told) if cause.get("reason") == "FieldManagerConflict"]
    found = [re.search(r'conflict with ("(?:[^"\\]|\\.)*")', message) for message in messages]
    return tuple(sorted({json.loads(one[1]) for one in found if one}))


def _moved(told: Document | None) -> str:
    """Say in which way the object is not the one that a write was decided on, empty where something else is wrong.

    A write that names the uid of an object that has been replaced since is answered as an attempt to change the uid, one that
    is to make an object which exists (`ports.NEW`) as an update that names no version.
    """
    fields = {cause.get("field") for cause in _causes(told)}
    if "metadata.uid" in fields:
        return "it is another object by now"
    return "it exists already" if "metadata.resourceVersion" in fields else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, None where it asks for nothing that makes sense.

    A date counts from the answer's own Date, so that the server's clock is compared with itself.
    """
    asked = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,12}", asked):
        return min(float(asked), LONGEST_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else None
