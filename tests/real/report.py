"""Which real parts a test run used and which were missing: said in one line when it is over.

Any fixture of the project may take part, whatever process it runs in:

    with report.needed("sshd"):               # a PartMissing in here skips the test, or fails it where CI is set
        server = start_sshd()
    report.used(f"git {version} over ssh")    # named in the closing line
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.real.locations import write_whole
from tests.real.missing import PartMissing

RUN = "MESH_RECONCILER_TEST_RUN"
"""The environment variable by which the workers of a run find its folder."""


def run_folder() -> Path:
    """The folder that all processes of this run share; it is removed at the end."""
    return Path(os.environ[RUN])


def used(name: str) -> None:
    """Say that a real part was used, with its version: `used("git 2.39.5 over ssh")`. Saying it twice is as good as once."""
    _record("used", name)


def absent(name: str, why: str) -> NoReturn:
    """End the test for want of a part: skipped on a laptop, failed where the environment variable CI is set."""
    _record("missing", f"{name}: {why}")
    text = f"real part missing: {name}: {why}"
    if os.environ.get("CI"):
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


@contextmanager
def needed(name: str) -> Iterator[None]:
    """Turn a PartMissing raised inside into the end of the test, see `absent`."""
    try:
        yield
    except PartMissing as missing:
        reason = str(missing)
    else:
        return
    absent(name, reason)


def closing_lines(run: Path) -> list[str]:
    """What the run closes with: at most one line on missing parts, and one on those it ran against."""
    missing = _recorded(run, "missing")
    lines = [f"REAL PARTS MISSING, tests were left out: {' || '.join(missing)}"] if missing else []
    return [*lines, f"real parts: {', '.join(_recorded(run, 'used')) or 'none'}"]


def _record(kind: str, text: str) -> None:
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = run_folder() / kind
    folder.mkdir(exist_ok=True)
    write_whole(folder / digest, " ".join(text.split()))  # one line each


def _recorded(run: Path, kind: str) -> list[str]:
    folder = run / kind
    if not folder.is_dir():
        return []
    texts = {path.read_text(encoding="utf-8") for path in folder.iterdir() if not path.name.startswith(".")}
    return sorted(texts, key=str.casefold)
