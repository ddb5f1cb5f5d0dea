"""Text of others, fit to be shown on one line: paths of a commit, what people write into it, what programs say."""

#: Characters of one text that are kept.
MAX_TEXT = 200
_MAX_PATH = 120
#: A program that fails says why at the end.
_LAST_LINES = 4


def shown(path: str) -> str:
    """Return a path as it may be printed: escaped where it has to be, cut where it is long."""
    text = path if path.isprintable() else path.encode("unicode_escape", "surrogateescape").decode("ascii", "replace")
    return text if len(text) <= _MAX_PATH else f"{text[:_MAX_PATH]}…"


def printable(data: bytes) -> str:
    """Return text for one line of a terminal or a log: cut, and with a question mark for what cannot be printed."""
    text = data[: 4 * MAX_TEXT].decode(errors="replace")
    line = "".join(character if character.isprintable() else "?" for character in text.replace("\t", " ").strip())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def said(errors: str, noise: tuple[str, ...] = ()) -> str:
    """Return what a program said on standard error on one line, without lines that begin with `noise`."""
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not (noise and line.startswith(noise))]
    return printable("; ".join(lines[-_LAST_LINES:]).encode(errors="replace"))
