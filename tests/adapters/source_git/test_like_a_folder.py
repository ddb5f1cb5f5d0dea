"""A folder is read like the commit that it would become: equal files and bytes, equal problems at equal places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.source_directory import DirectorySource
from reconciler.core.manifests import parse_file
from reconciler.errors import InvalidInput, Problem
from reconciler.ports import Source
from tests.adapters.source_git.conftest import Make
from tests.adapters.source_git.test_rendering import OVERLAY, PATCH, SERVICE
from tests.contracts.source import ENTRY, FOLDER
from tests.real.git_repository import Files, GitRepository, Item, symlink

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
KUSTOMIZATION = f"{FOLDER}/kustomization.yaml"

TREES: dict[str, Files] = {
    "plain": {f"{FOLDER}/a.yaml": ENTRY, f"{FOLDER}/b/c.json": b"{}", f"{FOLDER}/.ci.yaml": b"x", "top.yaml": ENTRY},
    "overlay": OVERLAY,
    "both": {**OVERLAY, f"{FOLDER}/kustomization.yaml": b"x: [", f"{FOLDER}/b/kustomization.yml": "resources: [x.yaml]\n"},
    "mixed": {
        f"{FOLDER}/a/plain.yaml": ENTRY,
        f"{FOLDER}/b/Kustomization": "resources: [x.yaml, ../../base]\nconfigMapGenerator: [{name: c, files: [notes.txt]}]\n",
        f"{FOLDER}/b/x.yaml": SERVICE.replace("billing", "ledger"),
        f"{FOLDER}/b/notes.txt": "read with the rest\n",
        f"{FOLDER}/c/kustomization.yaml": "kind: Component\n",
        "base/kustomization.yaml": "resources: [service.yaml]\n",
        "base/service.yaml": SERVICE,
    },
    "invalid": {**OVERLAY, "base/service.yaml": SERVICE.replace("STATIC", "SOMEHOW")},
    "strict": {**OVERLAY, "base/service.yaml": SERVICE + "kind: Other\n", f"{FOLDER}/own.yaml": POINTER},
    "refused": {
        KUSTOMIZATION: "resources: [https://example.com, ../nowhere, ../../out, /etc/passwd, ../.git/config]\nhelmCharts: []\n",
        f"{FOLDER}/x/kustomization.yaml": "resources: [../y]\n",
        f"{FOLDER}/y/kustomization.yaml": "resources: [../x]\n",
    },
    "linked": {
        "base/kustomization.yaml": "resources: [link.yaml]\n",
        "base/link.yaml": symlink("/etc/passwd"),
        "elsewhere": symlink("base"),
        KUSTOMIZATION: "resources: [../base, ../elsewhere, ../elsewhere/service.yaml]\n",
    },
    "render": {**OVERLAY, f"{FOLDER}/patch.yaml": PATCH.replace("name: billing", "name: nobody")},
    "several": {**OVERLAY, f"{FOLDER}/Kustomization": "resources: [own.yaml]\n"},
    "links": {f"{FOLDER}/a.yaml": ENTRY, f"{FOLDER}/link.yaml": symlink("a.yaml"), f"{FOLDER}/notes": symlink("..")},
    "twins": {f"{FOLDER}/a.yaml": ENTRY, f"{FOLDER}/A.yaml": ENTRY, f"{FOLDER}/pointer.yaml": POINTER},
    "large": {f"{FOLDER}/a.yaml": b"#" * (1024 * 1024 + 1), **OVERLAY},
}


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[[Files], DirectorySource]:
    """A function that writes a tree to disk and returns the source of its folder."""

    def write(files: Files, **options: Any) -> DirectorySource:
        root = tmp_path / "working-copy"
        for path, content in files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            data = content.content if isinstance(content, Item) else content
            if isinstance(content, Item):
                place.symlink_to(data.decode() if isinstance(data, bytes) else data)
            else:
                place.write_bytes(data.encode() if isinstance(data, str) else data)
        return DirectorySource(root, SystemClock(), folder=FOLDER, **options)

    return write


def seen(source: Source) -> tuple[list[tuple[str, bool, bytes]], list[Problem]]:
    """Return path and bytes of all files, and what is wrong with the folder, with the rendering or with the manifests."""
    try:
        files = source.files(source.poll())
        contents = list(source.contents(files))
    except InvalidInput as error:
        return [], list(error.problems)
    parsed = [parse_file(file.path, file.id, data, rendered=file.rendered) for file, data in contents]
    found = [(file.path, file.rendered, data) for file, data in contents]
    return found, [problem for one in parsed for problem in one.problems]


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("with_kubectl", [True, False], ids=["kubectl", "none"])
def test_a_folder_is_read_like_its_commit(
    repository: GitRepository, make: Make, lay_out: Any, kubectl_path: Path, name: str, *, with_kubectl: bool
) -> None:
    """With kubectl and without it: what a check says is what a service would say."""
    kubectl = kubectl_path if with_kubectl else None
    repository.commit(TREES[name])
    folder = lay_out(TREES[name], kubectl=kubectl)
    committed, read = seen(make(kubectl=kubectl)), seen(folder)
    folder.close()
    assert read == committed
    assert read != ([], [])
