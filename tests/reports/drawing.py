"""Draw reports as a terminal of a given width would show them, or as they come out in a file."""

import io
from collections.abc import Sequence
from typing import Literal

from rich.console import Console

from reconciler.core.report import Report
from reconciler.reports.terminal import draw


def drawn(report: Report, width: int = 100, *, colours: bool = False, options: Sequence[str] = ()) -> str:
    """Return what a terminal of so many columns receives."""
    out = io.StringIO()
    system: Literal["standard"] | None = "standard" if colours else None
    console = Console(file=out, width=width, force_terminal=True, color_system=system, highlight=False)
    draw(report, console, options)
    return out.getvalue()


def filed(report: Report) -> str:
    """Return what a file receives."""
    out = io.StringIO()
    draw(report, Console(file=out, width=160, force_terminal=False, highlight=False))
    return out.getvalue()
