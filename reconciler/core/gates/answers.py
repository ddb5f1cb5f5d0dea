"""What gates ask of the world outside, and what they are told, as values that can be kept and judged again.

A question is asked by the shell through the ports `Metrics` and `Hook`. An answer that could not be had is an answer too
(`Unanswered`), so that judging never meets an exception.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.core.gates.spec import Reporter
from reconciler.core.resources import EMPTY

#: Names of labels that every Prometheus takes without quotes.
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a look is about: after `opens`, up to and including `closes`. The next window opens where it closes."""

    opens: datetime
    closes: datetime

    @property
    def length(self) -> timedelta:
        return self.closes - self.opens


@dataclass(frozen=True, slots=True)
class Arm:
    """Whose requests are meant: those to some workloads of one namespace behind hosts, as Istio's metrics label them.

    Without `workloads` and `labels`, all requests to the hosts. `labels` are equal to labels of the metrics, and stand in for
    the workloads where they are given. `lost` adds the requests that never reached any workload: failures, all of them.
    """

    hosts: tuple[str, ...]
    namespace: str = ""
    workloads: tuple[str, ...] = ()
    lost: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        for name in self.labels:
            # Names, unlike values, are never quoted in a query.
            if not LABEL_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a label")


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a series. `value` may be NaN or infinite; `at` is when it was taken, in UTC, as far as the provider says."""

    value: float
    at: datetime
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Series:
    """The answer to a query: one sample of each series that it gives, none where there is none."""

    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests of an arm ended in a window, and how many of them failed; each request is in exactly one window.

    `newest` is when the newest sample was taken, None where no series was seen at all.
    """

    requests: int
    errors: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Durations:
    """How long requests of an arm took that ended in a window: how many within each bound (in milliseconds), cumulative.

    Bounds ascend and end with infinity; `newest` as in `Counts`.
    """

    buckets: tuple[tuple[float, int], ...]
    newest: datetime | None

    @property
    def requests(self) -> int:
        return self.buckets[-1][1] if self.buckets else 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a webhook replied: HTTP status, and the JSON object of the body, None where it is not one."""

    status: int
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """There is no answer, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class AskQuery:
    """A query in PromQL, at one moment."""

    query: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AskCounts:
    """Requests and failures of an arm, as one side counted them."""

    arm: Arm
    window: Window
    reporter: Reporter


@dataclass(frozen=True, slots=True)
class AskDurations:
    """Durations of an arm's requests, as one side measured them."""

    arm: Arm
    window: Window
    reporter: Reporter


@dataclass(frozen=True, slots=True)
class AskHook:
    """A question to a webhook: the JSON object that is posted, and how."""

    url: str
    body: Mapping[str, Any]
    timeout: timedelta
    headers: Mapping[str, str]
    secret: str
    at: datetime


Question = AskQuery | AskCounts | AskDurations | AskHook
AnswerTo = Series | Counts | Durations | Reply | Unanswered
#: Answers by the name of the question.
Answers = Mapping[str, AnswerTo]
