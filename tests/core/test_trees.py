"""Which files are manifests."""

import pytest

from reconciler.core.trees import is_hidden, is_kustomization, is_manifest


@pytest.mark.parametrize("path", ["a.yaml", "shop/b.yml", "shop/deep/c.json", "shop/a.b.yaml"])
def test_manifests_end_in_one_of_three_ways(path: str) -> None:
    """Folders play no part."""
    assert is_manifest(path)


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "LICENSE",
        "a.yaml.bak",
        "a.YAML",
        ".a.yaml",
        "shop/.b.yaml",
        ".github/c.yml",
        "kustomization.yaml",
        "d/Kustomization",
    ],
)
def test_everything_else_is_left_alone(path: str) -> None:
    """Other names, what is hidden, and kustomize's own files."""
    assert not is_manifest(path)


def test_hidden_means_any_step_that_begins_with_a_dot() -> None:
    """A dot elsewhere hides nothing."""
    assert is_hidden(".a")
    assert is_hidden("a/.b/c.yaml")
    assert not is_hidden("a.b/c..yaml")


def test_a_kustomization_has_one_of_three_names() -> None:
    """As kustomize has it; case counts."""
    assert all(is_kustomization(path) for path in ("kustomization.yaml", "a/kustomization.yml", "a/b/Kustomization"))
    assert not any(is_kustomization(path) for path in ("kustomization", "Kustomization.yaml", "my-kustomization.yaml"))
