"""What a comparison of desired and observed state yields: one `ObjectDiff` per object, with a `Change` where one is due."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from reconciler.core.resources import Document, Key
from reconciler.errors import Place, Problem


class Absent(StrEnum):
    """The one value of a column that holds nothing there (as opposed to null)."""

    ABSENT = ""


ABSENT: Final = Absent.ABSENT


class Action(StrEnum):
    """What one write does. HAND_OVER moves ownership of declared fields to us and leaves content and generation alone.

    CONDITION sets one condition of a status, which is no content of Git's: it is never what was last written.
    """

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    HAND_OVER = "hand-over"
    CONDITION = "condition"


class Cause(StrEnum):
    """Why a change is due: Git asks for something new, somebody changed the live object, or an adoption was declared.

    HEALTH: a VM is another one than its condition says. JOIN: a VM came to its group, went, or is somewhere else now. DRAIN: a
    person takes a VM out of service, or lets it back in.
    """

    GIT = "git"
    DRIFT = "drift"
    ADOPTION = "adoption"
    HEALTH = "health"
    JOIN = "join"
    DRAIN = "drain"


class State(StrEnum):
    """Where one object stands. Only CREATE, UPDATE, DELETE and ADOPT carry a change.

    LEFT: no longer in Git, and yet not deleted, because it is not surely ours (its mark is gone, or its fields are others').
    WAITING: not made before its VM is there.
    """

    IN_SYNC = "in-sync"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADOPT = "adopt"
    NOT_ADOPTED = "not-adopted"
    FOREIGN_TOOL = "foreign-tool"
    CO_OWNED = "co-owned"
    FIGHT = "fight"
    LEFT = "left-alone"
    TERMINATING = "terminating"
    UNREADABLE = "unreadable"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an object comes from that is not in Git: the VM that joined a WorkloadGroup, and when (RFC 3339)."""

    group: str
    vm: str
    at: str

    def __str__(self) -> str:
        return f"from group {self.group}, VM {self.vm} joined at {self.at}"


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field in four columns; a column that has no such field holds `ABSENT`.

    `path` is written like ``spec.ports[name=http].number`` or ``metadata.labels["a.b/c"]``; `wanted` is the value of wanted
    now (equal to `git` where no rollout holds the field back); `managers` names who else owns the live value. `steps` is the
    path as `ownership.value_at` walks it.
    """

    path: str
    git: Any = ABSENT
    wanted: Any = ABSENT
    written: Any = ABSENT
    cluster: Any = ABSENT
    registry: Any = ABSENT
    managers: tuple[str, ...] = ()
    steps: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One write to one object in one store.

    `before` is the live content limited to the fields that we declare or declared (None for a create), `after` the whole
    declared document (None for a delete). `uid` and `resource_version` are the preconditions of updates and deletes.
    A HAND_OVER takes exactly the fields in `after`, which is live content, from the owners named in `managers`; it writes no
    content, so its `after` is never what was last written. Of a CONDITION `after` holds the one condition, in a status.
    """

    key: Key
    action: Action
    before: Document | None
    after: Document | None
    fields: tuple[FieldDiff, ...] = ()
    cause: Cause = Cause.GIT
    uid: str = ""
    resource_version: str = ""
    managers: tuple[str, ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class ObjectDiff:
    """Where one object stands, the fields that differ, the writes that are due (a hand-over and then an update at most).

    `origin` is None where it is Git's.
    """

    key: Key
    state: State
    fields: tuple[FieldDiff, ...] = ()
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    place: Place | None = None
    origin: Origin | None = None
