"""Bearer tokens out of files, read anew for each request so that they can be renewed at any time."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import InvalidInput, SetupCode


def bearer(path: Path | None) -> Mapping[str, str]:
    """Return the headers that show the token in a file, none where no file is named. Raises InvalidInput."""
    if path is None:
        return {}
    try:
        return {"Authorization": f"Bearer {path.read_text(encoding='utf-8').strip()}"}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the token in {path} cannot be read: {error}", code=SetupCode.SECRET) from error
