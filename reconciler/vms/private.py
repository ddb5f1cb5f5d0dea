"""Write files that hold secrets: for their owner alone, and never where Git might take them up."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import InvalidInput, SetupCode


def check_private(folder: Path) -> Path:
    """Return the real path of a folder, there or not, in which secrets may be. Raises InvalidInput."""
    real = folder.resolve()
    for one in (real, *real.parents):
        if (one / ".git").exists() or all((one / name).exists() for name in ("HEAD", "objects", "refs")):
            raise _unfit(f"{folder} is inside the Git repository {one}, and tokens never go to Git: name a folder outside")
    if real.exists():
        found = real.stat()
        if not real.is_dir():
            raise _unfit(f"{folder} is no folder")
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise _unfit(f"{folder} belongs to somebody else, or others may write there")
    return real


def write_private(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by relative path: mode 0600, new folders 0700, each file replaced in one step. Raises InvalidInput."""
    real = check_private(folder)
    try:
        for name, content in files.items():
            path = real / name
            _make(path.parent)
            new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(content)
            new.replace(path)
    except OSError as error:
        raise _unfit(f"{folder} cannot be written: {error.strerror}") from error


def _make(folder: Path) -> None:
    """Make a folder and what is above it, all for us alone: the mode of `Path.mkdir` is for the last one only."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _unfit(message: str) -> InvalidInput:
    return InvalidInput(message, code=SetupCode.FOLDER)
