"""Istio's CRDs, as its Go module publishes them: the lowest and the newest version that the tests cover."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.real.binaries import GoPart
from tests.real.kube import Kube, Refused
from tests.real.locations import Progress, cache, lock
from tests.real.missing import PartMissing
from tests.real.processes import wait_until
from tests.real.toolchain import environment, go

Which = Literal["lowest", "newest"]
WHICH: tuple[Which, ...] = ("lowest", "newest")


def _silent(line: str) -> None:
    """The progress of a download of one second is of no interest."""


def istio_version(which: Which) -> str:
    """The version of `istio.io/api` that is pinned as the lowest or the newest one, for instance 1.24.2."""
    return _part(which).version


def crds(which: Which = "newest", progress: Progress = _silent) -> Path:
    """The file with all CRDs (several YAML documents) of the lowest or the newest covered Istio.

    Raises PartMissing when it is neither in the cache nor to be had from the module proxy.
    """
    part = _part(which)
    kept = cache() / f"istio-crds-{part.version}-{part.digest}.yaml"
    if not kept.exists():
        with lock(cache() / "istio-crds.lock", progress, "it downloads Istio's CRDs"):
            if not kept.exists():
                progress(f"downloading Istio's CRDs {part.version}")
                partial = kept.with_name(f".{kept.name}.{os.getpid()}")
                shutil.copyfile(_download(part, progress), partial)
                partial.replace(kept)
    return kept


def crd_documents(which: Which = "newest", progress: Progress = _silent) -> list[dict[str, Any]]:
    """The CRDs as parsed documents. The parsed form is kept beside the file: parsing takes a second, reading 50 ms."""
    source = crds(which, progress)
    parsed = source.with_suffix(".json")
    if not parsed.exists():
        documents = [document for document in yaml.load_all(source.read_bytes(), yaml.CSafeLoader) if document]
        partial = parsed.with_name(f".{parsed.name}.{os.getpid()}")
        partial.write_text(json.dumps(documents), encoding="utf-8")
        partial.replace(parsed)
    read: list[dict[str, Any]] = json.loads(parsed.read_bytes())
    return read


def install_crds(kube: Kube, documents: Sequence[dict[str, Any]]) -> None:
    """Create the CRDs that are not there yet, and wait until the server serves all of them."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    def create(document: dict[str, Any]) -> None:
        try:
            kube.request("POST", path, document)
        except Refused as refused:
            if refused.status != 409:
                raise

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, documents))
    names = {document["metadata"]["name"] for document in documents}

    def served() -> bool:
        groups = {document["spec"]["group"] for document in documents}
        return names <= {name for group in groups for name in _served_names(kube, group)}

    wait_until("the API of Istio's CRDs", served)


def _served_names(kube: Kube, group: str) -> set[str]:
    try:
        versions = kube.request("GET", f"/apis/{group}")["versions"]
        lists = [kube.request("GET", f"/apis/{version['groupVersion']}") for version in versions]
    except Refused as refused:
        if refused.status != 404:
            raise
        return set()
    return {f"{resource['name']}.{group}" for answer in lists for resource in answer["resources"]}


def _part(which: Which) -> GoPart:
    return GoPart(f"istio-crds/{which}", "istio.io/api", "")


def _download(part: GoPart, progress: Progress) -> Path:
    command = go(part.go_version, progress)
    done = subprocess.run(
        [command, "mod", "download", "-json", part.module],
        cwd=part.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    answer = json.loads(done.stdout or "{}")
    if done.returncode or "Dir" not in answer:
        raise PartMissing(f"Istio's CRDs {part.version}: {answer.get('Error') or done.stderr.strip()}")
    return Path(answer["Dir"]) / "kubernetes" / "customresourcedefinitions.gen.yaml"
