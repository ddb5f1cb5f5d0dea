"""Kustomize folders of real commits, rendered by the real kubectl."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.source_git import GitSource, Limits
from reconciler.adapters.tree.codes import Code
from reconciler.core.manifests import parse_file
from reconciler.errors import InvalidInput, Problem, Unavailable
from tests.adapters.source_git.conftest import Make
from tests.contracts.source import ENTRY, FOLDER
from tests.real import report
from tests.real.git_https import GitHttps
from tests.real.git_repository import Files, GitRepository, symlink

SERVICE = """apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: billing}
spec:
  hosts: [billing.internal]
  ports: [{name: http, number: 80, protocol: HTTP}]
  resolution: STATIC
  workloadSelector: {labels: {app: billing}}
"""
PATCH = """apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: billing}
spec: {location: MESH_EXTERNAL}
"""
OVERLAY: Files = {
    "base/kustomization.yaml": "resources: [service.yaml]\n",
    "base/service.yaml": SERVICE,
    f"{FOLDER}/kustomization.yaml": "namespace: shop\nresources: [../base, own.yaml]\npatches: [{path: patch.yaml}]\n",
    f"{FOLDER}/own.yaml": SERVICE.replace("billing", "ledger"),
    f"{FOLDER}/patch.yaml": PATCH,
}


@pytest.fixture
def source(make: Make, kubectl_path: Path) -> GitSource:
    """A source that may render."""
    report.used("kubectl kustomize")
    return make(kubectl=kubectl_path)


def rendered(source: GitSource) -> dict[str, bytes]:
    """Everything of the newest commit, by path."""
    return {file.path: data for file, data in source.contents(source.files(source.poll()))}


def refusal(source: GitSource) -> list[Problem]:
    """What is said against the newest commit, when it is listed or rendered."""
    with pytest.raises(InvalidInput) as refused:
        rendered(source)
    return list(refused.value.problems)


def test_an_overlay_is_rendered_as_one_file(repository: GitRepository, source: GitSource) -> None:
    """With its base from outside the folder; its own files are not read as plain manifests too."""
    repository.commit({**OVERLAY, f"{FOLDER}-plain/x.yaml": ENTRY})
    (file,) = source.files(source.poll())
    assert (file.path, file.rendered) == (f"{FOLDER}/kustomization.yaml", True)
    parsed = parse_file(file.path, file.id, rendered(source)[file.path], rendered=True)
    assert parsed.problems == ()
    found = {manifest.key.name: (manifest.key.namespace, manifest.place.path) for manifest in parsed.manifests}
    assert found == {"billing": ("shop", "base/service.yaml"), "ledger": ("shop", f"{FOLDER}/own.yaml")}
    assert all("annotations" not in manifest.document["metadata"] for manifest in parsed.manifests)


def test_plain_folders_stand_beside_kustomize_folders(repository: GitRepository, source: GitSource) -> None:
    """Each is read in its own way, in path order; a part that nobody refers to is not rendered."""
    repository.commit(
        {
            f"{FOLDER}/a/plain.yaml": ENTRY,
            f"{FOLDER}/b/kustomization.yml": "resources: [x.yaml]\n",
            f"{FOLDER}/b/x.yaml": SERVICE,
            f"{FOLDER}/b/below/y.yaml": ENTRY,
            f"{FOLDER}/c/Kustomization": "kind: Component\n",
            f"{FOLDER}/d/plain.yaml": ENTRY,
        }
    )
    files = source.files(source.poll())
    assert [(file.path, file.rendered) for file in files] == [
        (f"{FOLDER}/a/plain.yaml", False),
        (f"{FOLDER}/b/kustomization.yml", True),
        (f"{FOLDER}/d/plain.yaml", False),
    ]
    contents = list(source.contents([files[2], files[1], files[0], files[1]]))
    assert [file for file, _ in contents] == [files[2], files[1], files[0], files[1]]
    assert contents[0][1] == ENTRY
    assert b"originAnnotations" not in contents[1][1]
    assert b"path: x.yaml" in contents[1][1]


def test_the_id_changes_with_what_goes_in_and_with_nothing_else(repository: GitRepository, source: GitSource) -> None:
    """So that a parse cache keeps what an unrelated commit leaves alone."""
    ids = []
    for more in ({}, {"README.md": b"x"}, {f"{FOLDER}/patch.yaml": PATCH.replace("EXTERNAL", "INTERNAL").encode()}):
        repository.commit({**OVERLAY, **more})
        ids.append(source.files(source.poll())[0].id)
    assert ids[0] == ids[1] != ids[2]


def test_a_rendering_asked_for_after_a_restart_must_be_listed_first(
    repository: GitRepository, source: GitSource, make: Make, kubectl_path: Path
) -> None:
    """What it is made of is known from the listing; nothing is guessed."""
    repository.commit(OVERLAY)
    files = source.files(source.poll())
    fresh = make(kubectl=kubectl_path)
    with pytest.raises(Unavailable, match="list the commit again"):
        list(fresh.contents(files))
    assert fresh.files(fresh.poll()) == files
    assert list(fresh.contents(files)) == list(source.contents(files))


def test_without_kubectl_a_kustomize_folder_is_an_error(repository: GitRepository, make: Make) -> None:
    """It is never read as plain files instead."""
    repository.commit(OVERLAY)
    assert [(problem.code, str(problem.place)) for problem in refusal(make())] == [
        (Code.KUBECTL, f"{FOLDER}/kustomization.yaml")
    ]


def test_the_network_is_never_asked(
    repository: GitRepository, source: GitSource, https: GitHttps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """URLs in every field that takes a path, charts and plugins: refused before kubectl starts, all at once."""
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    url = f"{https.url}/x.yaml"
    document: dict[str, Any] = {
        "resources": [url, "github.com/example/repo?ref=main"],
        "components": [url],
        "crds": [url],
        "patches": [{"path": url}],
        "patchesStrategicMerge": [url],
        "replacements": [{"path": url}],
        "configMapGenerator": [{"name": "c", "files": [url], "envs": [url]}],
        "openapi": {"path": url},
        "helmCharts": [{"name": "x", "repo": https.url}],
        "generators": [url],
        "transformers": ["a.yaml"],
        "validators": ["a.yaml"],
    }
    repository.commit({f"{FOLDER}/kustomization.yaml": json.dumps(document), f"{FOLDER}/a.yaml": SERVICE})
    problems = refusal(source)
    assert len(problems) == 14
    assert {problem.code for problem in problems} == {Code.REFERENCE, Code.PLUGIN}
    assert https.seen == []


@pytest.mark.case("G-04")
def test_links_and_ways_out_are_refused(repository: GitRepository, source: GitSource, tmp_path: Path) -> None:
    """Below the folder and outside of it."""
    (tmp_path / "secret.yaml").write_text(SERVICE, encoding="utf-8")
    repository.commit(
        {
            "base/kustomization.yaml": "resources: [link.yaml]\n",
            "base/link.yaml": symlink(str(tmp_path / "secret.yaml")),
            f"{FOLDER}/kustomization.yaml": f"resources: [../base, {tmp_path}/secret.yaml, ../../secret.yaml]\n",
        }
    )
    assert [(problem.code, str(problem.place)) for problem in refusal(source)] == [
        (Code.REFERENCE, f"{FOLDER}/kustomization.yaml"),
        (Code.REFERENCE, f"{FOLDER}/kustomization.yaml"),
        (Code.REFERENCE, "base/kustomization.yaml"),
    ]


def test_what_goes_in_must_be_strict_yaml(repository: GitRepository, source: GitSource) -> None:
    """A field set twice, an alias and an LFS pointer are named with file and line, of all folders at once."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"
    repository.commit(
        {
            f"{FOLDER}/a/kustomization.yaml": "resources: [x.yaml]\n",
            f"{FOLDER}/a/x.yaml": SERVICE + "kind: Other\n",
            f"{FOLDER}/b/kustomization.yaml": "resources: [x.yaml, y.yaml]\n",
            f"{FOLDER}/b/x.yaml": SERVICE.replace("STATIC", "&a STATIC"),
            f"{FOLDER}/b/y.yaml": pointer,
        }
    )
    places = [(problem.place.path, problem.place.line) for problem in refusal(source) if problem.place]
    assert places == [(f"{FOLDER}/a/x.yaml", 9), (f"{FOLDER}/b/x.yaml", 7), (f"{FOLDER}/b/y.yaml", 0)]


