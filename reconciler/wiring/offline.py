"""What a check of a folder needs: no cluster, no network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.manifests import FORMAT
from reconciler.core.resources import Document
from reconciler.desired.checking import Checker, NoCrds
from reconciler.errors import InvalidInput, SetupCode
from reconciler.ports import (
    Schemas,
)
from reconciler.wiring.gates import _library
from reconciler.wiring.sources import command_of, crd_file, system_clock

if TYPE_CHECKING:
    from reconciler.adapters.cache_sqlite import SqliteCache
    from reconciler.core.gates.reading import Library


def parse_cache(path: Path) -> SqliteCache:
    """Return the cache of parsed blobs in a file."""
    from reconciler.adapters.cache_sqlite import SqliteCache

    return SqliteCache(path, version=f"{__version__}/{FORMAT}/{_code()}")


def _code() -> str:
    """Return what our source files look like: who changes a rule must not be shown what the old one said."""
    looks = [(found.st_mtime_ns, found.st_size) for found in map(os.stat, sorted(Path(__file__).parent.parent.rglob("*.py")))]
    return hashlib.sha256(repr(looks).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Offline:
    """What a check goes by, as far as somebody says it; the rest as in the settings.

    `settings` are those of a settings file, as it has them: what they offer to gates, None where there is no file.
    """

    strict_kinds: bool = False
    namespaces: frozenset[str] | None = None
    kubectl: str = "kubectl"
    max_files: int = 20_000
    max_file_bytes: int = 1_048_576
    max_total_bytes: int = 268_435_456
    settings: Document | None = None


@contextmanager
def offline(folder: Path, data: Path, crds: Path | None, rules: Offline) -> Iterator[Checker]:
    """Put together what checks a folder, and close it in the end; nothing of it knows a cluster. Raises InvalidInput."""
    from reconciler.adapters.source_directory import DirectorySource
    from reconciler.adapters.tree.limits import TreeLimits

    clock = system_clock()
    cache = parse_cache(data / "check.db")
    root, inside = _repository(folder.resolve())
    limits = TreeLimits(rules.max_files, rules.max_file_bytes, rules.max_total_bytes)
    source = DirectorySource(root, clock, cache, inside, limits, command_of(rules.kubectl))
    try:
        yield Checker(
            source,
            cache,
            clock,
            partial(_crds_of, crds),
            _digest(crds),
            rules.strict_kinds,
            rules.namespaces,
            inside,
            _library_in(rules.settings),
        )
    finally:
        source.close()
        cache.close()


def _library_in(known: Document | None) -> Library | None:
    """Return what a settings file offers to gates. Raises InvalidInput."""
    if known is None:
        return None
    from reconciler.settings import of_gates

    return _library(of_gates(known))


def _repository(folder: Path) -> tuple[Path, str]:
    """Return the working copy that a folder is part of, itself where it is in none, and where in it the folder is."""
    root = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)
    inside = folder.relative_to(root).as_posix()
    return root, "" if inside == "." else inside


def _digest(path: Path | None) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
    except OSError as error:
        raise InvalidInput(f"the CRDs in {path} cannot be read: {error.strerror}", code=SetupCode.SETTINGS_FILE) from error


def _crds_of(path: Path | None) -> Schemas:
    if path is None:
        return NoCrds()
    from reconciler.adapters.schemas_crd.schemas import CrdSchemas

    return CrdSchemas(crd_file(path), str(path))
