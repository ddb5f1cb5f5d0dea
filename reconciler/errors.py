"""Errors, named by what the catcher does next, and the problems they carry.

    ReconcilerError
    ├── InvalidInput   a person must change something; never retried; carries every problem with its place
    ├── Unavailable    the other side could not be reached or could not answer; back off, keep the last known, delete nothing
    └── Rejected       the other side understood and said no; counts against the step
        ├── Conflict   what we decided on has moved (version, uid, field owner); read again and decide again
        └── Fenced     somebody else is the writer of this target now; stop writing at once

Anything else that is raised is a bug. Adapters translate foreign exceptions into these once, with the cause chained.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Severity(StrEnum):
    """How much a problem weighs: an error stops what it concerns, a warning is shown, info explains."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class ProblemCode(StrEnum):
    """Base of the tables of problem codes. A code is stable; its `meaning` is one line for the documentation."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        self = str.__new__(cls, code)
        self._value_ = code
        self.meaning = meaning
        return self


class SetupCode(ProblemCode):
    """What keeps a run from beginning. Codes of what comes later stand beside the code that finds it."""

    OTHER = "MR0001", "something was given that cannot be used"
    OPTION = "MR0002", "a setting, an option or an argument has a value that cannot be"
    SETTINGS_FILE = "MR0003", "a file that the settings name cannot be read"
    QUARANTINED = "MR0010", "a commit ended the process again and again while it was looked at"
    NO_KUBECONFIG = "MR0401", "the kubeconfig that was named is not there"
    KUBECONFIG = "MR0402", "a kubeconfig is broken, or has no such context"
    KUBECONFIG_PROGRAM = "MR0403", "a kubeconfig would run a program to get credentials"
    NO_CLUSTER = "MR0404", "no cluster is configured"
    DATABASE_URL = "MR0601", "a database URL is not one that is accepted"
    DATABASE_DRIVER = "MR0602", "the driver for PostgreSQL is not installed"
    DATABASE_FILE = "MR0603", "a database file or its folder is open to others, or not ours"
    DATABASE_NEWER = "MR0604", "a newer version has written the database"
    DATABASE_RIGHTS = "MR0605", "the database refused our credentials, or gives us too few rights"
    CACHE_FILE = "MR0901", "the cache's file or folder is open to others, or not ours"
    ADDRESS = "MR0801", "an address to call is not allowed, or is none"
    SECRET = "MR0802", "a secret or a token to call with is not there"
    FOLDER_ENTRY = "MR0911", "a folder holds something that must not be there"
    FOLDER = "MR0912", "a folder is not there, or holds no manifests"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in Git: file path relative to the repository, 1-based line and column (0 where unknown)."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to do about it.

    `code` is stable and documented (for example ``MR1003``); `field` is a path such as ``spec.ports[0].number``, empty where
    the problem concerns the whole document; `object` is the text of a `Key`, empty where none is known; `message` is one
    sentence that says what is wrong and what to do. Values of the document are shown only where they cannot be secrets.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    place: Place | None = None
    field: str = ""
    object: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        what = " ".join(part for part in (self.object, self.field) if part)
        return f"{where}{self.severity}: {what + ': ' if what else ''}{self.message} [{self.code}]"


class ReconcilerError(Exception):
    """Base of all errors of this package; never raised itself."""


class InvalidInput(ReconcilerError):
    """A person must change something. Carries all problems found, never only the first."""

    def __init__(self, problems: Iterable[Problem] | str, *, code: str = SetupCode.OTHER) -> None:
        if isinstance(problems, str):
            problems = (Problem(code, problems),)
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Unavailable(ReconcilerError):
    """The other side could not be reached or gave no usable answer. `retry_after` is in seconds, where it told us."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Rejected(ReconcilerError):
    """The other side understood the request and said no. `status` is its HTTP-like status, 0 where it has none."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


class Conflict(Rejected):
    """What the decision was based on has moved. `managers` names who owns fields that we wanted, where that is the reason."""

    def __init__(self, message: str, *, status: int = 409, managers: tuple[str, ...] = ()) -> None:
        self.managers = managers
        super().__init__(message, status=status)


class Fenced(Rejected):
    """Another holder has the target's lease. `holder` names it."""

    def __init__(self, message: str, *, holder: str = "") -> None:
        self.holder = holder
        super().__init__(message, status=409)
