"""The gates of a RolloutPolicy. What is refused here would otherwise only show when a rollout stands before its gate."""

from datetime import time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.core.gates.promql import fault, growth
from reconciler.core.gates.spec import READY_MADE
from reconciler.core.manifests.models.base import (
    CLOCK,
    HEADER,
    METRIC_LABEL,
    PRINTABLE,
    URL,
    Choice,
    DnsLabel,
    Duration,
    Number,
    Strict,
)

Count = Annotated[int, Field(ge=1, le=10_000_000)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Few = Annotated[int, Field(ge=1, le=100)]
LabelName = Annotated[str, Field(pattern=METRIC_LABEL, max_length=128)]
MetricLabels = Annotated[dict[LabelName, Annotated[str, Field(max_length=1024)]], Field(min_length=1, max_length=16)]
Clock = Annotated[str, Field(pattern=CLOCK)]
Reporter = Literal["source", "destination"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

#: Headers that we write ourselves, or that decide how a request is carried.
_OURS = frozenset(
    "accept accept-encoding authorization connection content-encoding content-length content-type cookie expect host"
    " proxy-authorization te trailer transfer-encoding upgrade user-agent x-mesh-reconciler-signature".split()
)


def _query(text: str) -> str:
    if why := fault(text):
        raise PydanticCustomError("rule", "the query {why}", {"why": why})
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PydanticCustomError("rule", "is no time zone of the IANA database: write it like Europe/Berlin") from error
    return name


def _header(name: str) -> str:
    if name.lower() in _OURS:
        raise PydanticCustomError("rule", "the header {name} is not for policies to set", {"name": name})
    return name


def _short(length: str) -> str:
    if not any(unit in length for unit in "mh") or length.endswith("ms"):
        return length
    raise PydanticCustomError("rule", "a webhook must answer within seconds: write it like 10s")


def _no_undo(policy: str) -> str:
    if policy == "undo":
        raise PydanticCustomError("rule", "only proven harm undoes (onHarm): use wait or pause")
    return policy


Query = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_query)]
Header = Annotated[str, Field(pattern=HEADER, max_length=128), AfterValidator(_header)]
HeaderValue = Annotated[str, Field(pattern=PRINTABLE, max_length=1024)]
Patience = Annotated[Literal["wait", "pause", "undo"], AfterValidator(_no_undo)]


