"""What to follow: a branch, a tag, the highest tag in a range, or one commit. Names are always used in full.

Our grammar is narrower than Git's: a name that could be an option, a path or an expression (``..``, ``@{``) is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.semver import Range, Version, parse_range
from reconciler.errors import InvalidInput

MAX_NAME = 200
HEADS, TAGS = "refs/heads/", "refs/tags/"
#: What `ls-remote` appends to a tag's name for the object that the tag object points to.
PEELED = "^{}"
OBJECT_ID = re.compile(r"[0-9a-f]{40}")

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/@+#=-]*")
_FORBIDDEN = re.compile(r"\.\.|//|/[.-]|@\{|\.lock(?:/|$)|[./]$")


@dataclass(frozen=True, slots=True)
class Advertised:
    """A ref that the server has: full name, object id, and the id of what it points to where it is a tag object."""

    name: str
    object: str
    commit: str


@dataclass(frozen=True, slots=True)
class Named:
    """A branch or a tag by its full name."""

    name: str

    @property
    def moving(self) -> bool:
        """Whether it may only move forward; a tag may be put anywhere."""
        return self.name.startswith(HEADS)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Arguments for `ls-remote`: the option narrows what the server sends, the names what Git prints."""
        return ("--heads", self.name) if self.moving else ("--tags", self.name, self.name + PEELED)

    def choose(self, advertised: Mapping[str, str]) -> Advertised | None:
        """Return the ref among what the server has (full name -> object id)."""
        found = advertised.get(self.name)
        return None if found is None else Advertised(self.name, found, advertised.get(self.name + PEELED, found))

    def __str__(self) -> str:
        return f"branch {self.name.removeprefix(HEADS)}" if self.moving else f"tag {self.name.removeprefix(TAGS)}"


@dataclass(frozen=True, slots=True)
class Newest:
    """The highest semantic version among the tags that lies in a range."""

    text: str
    range: Range
    moving: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """Arguments for `ls-remote`: all tags."""
        return ("--tags",)

    def choose(self, advertised: Mapping[str, str]) -> Advertised | None:
        """Return the highest tag in the range; of two spellings of one version the last by name."""
        found = [
            (version, name)
            for name in advertised
            if not name.endswith(PEELED) and (version := Version.parse(name.removeprefix(TAGS))) and version in self.range
        ]
        return Named(max(found)[1]).choose(advertised) if found else None

    def __str__(self) -> str:
        return f"tag in the range {self.text}"


@dataclass(frozen=True, slots=True)
class Pinned:
    """One commit for ever."""

    commit: str
    moving: bool = False

    def __str__(self) -> str:
        return f"commit {self.commit}"


Ref = Named | Newest | Pinned


def parse_ref(text: str) -> Ref:
    """Return what a person wants followed: a plain name is a branch, one in full (``refs/tags/...``) what it says.

    Raises InvalidInput.
    """
    kind, colon, rest = text.partition(":")
    if text.startswith(TAGS):
        kind, rest = "tag", text.removeprefix(TAGS)
    elif not colon:
        kind, rest = "branch", text.removeprefix(HEADS)
    match kind:
        case "branch":
            return Named(HEADS + checked_name(rest))
        case "tag":
            return Named(TAGS + checked_name(rest))
        case "semver":
            return _newest(rest.strip())
        case "commit":
            if not OBJECT_ID.fullmatch(rest):
                raise _refused("a commit is given by all 40 hexadecimal digits of its id, in lower case")
            return Pinned(rest)
        case _:
            raise _refused("a ref is a branch, tag:NAME, semver:RANGE or commit:ID")


def checked_name(name: str) -> str:
    """Return the name of a branch or tag as it is. Raises InvalidInput for one that Git could take for something else."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name) or _FORBIDDEN.search(name):
        raise _refused(
            f"{name[:60]!a} is no name for a branch or tag: at most {MAX_NAME} letters, digits and ._/@+#=-, "
            "without '..', '@{' and '//', not beginning with a dash or dot nor ending with a dot, slash or .lock"
        )
    return name


def _newest(text: str) -> Newest:
    if len(text) > MAX_NAME or (versions := parse_range(text)) is None:
        raise _refused(f"{text[:60]!a} is no range of versions such as '>=1.2 <2', '^1.4' or '1.x'")
    return Newest(text, versions)


def _refused(why: str) -> InvalidInput:
    return InvalidInput(why, code=Code.REF)
