"""The bodies of requests and answers: strict, closed, and small. Names are those of the wire."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from reconciler.core.drain import PATIENCE

#: Bytes of the largest body.
MAX_BODY = 65_536

#: Text without control characters: what goes into logs, pages and databases.
Text = Annotated[str, StringConstraints(max_length=253, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[!-~]+$")]
Reason = Annotated[str, StringConstraints(max_length=1024)]
Address = Annotated[str, StringConstraints(max_length=64)]
Addresses = Annotated[list[Address], Field(min_length=1, max_length=16)]
Versions = Annotated[dict[Text, Text], Field(max_length=8)]
#: A network, or a locality such as ``eu-1/a/rack-7``.
Region = Annotated[str, StringConstraints(max_length=253, pattern=r"^[A-Za-z0-9._/-]*$")]


class Model(BaseModel):
    """What is not known is refused, and nothing is made fit."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class JoinBody(Model):
    """A join: the token, and where the VM is; network and locality count for members of groups alone."""

    token: Secret
    addresses: Addresses
    versions: Versions = {}
    network: Region = ""
    locality: Region = ""


class Said(Model):
    """What an agent says of one workload."""

    namespace: Text
    name: Text
    health: Literal["healthy", "unhealthy", "unknown"]
    reason: Reason = ""


class HeartbeatBody(Model):
    """A heartbeat: all workloads of the agent, and where the VM is."""

    workloads: Annotated[list[Said], Field(max_length=256)]
    addresses: Addresses
    versions: Versions = {}


class Told(Model):
    """What an agent is told of one workload; `probe` is that of its WorkloadGroup."""

    namespace: str
    name: str
    epoch: int
    probe: dict[str, Any] | None
    draining: bool


class Answered(Model):
    """The answer to a join and to a heartbeat; `nextIn` is in seconds, `credential` one to use from now on."""

    nextIn: float  # noqa: N815 - the wire's name
    credential: str | None
    workloads: list[Told]


class TokenBody(Model):
    """A token to issue: for which workload, which addresses the VM may have (``10.0.0.0/24``), good for so many seconds.

    With a `group` and no name it is for a new member of that WorkloadGroup.
    """

    namespace: Text
    name: Text = ""
    group: Text = ""
    serviceAccount: Text = ""  # noqa: N815
    addresses: Annotated[list[Address], Field(max_length=16)] = []
    ttl: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3600.0


class Issued(Model):
    """A token that was issued. Its text is shown this once."""

    id: str
    token: str
    expires: str


class DrainBody(Model):
    """For how many seconds the last requests of a drained VM are awaited."""

    within: Annotated[float, Field(gt=0, le=86_400 * 30, allow_inf_nan=False)] = PATIENCE.total_seconds()


class ReleaseBody(Model):
    """The scope whose brake is released, such as ``all`` or ``namespace/shop``."""

    scope: Text
