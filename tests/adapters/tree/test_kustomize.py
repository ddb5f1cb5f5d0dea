"""What a kustomization may hold: harmless fields, and paths to what the commit holds."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.entries import Entry
from reconciler.adapters.tree.kustomize import Kustomization, read_all, references
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.adapters.tree.overlays import below_kustomization, renderings
from reconciler.errors import Place, Problem

LIMITS = TreeLimits()
Tree = dict[str, Entry]


def tree_of(**files: Any) -> tuple[Tree, dict[str, bytes]]:
    """A tree from path (`__` for `/`, `_yaml` for `.yaml`, `_txt` for `.txt`) to JSON content."""
    contents = {
        name.replace("__", "/").replace("_yaml", ".yaml").replace("_txt", ".txt"): json.dumps(content).encode()
        for name, content in files.items()
    }
    return {path: Entry(path, "100644", f"{at:040}", len(data)) for at, (path, data) in enumerate(contents.items())}, contents


def follow(tree: Tree, contents: dict[str, bytes], *starts: str) -> tuple[dict[Entry, Kustomization], list[Problem]]:
    """Read kustomizations from these on."""

    def read(entries: Sequence[Entry]) -> list[bytes]:
        return [contents[entry.path] for entry in entries]

    return read_all([tree[path] for path in starts], tree.get, LIMITS, read)


def said(document: Any, *others: str) -> list[tuple[str, str]]:
    """Code and field of what is said against a kustomization at the top, beside other files."""
    tree, contents = tree_of(kustomization_yaml=document, **{other: {} for other in others})
    _, problems = follow(tree, contents, "kustomization.yaml")
    return [(problem.code, problem.field) for problem in problems]


def test_everything_harmless_is_accepted() -> None:
    """Local files and folders, names, labels, patches in place and by file, generators over local files."""
    document = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "shop",
        "namePrefix": "a-",
        "labels": [{"pairs": {"a": "b"}}],
        "resources": ["a.yaml", "./base", "base/../a.yaml"],
        "components": ["part/"],
        "patches": [{"path": "p.yaml", "target": {"kind": "Service"}}, {"patch": "- op: remove\n  path: /spec"}],
        "patchesStrategicMerge": ["p.yaml", "kind: Service\nmetadata: {name: a}\n"],
        "replacements": [{"path": "p.yaml"}, {"source": {}, "targets": []}],
        "configMapGenerator": [{"name": "c", "files": ["p.yaml", "key=p.yaml"], "envs": ["p.yaml"], "literals": ["a=b"]}],
        "secretGenerator": [{"name": "s", "env": "p.yaml"}],
        "images": [{"name": "x", "newTag": "1"}],
        "openapi": {"path": "p.yaml"},
        "crds": ["p.yaml"],
        "configurations": ["p.yaml"],
        "buildMetadata": ["managedByLabel"],
    }
    assert said(document, "a_yaml", "p_yaml", "base__kustomization_yaml", "part__kustomization_yaml") == []


@pytest.mark.parametrize(
    "field",
    [
        "helmCharts",
        "helmGlobals",
        "helmChartInflationGenerator",
        "generators",
        "transformers",
        "validators",
        "inventory",
        "Resources",
        "x",
    ],
)
def test_what_may_run_programs_is_refused(field: str) -> None:
    """Charts, plugins, unknown fields, and known ones in another case, which kustomize would take."""
    assert said({field: ["a.yaml"]}, "a_yaml") == [(Code.PLUGIN, field)]


@pytest.mark.parametrize(
    "document",
    [
        {"patches": [{"Path": "a.yaml"}]},
        {"patches": ["a.yaml"]},
        {"configMapGenerator": [{"kvSources": []}]},
        {"secretGenerator": "a.yaml"},
        {"openapi": {"Path": "a.yaml"}},
        {"openapi": "a.yaml"},
        {"buildMetadata": "originAnnotations"},
    ],
)
def test_odd_shapes_are_refused(document: Any) -> None:
    """Whatever kustomize might make of them."""
    assert [code for code, _ in said(document, "a_yaml")] == [Code.PLUGIN]


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/a.yaml",
        "http:a.yaml",
        "github.com/org/repo//base?ref=main",
        "github.com/org/repo",
        "git@github.com:org/repo.git",
        "git::https://example.com/repo",
        "file:///etc/passwd",
        "/etc/passwd",
        "~/a.yaml",
        "../a.yaml",
        "a/../../a.yaml",
        "a//b.yaml",
        "*.yaml",
        "-a.yaml",
        "%61.yaml",
        "a\nb",
        "missing.yaml",
        "",
        ".",
        "empty",
        "base/kustomization.yaml",
    ],
)
@pytest.mark.parametrize("field", ["resources", "bases", "components", "crds"])
def test_only_paths_to_what_is_there_are_accepted(field: str, text: str) -> None:
    """URLs, other repositories, ways out, patterns and what the commit does not hold."""
    expected = (
        [] if (field, text) in {("resources", "."), ("bases", "."), ("components", ".")} else [(Code.REFERENCE, f"{field}[0]")]
    )
    assert said({field: [text]}, "empty__README", "base__kustomization_yaml") == expected


@pytest.mark.parametrize(
    "document",
    [
        {"patches": [{"path": "https://example.com/p.yaml"}]},
        {"patchesJson6902": [{"path": "../p.yaml"}]},
        {"patchesStrategicMerge": ["https://example.com/p.yaml"]},
        {"replacements": [{"path": "missing.yaml"}]},
        {"configMapGenerator": [{"files": ["key=/etc/passwd"]}]},
        {"configMapGenerator": [{"envs": ["../.env"]}]},
        {"secretGenerator": [{"env": "/proc/self/environ"}]},
        {"openapi": {"path": "https://example.com/schema.json"}},
        {"resources": [1]},
        {"resources": "a.yaml"},
        {"patches": [{"path": {"a": "b"}}]},
    ],
)
def test_paths_are_judged_in_every_field(document: Any) -> None:
    """Patches, generators and schemas read files too."""
    assert [code for code, _ in said(document, "a_yaml")] == [Code.REFERENCE]


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_links_are_not_followed(mode: str) -> None:
    """A reference to a symlink or a submodule leads nowhere."""
    tree, contents = tree_of(kustomization_yaml={"resources": ["a.yaml"]}, a_yaml={})
    tree["a.yaml"] = Entry("a.yaml", mode, "f" * 40, 5)
    assert [problem.code for problem in follow(tree, contents, "kustomization.yaml")[1]] == [Code.REFERENCE]


@pytest.mark.parametrize(
    "text", [b"[]", b"a: 1\n---\nb: 2\n", b"", b"resources: &a [x]\n", b"resources: [a]\nresources: [b]\n", b"{", b"\xff"]
)
def test_only_strict_yaml_is_read(text: bytes) -> None:
    """What two parsers could read differently is refused with its place."""
    tree, contents = tree_of(kustomization_yaml={})
    contents["kustomization.yaml"] = text
    problems = follow(tree, contents, "kustomization.yaml")[1]
    assert problems
    assert all(problem.place and problem.place.path == "kustomization.yaml" for problem in problems)


def test_every_problem_is_said_at_once() -> None:
    """Of one file and of those it refers to."""
    tree, contents = tree_of(
        kustomization_yaml={"helmCharts": [], "resources": ["base", "x.yaml"]},
        base__kustomization_yaml={"resources": ["../../y"]},
    )
    problems = follow(tree, contents, "kustomization.yaml")[1]
    assert [(str(problem.place), problem.field) for problem in problems] == [
        ("kustomization.yaml", "helmCharts"),
        ("kustomization.yaml", "resources[1]"),
        ("base/kustomization.yaml", "resources[0]"),
    ]


def test_the_folders_that_nobody_refers_to_are_rendered() -> None:
    """With all that they need, also from outside the manifest folder; parts and bases are not rendered alone."""
    tree, contents = tree_of(
        base__kustomization_yaml={"resources": ["a.yaml"]},
        base__a_yaml={},
        prod__kustomization_yaml={"resources": ["../base", "mid"], "components": ["part"]},
        prod__mid__kustomization_yaml={"resources": ["b.yaml"]},
        prod__mid__b_yaml={},
        prod__part__kustomization_yaml={"kind": "Component", "patches": [{"path": "p.yaml"}]},
        prod__part__p_yaml={},
        prod__lonely__kustomization_yaml={"kind": "Component"},
        prod__own__kustomization_yaml={"configMapGenerator": [{"files": ["x.txt"]}]},
        prod__own__x_txt={},
    )
    within = [entry for path, entry in tree.items() if path.startswith("prod/") and path.endswith("kustomization.yaml")]
    known, problems = follow(tree, contents, *(entry.path for entry in within))
    found, more = renderings(known, within, LIMITS)
    assert [*problems, *more] == []
    prod, own = found
    assert [one.entry.path for one in prod.kustomizations] == [
        "base/kustomization.yaml",
        "prod/kustomization.yaml",
        "prod/mid/kustomization.yaml",
        "prod/part/kustomization.yaml",
    ]
    assert [entry.path for entry in prod.files] == ["base/a.yaml", "prod/mid/b.yaml", "prod/part/p.yaml"]
    assert (own.root.folder, own.yaml) == ("prod/own", frozenset())


def test_a_circle_is_said_rather_than_dropped() -> None:
    """Two folders that refer to each other have no beginning."""
    tree, contents = tree_of(a__kustomization_yaml={"resources": ["../b"]}, b__kustomization_yaml={"resources": ["../a"]})
    known, _ = follow(tree, contents, *tree)
    found, problems = renderings(known, tree.values(), LIMITS)
    assert found == []
    assert [problem.code for problem in problems] == [Code.REFERENCE, Code.REFERENCE]


def test_the_id_of_a_rendering_says_what_goes_in() -> None:
    """Another file, another content or another kustomize make another id; anything else in the commit does not."""
    ids = set()
    for content, version in (("one", "v5"), ("two", "v5"), ("two", "v6")):
        tree, contents = tree_of(kustomization_yaml={"resources": ["a.yaml"]}, a_yaml=content, other_yaml={})
        tree["a.yaml"] = Entry("a.yaml", "100644", content.ljust(40, "0"), 5)
        known, _ = follow(tree, contents, "kustomization.yaml")
        ids.add(renderings(known, [tree["kustomization.yaml"]], LIMITS)[0][0].id(version))
        tree["other.yaml"] = Entry("other.yaml", "100644", "9" * 40, 7)
        ids.add(renderings(known, [tree["kustomization.yaml"]], LIMITS)[0][0].id(version))
    assert len(ids) == 3


def test_a_rendering_over_the_caps_is_refused() -> None:
    """Its files count as manifests do."""
    tree, contents = tree_of(kustomization_yaml={"resources": ["a.yaml", "b.yaml"]}, a_yaml={}, b_yaml={})
    known, _ = follow(tree, contents, "kustomization.yaml")
    _, problems = renderings(known, [tree["kustomization.yaml"]], TreeLimits(files=1))
    assert [problem.code for problem in problems] == [Code.CAP]


def test_what_lies_below_a_kustomization_is_its_own() -> None:
    """Such files are never plain manifests too."""
    tree, _ = tree_of(a__kustomization_yaml={}, a__x_yaml={}, a__b__y_yaml={}, ab__z_yaml={})
    assert below_kustomization(tree.values(), [tree["a/kustomization.yaml"]]) == {
        "a/kustomization.yaml",
        "a/x.yaml",
        "a/b/y.yaml",
    }
    top, _ = tree_of(kustomization_yaml={}, x_yaml={})
    assert below_kustomization(top.values(), [top["kustomization.yaml"]]) == set(top)


def test_references_name_their_fields() -> None:
    """So that a problem can be found in a long file."""
    found = list(references({"resources": ["a"], "patches": [{"path": "b"}]}, Place("k")))
    assert [getattr(one, "field", "") for one in found] == ["resources[0]", "patches[0].path"]
