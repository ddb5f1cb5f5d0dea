"""What a fleet store keeps. `version` is the number of the last write of a value, 0 before its first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core.drain import Drain
from reconciler.core.fleet.damping import CALM, Damping
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import Health
from reconciler.core.resources import EMPTY, Key


class AgentState(StrEnum):
    """What an agent may do.

    ACTIVE: all. LOCKED: nothing, since a copy of its credential was used; its workloads keep their last health. REVOKED:
    nothing, a person said so. FENCED: nothing, a rebuilt VM has taken its last workload. The last two stay on record, so that
    an old credential is never taken for one that a restored backup has forgotten.
    """

    ACTIVE = "active"
    LOCKED = "locked"
    REVOKED = "revoked"
    FENCED = "fenced"


class Presence(StrEnum):
    """Whether somebody answers for a workload. LOST: silent past its lease. LEFT: the agent or a person took it out."""

    PRESENT = "present"
    LOST = "lost"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Token:
    """A right to join once: as one workload, or, where `name` is empty, as a member of a `group`, named after its address.

    `digest` is the SHA-256 of its text, which nobody keeps. `networks` are where the VM's address must be (any where there is
    none). `used_by` is the agent that it made.
    """

    id: str
    digest: str
    namespace: str
    name: str
    created: datetime
    expires: datetime
    service_account: str = ""
    networks: tuple[str, ...] = ()
    used_by: str = ""
    withdrawn: bool = False
    version: int = 0
    group: str = ""

    @property
    def subject(self) -> str:
        """What it lets join, for the audit log."""
        return str(Key("WorkloadGroup" if self.group else VIRTUAL_MACHINE, self.namespace, self.group or self.name))


@dataclass(frozen=True, slots=True)
class Agent:
    """One VM. `counter` and `nonce` name the credential that it used last, `rotated` when that was first used.

    `address` is the verified one, `networks` where it may be. `certificate` is whose certificate must be shown with its
    credentials, empty where it has never shown one.
    """

    id: str
    joined: datetime
    rotated: datetime
    counter: int
    nonce: str
    state: AgentState = AgentState.ACTIVE
    address: str = ""
    networks: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    certificate: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Workload:
    """One name that an agent speaks for. `epoch` grows with each join: a rebuilt VM fences the one before it.

    No `agent` (and epoch 0): nobody has joined as it, and a person has drained it.

    `reported` is what the agent says, `health` what counts (damping may differ from it). `departed` is when it was lost or
    left; `planned`: it was meant to go, so that no brake counts it. `drain` says of one that is `draining` who and when.
    A member of a `group` has no WorkloadEntry in Git: `joined` is when it joined, `network` and `locality` are what it said.
    """

    namespace: str
    name: str
    epoch: int
    agent: str
    service_account: str = ""
    reported: Health = Health.UNKNOWN
    health: Health = Health.UNKNOWN
    reason: str = ""
    damping: Damping = CALM
    draining: bool = False
    presence: Presence = Presence.PRESENT
    departed: datetime | None = None
    planned: bool = False
    drain: Drain | None = None
    version: int = 0
    group: str = ""
    network: str = ""
    locality: str = ""
    joined: datetime | None = None

    @property
    def key(self) -> Key:
        return Key(VIRTUAL_MACHINE, self.namespace, self.name)


def reason_of(workload: Workload) -> str:
    """Return why a workload is as it is: what its agent says, or what keeps it out though that is well."""
    is_held_out = workload.damping.held_out and workload.reported is not Health.UNHEALTHY
    if workload.presence is Presence.PRESENT and is_held_out:
        return "it flaps, and is held out until it has been calm"
    return workload.reason


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is true of all at once: since when the record is not to be trusted, and which brakes hold since when, by scope.

    Of agents that joined up to `forgotten` some are not on record any more.
    """

    recovering: datetime | None = None
    tripped: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    forgotten: datetime | None = None
    version: int = 0


#: Everything that is written under a version of its own.
Row = Token | Agent | Workload | Fleet


@dataclass(frozen=True, slots=True)
class Sign:
    """The last sign of life of an agent, and how long it may be silent from then on."""

    at: datetime
    lease: timedelta