class PrometheusGate(Choice):
    """A bound on the value of a query, or on what a template measures."""

    at_most_one = (("query", "template"), ("query", "parameters"))

    query: Query | None = None
    template: DnsLabel | None = None
    parameters: dict[LabelName, Annotated[str, Field(max_length=1024)]] | None = None
    min: Number | None = None
    max: Number | None = None
    samples: Count | None = None
    samples_query: Query | None = None
    of: Literal["canary", "stable", "all"] | None = None
    quantile: Share | None = None
    reporter: Reporter | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is None and self.max is None:
            raise PydanticCustomError("rule", "a Prometheus gate needs min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("rule", "min is above max: nothing could pass")
        return self

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.query is None and self.template is None:
            raise PydanticCustomError("rule", "a Prometheus gate needs query or template")
        if self.samples_query is not None and (self.query is None or self.samples is None):
            raise PydanticCustomError("rule", "samplesQuery counts the samples of query: give query and samples with it")
        if self.samples is not None and self.query is not None and not (self.samples_query or growth(self.query)):
            raise PydanticCustomError("rule", "the query takes no range of a counter: say in samplesQuery how to count samples")
        return self

    @model_validator(mode="after")
    def _ready_made(self) -> Self:
        ready = self.template in READY_MADE
        given = [name for name in ("of", "quantile", "reporter") if getattr(self, name) is not None]
        if given and not ready:
            raise PydanticCustomError("rule", "{name} is only for the templates istio-...", {"name": given[0]})
        if ready and self.parameters is not None:
            raise PydanticCustomError("rule", "{template} has no parameters", {"template": self.template})
        if self.template == "istio-success-rate":
            self._is_share()
        return self

    def _is_share(self) -> None:
        if self.quantile is not None:
            raise PydanticCustomError("rule", "quantile is only for istio-latency")
        if not all(0 <= bound <= 1 for bound in (self.min, self.max) if bound is not None):
            raise PydanticCustomError("rule", "istio-success-rate gives a share: min and max are from 0 to 1")


class ObservedShare(Choice):
    """Who measures the share of the VMs (0 to 1): a query, or a template of the operator's."""

    at_most_one = (("query", "template"), ("query", "parameters"))

    query: Query | None = None
    template: DnsLabel | None = None
    parameters: dict[LabelName, Annotated[str, Field(max_length=1024)]] | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.query is None and self.template is None:
            raise PydanticCustomError("rule", "observedShare needs query or template")
        if self.template in READY_MADE:
            raise PydanticCustomError("rule", "{template} measures no share", {"template": self.template})
        return self


class CompareGate(Strict):
    """Canary against stable."""

    metric: Literal["errors", "latency"]
    canary: MetricLabels | None = None
    stable: MetricLabels | None = None
    margin: Annotated[Number, Field(gt=1, le=100)] | None = None
    samples: Count | None = None
    quantile: Share | None = None
    reporter: Reporter | None = None

    @model_validator(mode="after")
    def _two_arms(self) -> Self:
        if (self.canary is None) != (self.stable is None):
            raise PydanticCustomError("rule", "canary and stable go together: give labels for both, or for none")
        if self.canary is not None and self.canary == self.stable:
            raise PydanticCustomError("rule", "canary and stable have the same labels: nothing could be compared")
        if self.quantile is not None and self.metric != "latency":
            raise PydanticCustomError("rule", "quantile is only for latency")
        return self


class WebhookGate(Strict):
    """A question over HTTP to an address that the operator has allowed."""

    url: Annotated[str, Field(pattern=URL, max_length=2048)]
    timeout: Annotated[Duration, AfterValidator(_short)] | None = None
    headers: Annotated[dict[Header, HeaderValue], Field(max_length=16)] | None = None
    secret: DnsLabel | None = None


class ApprovalGate(Strict):
    """Persons say yes to the plan in force."""

    role: Literal["operator", "admin"] | None = None
    count: Few | None = None
    expires: Duration | None = None
    not_author: bool | None = None


class HoursGate(Strict):
    """When a step may begin, by the wall clock of a time zone."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7)] | None = None
    opens: Annotated[Clock, Field(alias="from")]
    closes: Annotated[Clock, Field(alias="to")]
    timezone: Annotated[str, Field(max_length=64), AfterValidator(_zone)]

    @model_validator(mode="after")
    def _open(self) -> Self:
        if time.fromisoformat(self.opens) == time.fromisoformat(self.closes):
            raise PydanticCustomError("rule", "from and to are the same time: no hours are left")
        return self


class HealthGate(Strict):
    """The step's endpoints are healthy and ready."""


_KINDS = ("prometheus", "compare", "webhook", "approval", "hours", "health")


class Gate(Choice):
    """A named question that must be answered with pass."""

    at_most_one = (_KINDS,)

    name: DnsLabel
    prometheus: PrometheusGate | None = None
    compare: CompareGate | None = None
    webhook: WebhookGate | None = None
    approval: ApprovalGate | None = None
    hours: HoursGate | None = None
    health: HealthGate | None = None
    mode: Literal["act", "observe"] | None = None
    warmup: Duration | None = None
    interval: Duration | None = None
    consecutive: Few | None = None
    failures: Few | None = None
    deadline: Duration | None = None
    stale_after: Duration | None = None
    on_no_data: Patience | None = None
    on_error: Patience | None = None
    on_inconclusive: Patience | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if all(getattr(self, kind) is None for kind in _KINDS):
            raise PydanticCustomError("rule", "a gate needs one of {kinds}", {"kinds": ", ".join(_KINDS)})
        return self
