"""Which files of a repository are manifests: one rule for every source, so that `check` and `serve` read the same files."""

from posixpath import basename

#: How the names of manifest files end. Everything else in the folder (README, LICENSE, CODEOWNERS) is left alone.
SUFFIXES = (".yaml", ".yml", ".json")
#: The names by which kustomize knows its own file; a folder holds at most one of them.
KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


def is_hidden(path: str) -> bool:
    """Say whether a file, or a folder on its way, has a name that begins with a dot: those belong to Git hosts and tools."""
    return path.startswith(".") or "/." in path


def is_kustomization(path: str) -> bool:
    """Say whether the file turns its folder into one for kustomize."""
    return basename(path) in KUSTOMIZATIONS


def is_manifest(path: str) -> bool:
    """Say whether a path, relative to the manifest folder, names a file of manifests."""
    return path.endswith(SUFFIXES) and not is_hidden(path) and not is_kustomization(path)
