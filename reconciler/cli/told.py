"""What a person is told while a command runs: plain sentences on standard error, each of them once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from reconciler.reports.safe import clean

#: Loggers of this last name say what is being waited for: a person wants to know it, a log takes it as one line of many.
WAITING = ".waiting"


class Sentences(logging.Handler):
    """Prints warnings, and what is waited for. A bug keeps its traceback: there is no other log to find it in.

    Many threads that meet the same silence say the same; a person reads it once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING and not record.name.endswith(WAITING):
            return
        text = "\n".join(map(clean, self.format(record).splitlines()))
        if text not in self._said:
            self._said.add(text)
            click.echo(text, err=True)


@contextmanager
def sentences() -> Iterator[None]:
    """Print what our own code logs as sentences, and of other packages errors alone, until the end of the context."""
    everything, ours, handler = logging.getLogger(), logging.getLogger("reconciler"), Sentences()
    before = everything.level, ours.level
    everything.addHandler(handler)
    everything.setLevel(logging.ERROR)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        everything.removeHandler(handler)
        everything.setLevel(before[0])
        ours.setLevel(before[1])