def test_what_kustomize_refuses_names_the_kustomization(repository: GitRepository, source: GitSource, tmp_path: Path) -> None:
    """In its own words, without our paths."""
    repository.commit({**OVERLAY, f"{FOLDER}/patch.yaml": PATCH.replace("name: billing", "name: nobody")})
    (problem,) = refusal(source)
    assert (problem.code, str(problem.place)) == (Code.RENDER, f"{FOLDER}/kustomization.yaml")
    assert "no matches for Id" in problem.message
    assert str(tmp_path) not in problem.message


def test_output_over_the_cap_is_refused(repository: GitRepository, make: Make, kubectl_path: Path) -> None:
    """It is ended, and its scratch copy is gone."""
    source = make(kubectl=kubectl_path, limits=Limits(rendered_bytes=200))
    repository.commit(OVERLAY)
    with pytest.raises(InvalidInput):
        rendered(source)
    assert list((source.mirror_path.parent / "scratch").iterdir()) == []


def test_a_kubectl_that_hangs_or_lies_is_survived(repository: GitRepository, make: Make, tmp_path: Path) -> None:
    """Whatever stands in its place."""
    repository.commit(OVERLAY)
    false = shutil.which("false")
    assert false is not None
    (problem,) = refusal(make(kubectl=Path(false)))
    assert problem.code == Code.KUBECTL


def test_the_environment_of_kustomize_holds_nothing(
    repository: GitRepository, source: GitSource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An env file may name variables without a value, which kustomize takes from its own environment."""
    monkeypatch.setenv("MESH_TOKEN", "hunter2")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    repository.commit(
        {f"{FOLDER}/kustomization.yaml": "configMapGenerator: [{name: c, envs: [x.env]}]\n", f"{FOLDER}/x.env": "MESH_TOKEN\n"}
    )
    assert b"hunter2" not in next(iter(rendered(source).values()))
