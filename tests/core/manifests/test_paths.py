"""Field paths."""

from reconciler.core.manifests.paths import ancestors, child, render


def test_steps_become_a_path() -> None:
    """Plain words with dots, indexes and other keys in brackets."""
    assert render(["spec", "ports", 0, "number"]) == "spec.ports[0].number"
    assert render(["metadata", "labels", "a.b/c"]) == 'metadata.labels["a.b/c"]'
    assert render([0, "a"]) == "[0].a"
    assert render([]) == ""


def test_a_hostile_key_cannot_garble_a_path() -> None:
    """Quotes, backslashes and line breaks are replaced; a long key is cut."""
    assert child("a", 'x"\\\n]') == 'a["x???]"]'
    assert len(child("a", "x y" * 1000)) < 100


def test_ancestors_lead_from_a_field_to_the_document() -> None:
    """Nearest first, the empty path last."""
    assert list(ancestors('spec.ports[0].labels["a.b/c"]')) == [
        'spec.ports[0].labels["a.b/c"]',
        "spec.ports[0].labels",
        "spec.ports[0]",
        "spec.ports",
        "spec",
        "",
    ]
    assert list(ancestors("spec.ports[name=http].number"))[-1] == ""
