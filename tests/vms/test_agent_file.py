"""The agent as one file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from reconciler import __version__
from reconciler.vms.agent_file import NAME, agent_file


def test_the_same_bytes_each_time() -> None:
    """Whoever packs the same source gets the same file: in order, without dates, modes or compression of the machine."""
    with zipfile.ZipFile(BytesIO(agent_file())) as file:
        entries = file.infolist()
    assert [one.filename for one in entries] == sorted(one.filename for one in entries)
    assert {(one.date_time, one.compress_type, one.create_system, one.external_attr >> 16) for one in entries} == {
        ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, 3, 0o100644)
    }
    assert agent_file() == agent_file()


def test_it_runs_without_anything_else(tmp_path: Path) -> None:
    """A Python that sees no other package runs it, and what it holds is the agent alone."""
    path = tmp_path / NAME
    path.write_bytes(agent_file())
    done = subprocess.run(
        [sys.executable, "-I", "-S", path, "--version"], capture_output=True, text=True, timeout=30, check=True, cwd=tmp_path
    )
    assert done.stdout == f"reconciler-agent {__version__}\n"
    with zipfile.ZipFile(path) as file:
        names = set(file.namelist())
    assert {"__main__.py", "reconciler/__init__.py", "reconciler/agent/main.py"} <= names
    assert all(name.startswith(("__main__", "reconciler/__init__", "reconciler/agent/")) for name in names)
