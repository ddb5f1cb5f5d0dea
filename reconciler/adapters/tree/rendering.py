"""Rendering kustomize folders with `kubectl kustomize` on a scratch copy.

The copy holds exactly the files that the kustomizations refer to, and kustomizations as we read them, so that kustomize sees
nothing else than what was judged. kubectl runs without PATH, kubeconfig, proxies and plugins, with a deadline and caps.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.entries import Read, pointer_problem
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.adapters.tree.overlays import Rendering
from reconciler.adapters.tree.process import Bounds, Finished, run
from reconciler.adapters.tree.words import said
from reconciler.core.manifests.loader import load
from reconciler.errors import InvalidInput, Problem

#: Folders that are rendered at the same time.
_RENDERERS = 4
#: Makes kustomize write into each object which file it came from.
_ORIGIN = "originAnnotations"


class Kustomize:
    """kubectl as the renderer of one tree. It takes at most `seconds` for one folder, and works in folders below `scratch`."""

    def __init__(self, kubectl: Path, read: Read, scratch: Path, limits: TreeLimits, seconds: float = 60) -> None:
        self._kubectl, self._read, self._scratch = kubectl, read, scratch
        self._bounds = Bounds(seconds, limits.rendered_bytes, limits.memory_bytes, limits.total_bytes)

    @cached_property
    def version(self) -> str:
        """The version of kustomize in kubectl. Raises InvalidInput where kubectl does not tell."""
        command = (self._kubectl, "version", "--client", "--output=json")
        finished = run(command, _environment(self._scratch), self._scratch, self._bounds)
        try:
            return str(json.loads(finished.output)["kustomizeVersion"])
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self._kubectl} does not tell its version of kustomize: {said(finished.errors)}"
            raise InvalidInput(message, code=Code.KUBECTL) from error

    def render(self, renderings: Sequence[Rendering]) -> list[bytes]:
        """Render folders, some at a time. Raises InvalidInput with the problems of all of them, and as reading does."""
        with ThreadPoolExecutor(_RENDERERS) as pool:
            results = list(pool.map(self._rendered, renderings))
        problems = [problem for result in results if not isinstance(result, bytes) for problem in result]
        if problems:
            raise InvalidInput(dict.fromkeys(problems))
        return [result for result in results if isinstance(result, bytes)]

    def _rendered(self, rendering: Rendering) -> bytes | list[Problem]:
        contents = self._read(rendering.files)
        problems = list(_text_problems(rendering, contents))
        if problems:
            return problems
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="kustomize-") as scratch:
            copy, home = Path(scratch, "repository"), Path(scratch, "home")
            home.mkdir()
            _lay_out(copy, rendering, contents)
            folder = copy / rendering.root.folder
            command = (self._kubectl, "kustomize", "--enable-helm=false", "--enable-alpha-plugins=false", folder)
            finished = run(command, _environment(home), home, self._bounds)
            return finished.output if finished.ok else [_refused(rendering, finished, f"{copy}/")]


def _environment(home: Path) -> dict[str, str]:
    """Nothing of ours, and no PATH: kustomize would look there for git, helm and plugins."""
    folders = dict.fromkeys(("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR"), str(home))
    return {**folders, "KUBECONFIG": "/dev/null", "TZ": "UTC", "LANGUAGE": "C", "LC_ALL": "C"}


def _text_problems(rendering: Rendering, contents: Sequence[bytes]) -> Iterator[Problem]:
    """Hold what goes in against the same strict rules as plain manifests: kustomize would silently take one of two readings."""
    for entry, data in zip(rendering.files, contents, strict=True):
        if pointer := pointer_problem(entry, data):
            yield pointer
        elif entry.path in rendering.yaml:
            yield from load(entry.path, data).problems


def _lay_out(copy: Path, rendering: Rendering, contents: Sequence[bytes]) -> None:
    """Write the scratch copy. Every path was judged to be plain and relative, and nothing in it is ever a link."""
    for entry, data in zip(rendering.files, contents, strict=True):
        _write(copy / entry.path, data)
    for one in rendering.kustomizations:
        document = one.document
        if one is rendering.root:
            asked = document.get("buildMetadata")
            document = {
                **document,
                "buildMetadata": [_ORIGIN, *(one for one in asked if one != _ORIGIN)] if asked else [_ORIGIN],
            }
        _write(copy / one.entry.path, json.dumps(document).encode())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _refused(rendering: Rendering, finished: Finished, scratch: str) -> Problem:
    why = str(finished.stopped) if finished.stopped else said(finished.errors.replace(scratch, ""))
    return Problem(Code.RENDER, f"kustomize cannot render it: {why}", place=rendering.root.entry.place)
