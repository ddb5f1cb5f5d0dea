"""The VM agent as one file that any Python 3.9 or later runs: `reconciler-agent.pyz`.

Byte for byte the same for the same source, whoever packs it: in name order, not compressed, with one date for all.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

NAME = "reconciler-agent.pyz"

_PACKAGE = Path(__file__).parent.parent
_FIRST_LINE = b"#!/usr/bin/env python3\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file can say
_MAIN = """\
import sys

if sys.version_info < (3, 9):
    sys.exit("reconciler-agent needs Python 3.9 or later; this is %d.%d" % sys.version_info[:2])

from reconciler.agent.main import main

sys.exit(main())
"""


def agent_file() -> bytes:
    """Return the file's content."""
    content = io.BytesIO()
    content.write(_FIRST_LINE)
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as file:
        for name, data in sorted(_sources()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # Unix, whatever this machine is
            file.writestr(entry, data)
    return content.getvalue()


def companion(name: str) -> bytes:
    """Return a file that goes with the agent, ``join.sh`` or the systemd unit: from the package, or a source checkout."""
    packaged = _PACKAGE / "_agent"
    folder = packaged if packaged.is_dir() else _PACKAGE.parent / "deploy" / "agent"
    return (folder / name).read_bytes()


def _sources() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN.encode()
    for path in (_PACKAGE / "__init__.py", *(_PACKAGE / "agent").glob("*.py")):
        yield path.relative_to(_PACKAGE.parent).as_posix(), path.read_bytes()
