"""The bytes of a commit -> what is shown of it. The author wrote them, with any tool: nothing in them is to be trusted.

Only the beginning is looked at, by cutting and never by a regular expression, so that no line can cost more than its length.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.adapters.tree.words import printable

#: Bytes of a commit that are read; headers with a signature take a few thousand.
MAX_BYTES = 64 * 1024
_SIGNATURE_HEADERS = (b"gpgsig ", b"gpgsig-sha256 ")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as far as people see it; `signatures` are its signatures as armoured text."""

    author: str
    time: datetime | None
    subject: str
    signatures: tuple[str, ...] = ()


def parse_commit(data: bytes) -> Commit:
    """Read the object's bytes (or their beginning). Never fails: what cannot be read is empty."""
    head, _, message = data[:MAX_BYTES].partition(b"\n\n")
    author, time, signatures = "", None, []
    lines = head.split(b"\n")
    for number, line in enumerate(lines):
        if line.startswith(b"author "):
            author, time = _person(line.removeprefix(b"author "))
        elif line.startswith(_SIGNATURE_HEADERS):
            signatures.append(_folded(lines, number))
    subject = message.lstrip(b"\n").split(b"\n", 1)[0]
    return Commit(author, time, printable(subject), tuple(signatures))


def _person(line: bytes) -> tuple[str, datetime | None]:
    """Read ``Name <mail> seconds zone``."""
    who, _, when = line.rpartition(b"> ")
    try:
        return printable(who + b">"), datetime.fromtimestamp(int(when.split(b" ", 1)[0][:20]), UTC)
    except (ValueError, OverflowError, OSError):
        return printable(who + b">" if who else line), None


def _folded(lines: list[bytes], number: int) -> str:
    """Return a header's value whose further lines begin with a space."""
    value = [lines[number].partition(b" ")[2]]
    for line in lines[number + 1 :]:
        if not line.startswith(b" "):
            break
        value.append(line[1:])
    return b"\n".join(value).decode(errors="replace") + "\n"
