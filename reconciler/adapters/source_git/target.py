"""What the settings name, once every word of them was checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.refs import Ref, parse_ref
from reconciler.adapters.source_git.settings import GitSettings
from reconciler.adapters.source_git.url import Remote, Transport, parse_url
from reconciler.errors import InvalidInput, Problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GitTarget:
    """Where, what of it, and which folder (relative to the repository, empty for all of it)."""

    remote: Remote
    ref: Ref
    folder: str


def parse_target(settings: GitSettings) -> GitTarget:
    """Return what the settings name, before any process is started. Raises InvalidInput with all that is wrong with them."""
    problems: list[Problem] = []

    def attempt(check: Callable[[], T]) -> T | None:
        try:
            return check()
        except InvalidInput as error:
            problems.extend(error.problems)
            return None

    remote = attempt(lambda: parse_url(settings.url, allow_local=settings.allow_local))
    ref = attempt(lambda: parse_ref(settings.ref))
    folder = attempt(lambda: checked_folder(settings.folder))
    if remote is not None and remote.transport is Transport.SSH:
        problems += settings.credentials.ssh_problems()
    if problems or remote is None or ref is None or folder is None:
        raise InvalidInput(problems)
    return GitTarget(remote, ref, folder)


def checked_folder(folder: str) -> str:
    """Return the manifest folder as Git writes it. Raises InvalidInput for anything but a plain relative path."""
    parts = folder.strip("/").split("/") if folder.strip("/") not in ("", ".") else []
    if folder.startswith("/") or any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts):
        raise _bad_folder(folder)
    path = "/".join(parts)
    if len(path) > 500 or not path.isprintable() or path.startswith("-") or "\\" in path:
        raise _bad_folder(folder)
    return path


def _bad_folder(folder: str) -> InvalidInput:
    return InvalidInput(f"{folder[:60]!a} is no folder of a repository: give a plain relative path", code=Code.FOLDER)
