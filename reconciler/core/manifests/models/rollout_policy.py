"""RolloutPolicy (mesh-reconciler.io/v1alpha1): how a service's changes are rolled out. Read from Git, written nowhere.

Without a `serviceEntry` it is a default: of its namespace, or in Istio's root namespace of the repository.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.core.manifests.models.base import DnsLabel, DnsSubdomain, Duration, Exposure, Number, Strict
from reconciler.core.manifests.models.gates import Gate, ObservedShare


def _little(part: str) -> str:
    if not 0 < float(part.rstrip("%")) <= 50:
        raise PydanticCustomError("rule", "holdback must be above 0% and at most 50%")
    return part


class Split(Strict):
    """The wanted share of each platform, in percent."""

    vm: Annotated[int, Field(ge=0, le=100)]
    pod: Annotated[int, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.vm + self.pod != 100:
            raise PydanticCustomError("rule", "vm and pod must add up to 100")
        return self


class Step(Strict):
    """How far to go, how long to stay, what must pass before the next step."""

    exposure: Exposure
    hold: Duration | None = None
    gates: list[DnsLabel] | None = None
    approval: bool | None = None
    cover: Duration | None = None


class RolloutPolicySpec(Strict):
    """Spec of a RolloutPolicy."""

    service_entry: DnsSubdomain | None = None
    split: Split | None = None
    strategy: Literal["weights", "subsets"] | None = None
    steps: Annotated[list[Step], Field(min_length=1, max_length=50)] | None = None
    gates: Annotated[list[Gate], Field(max_length=50)] | None = None
    on_harm: Literal["undo", "back", "pause"] | None = None
    gradual: bool | None = None
    watch: Duration | None = None
    holdback: Annotated[Exposure, AfterValidator(_little)] | None = None
    share_tolerance: Exposure | None = None
    observed_share: ObservedShare | None = None
    group: DnsLabel | None = None
    unreachable: Literal["merge", "refuse"] | None = None
    wholesale: Literal["approve", "allow", "refuse"] | None = None
    max_load_per_endpoint: Annotated[Number, Field(ge=1, le=1000)] | None = None
    spill: Exposure | None = None
    expect_pods: Annotated[int, Field(ge=0, le=100_000)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        exposures = [float(step.exposure.rstrip("%")) for step in self.steps or ()]
        if any(later <= earlier for earlier, later in pairwise(exposures)):
            raise PydanticCustomError("rule", "the exposures of steps must grow from step to step")
        if exposures and (exposures[0] <= 0 or exposures[-1] != 100):
            raise PydanticCustomError("rule", "the exposures of steps must begin above 0% and end at 100%")
        if self.holdback and exposures[:-1] and exposures[-2] + float(self.holdback.rstrip("%")) >= 100:
            raise PydanticCustomError("rule", "holdback must be less than what the last step adds to the one before")
        named = [gate.name for gate in self.gates or ()]
        if len(set(named)) != len(named):
            raise PydanticCustomError("rule", "two gates have the same name: rename one")
        return self

    @model_validator(mode="after")
    def _for_one_service(self) -> Self:
        given = [name for name, value in (("split", self.split), ("expectPods", self.expect_pods)) if value is not None]
        if given and self.service_entry is None:
            raise PydanticCustomError("rule", "{name} is for one service: name it in serviceEntry", {"name": given[0]})
        for name, part in (("spill", self.spill), ("shareTolerance", self.share_tolerance)):
            if part is not None and float(part.rstrip("%")) > 100:
                raise PydanticCustomError("rule", "{name} must be at most 100%", {"name": name})
        return self
