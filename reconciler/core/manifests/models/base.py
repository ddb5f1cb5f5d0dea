"""What all models share: strictness, and the value types that Istio's schemas are made of."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

Uint32 = Annotated[int, Field(ge=0, le=2**32 - 1)]
Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Uint64 = Annotated[int, Field(ge=0, le=2**64 - 1)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
#: JSON's number: a whole one will do; infinities and NaN were refused while loading.
Number = float
JsonObject = dict[str, Any]
Texts = list[str]
LabelMap = Annotated[dict[str, str], Field(max_length=256)]

LABEL = r"^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$"
DURATION = r"^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$"
EXPOSURE = r"^[0-9]{1,3}(?:\.[0-9]{1,3})?%$"
KIND = r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$"
GROUP = r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
HEADER = r"^[-_A-Za-z0-9]+$"
METRIC_LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
PRINTABLE = r"^[\x20-\x7e]*$"
URL = r"^https?://[^\s@]+$"

DnsLabel = Annotated[str, Field(pattern=LABEL, max_length=63)]
DnsSubdomain = Annotated[str, Field(pattern=SUBDOMAIN, max_length=253)]
#: A length of time such as ``90s`` or ``1h30m``.
Duration = Annotated[str, Field(pattern=DURATION, max_length=40)]
#: A percentage such as ``10%`` or ``0.5%``.
Exposure = Annotated[str, Field(pattern=EXPOSURE)]


class Strict(BaseModel):
    """An object of a manifest: known fields only, no casts, JSON's names. To it, as to Kubernetes, null is absent."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, defer_build=True, allow_inf_nan=False
    )


class Choice(Strict):
    """An object with alternatives: of each group of fields in `at_most_one` only one may be given."""

    at_most_one: ClassVar[tuple[tuple[str, ...], ...]] = ()

    @model_validator(mode="after")
    def _chosen(self) -> Self:
        for group in self.at_most_one:
            given = [to_camel(name) for name in group if getattr(self, name) is not None]
            if len(given) > 1:
                raise PydanticCustomError("rule", "only one of {given} may be given: keep one", {"given": " and ".join(given)})
        return self
