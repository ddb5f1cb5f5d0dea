"""Caps that a tree must keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """Caps on one tree. Sizes are in bytes and known before anything is read."""

    files: int = 20_000
    """Manifest files of a commit."""
    file_bytes: int = 1024 * 1024
    """One manifest file."""
    total_bytes: int = 256 * 1024 * 1024
    """All manifest files of a commit together."""
    entries: int = 100_000
    """Files of any kind in the folder."""
    path_bytes: int = 1024
    """A path, relative to the repository."""
    depth: int = 32
    """Folders in folders."""
    memory_bytes: int = 2 * 1024**3
    """Private memory of one Git or kubectl process."""
    rendered_bytes: int = 8 * 1024 * 1024
    """What kustomize makes of one folder."""
