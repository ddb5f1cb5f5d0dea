"""Secrets of the registry's server in files of their own: the keys of credentials, the operator's token.

They are kept apart from the database, so that a copy of it lets nobody make a credential.
"""

import os
import secrets
import stat
from pathlib import Path

from reconciler.errors import InvalidInput, SetupCode

#: Characters that a secret has at least: what is shorter was made by hand, and can be guessed.
SHORTEST = 32


def kept(path: Path) -> tuple[str, ...]:
    """Return the secrets of a file, one a line; a file that is not there is made with a new one, for its owner only.

    Raises InvalidInput for one that others may read or that holds no secret.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "w") as made:
            made.write(secrets.token_urlsafe(48) + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise _unfit(path, error.strerror or "cannot be made") from error
    return _read(path)


def _read(path: Path) -> tuple[str, ...]:
    try:
        # A group may read it: so Kubernetes mounts secrets for whoever is not root.
        if stat.S_IMODE(path.stat().st_mode) & 0o027:
            raise _unfit(path, f"is open to others; run `chmod 600 {path}`")
        lines = tuple(line.strip() for line in path.read_text("ascii").splitlines() if line.strip())
    except (OSError, ValueError) as error:
        raise _unfit(path, "cannot be read") from error
    if not lines or min(map(len, lines)) < SHORTEST:
        raise _unfit(path, f"must hold secrets of at least {SHORTEST} characters, one a line")
    return lines


def _unfit(path: Path, reason: str) -> InvalidInput:
    return InvalidInput(f"the secret in {path}: {reason}", code=SetupCode.SECRET)
