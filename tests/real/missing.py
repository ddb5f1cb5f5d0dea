"""What is said when a part cannot be had. The one exception of the harness."""

from __future__ import annotations


class PartMissing(Exception):
    """A real part cannot be had or started here; the text says why and what to do about it.

    The fixtures turn it into a skip on a laptop and into a failure where `CI` is set.
    """
