"""What the registry's answers mean: what is kept, what a person is told, and when the registry is asked again. Pure.

Nothing that an answer says takes a credential away: who put a registry back from a backup, or drops a token here, goes on.
"""

from __future__ import annotations

import json
import logging
import math
import re
from enum import Enum
from typing import Any, NamedTuple

#: Seconds until the next report where the registry says nothing sensible, and the bounds within which it may say so.
USUAL, LEAST, MOST = 10.0, 1.0, 3_600.0
#: Longest pause after an exchange without a usable answer, and between tries with a credential that is refused.
PATIENCE, SLOW = 30.0, 60.0
#: Most workloads that one VM may have.
MOST_WORKLOADS = 256

#: What may be sent in a header as a credential: as long as the registry makes them.
CREDENTIAL = re.compile(r"[\x21-\x7e]{1,16384}")
_WHY = {
    "credential-copied": "two machines have used it",
    "credential-bound": "it is bound to another certificate than the one that is shown (certFile)",
    "address-not-allowed": "this VM's address is none that was granted",
}
_CODE = re.compile(r"[a-z0-9-]{1,64}")
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")

Said = tuple[int, str]


class Answer(NamedTuple):
    """What came back: HTTP status (0: nothing did, for `reason`), the JSON object, and Retry-After in seconds."""

    status: int
    document: dict[str, Any] = {}  # noqa: RUF012 - never changed
    retry_after: float | None = None
    reason: str = ""

    @property
    def code(self) -> str:
        """The problem's code, empty where it has none; nothing else of a problem is repeated anywhere."""
        code = self.document.get("code")
        return code if isinstance(code, str) and _CODE.fullmatch(code) else ""

    def __str__(self) -> str:
        return self.reason or f"HTTP status {self.status}{self.code and f' ({self.code})'}"


class Workload(NamedTuple):
    """A workload that the registry wants to hear about; `probe` is a WorkloadGroup's probe as JSON, empty for none."""

    namespace: str
    name: str
    probe: str = ""

    @property
    def probe_document(self) -> Any:
        """The probe as a document."""
        return json.loads(self.probe)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Standing(NamedTuple):
    """How we stand with the registry. `refused` is the code with which our credential was refused last, empty if it was not.

    `failures` counts exchanges in a row without a usable answer.
    """

    credential: str = ""
    refused: str = ""
    failures: int = 0
    workloads: tuple[Workload, ...] = ()
    draining: tuple[Workload, ...] = ()


class Fate(Enum):
    """What becomes of the join token that was sent."""

    KEPT = "kept"
    SPENT = "spent"
    USELESS = "useless"


class Step(NamedTuple):
    """What follows from an answer. The next exchange is after `earliest` to `latest` seconds.

    Where it is `calm`, what is new here, a change of health or a join token, may be told sooner. A `successor` is to be stored
    before it is used.
    """

    standing: Standing
    earliest: float
    latest: float
    said: tuple[Said, ...] = ()
    successor: str = ""
    token: Fate = Fate.KEPT
    calm: bool = False


def after_report(standing: Standing, answer: Answer) -> Step:
    """Return what follows from the answer to a heartbeat."""
    if answer.status == 200:
        return _welcome(standing, answer)
    if answer.status in (401, 403):
        return _refused(standing, answer, SLOW)
    return _trouble(standing, answer)


def after_join(standing: Standing, answer: Answer) -> Step:
    """Return what follows from the answer to a join."""
    if answer.status == 201:
        return _welcome(standing, answer, joined=True)
    if answer.code.startswith("credential-") and standing.credential and not standing.refused:
        return _refused(standing, answer, LEAST)
    if 400 <= answer.status < 500 and answer.status not in (408, 429):
        said = (logging.ERROR, f"the join token is not accepted: {answer}; make a new one with `reconciler vm token`")
        return Step(standing._replace(failures=0), LEAST, 2 * LEAST, (said,), token=Fate.USELESS)
    return _trouble(standing, answer)


def _welcome(standing: Standing, answer: Answer, *, joined: bool = False) -> Step:
    document = answer.document
    try:
        listed = _workloads(document.get("workloads"))
        successor = _credential(
            document.get("credential"), needed=joined and not (standing.credential and not standing.refused)
        )
    except ValueError as error:
        return _trouble(standing, answer._replace(reason=f"an answer that makes no sense: {error}"))
    workloads, draining = tuple(listed), tuple(one for one, drains in listed.items() if drains)
    said = tuple(_news(standing, workloads, draining))
    pause = _seconds(document.get("nextIn"))
    fate = Fate.SPENT if joined else Fate.KEPT
    return Step(
        Standing(standing.credential, "", 0, workloads, draining), 0.9 * pause, 1.1 * pause, said, successor, fate, calm=True
    )


def _news(standing: Standing, workloads: tuple[Workload, ...], draining: tuple[Workload, ...]) -> tuple[Said, ...]:
    """Return what a person wants to know of an answer that is good."""
    lines = []
    if standing.failures or standing.refused:
        lines.append("the registry takes our reports again")
    lines += [f"reporting for {one}" for one in workloads if str(one) not in map(str, standing.workloads)]
    lines += [f"no longer reporting for {one}" for one in standing.workloads if str(one) not in map(str, workloads)]
    lines += [f"{one} is being drained" for one in draining if str(one) not in map(str, standing.draining)]
    return tuple((logging.INFO, line) for line in lines)


def _refused(standing: Standing, answer: Answer, pause: float) -> Step:
    """Go on with a credential that is not accepted, slowly: a registry put back from a backup may know it again."""
    code = answer.code or str(answer)
    said: tuple[Said, ...] = ()
    if code != standing.refused:
        why = _WHY.get(code, "the registry does not know it (any more)")
        need = "a new join token is needed (`reconciler vm token`); the VM's last health stands until then"
        said = ((logging.ERROR, f"our credential is refused ({code}): {why}; {need}"),)
    return Step(standing._replace(refused=code, failures=0), 0.9 * pause, 1.1 * pause, said, calm=True)


def _trouble(standing: Standing, answer: Answer) -> Step:
    failures = standing.failures + 1
    level = logging.WARNING if failures == 1 else logging.DEBUG
    said = ((level, f"the registry takes no report: {answer}; trying again"),)
    if answer.retry_after is not None:
        earliest = min(max(answer.retry_after, LEAST), MOST)
        latest = 1.2 * earliest + LEAST
    else:
        latest = min(2.0 ** min(failures, 10), PATIENCE)
        earliest = latest / 2
    return Step(standing._replace(failures=failures), earliest, latest, said)


def _workloads(listed: Any) -> dict[Workload, bool]:
    """Return the workloads of an answer, each with whether it is being drained. Raises ValueError."""
    if not isinstance(listed, list) or len(listed) > MOST_WORKLOADS:
        raise ValueError("no list of workloads")
    found = {}
    for one in listed:
        if not isinstance(one, dict):
            raise ValueError("a workload that is no object")  # noqa: TRY004 - an answer is wrong, not a caller
        probe = json.dumps(one["probe"], sort_keys=True) if one.get("probe") else ""
        found[Workload(_name(one.get("namespace")), _name(one.get("name")), probe)] = one.get("draining") is True
    return found


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("a workload without a name")
    return value


def _credential(value: Any, *, needed: bool) -> str:
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or not CREDENTIAL.fullmatch(value):
        raise ValueError("no credential that can be used")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return USUAL
    return min(max(float(value), LEAST), MOST)
