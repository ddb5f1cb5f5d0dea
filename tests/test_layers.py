"""The import rules of the package, proved on its source: what each part may know."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent
CORE = ("reconciler.core", "reconciler.errors")
PARSERS = ("pydantic", "pydantic_core", "yaml")
#: How a probe is carried out, on a VM or from here.
PROBES = ("reconciler.agent.checks", "reconciler.agent.health", "reconciler.agent.probe")
SHARED_PLUMBING = ("reconciler.adapters.sql", "reconciler.adapters.outbound", "reconciler.adapters.tree")


def modules(folder: str) -> list[Path]:
    """The Python files of a folder of the package, as paths within the package."""
    return [path.relative_to(PACKAGE) for path in sorted((PACKAGE / folder).rglob("*.py"))]


def imports(path: Path) -> Iterator[str]:
    """The full names of what a module imports anywhere in it, late imports included."""
    package = ("reconciler", *path.parent.parts)
    for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*base, *(node.module or "").split("."))).strip(".")
            # `from reconciler import ports` names a module by its last word.
            yield from (f"{origin}.{alias.name}" if origin == "reconciler" else origin for alias in node.names)


def within(name: str, *packages: str) -> bool:
    """Whether a module is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", modules("core"), ids=str)
def test_core_is_pure(path: Path) -> None:
    """Core imports the standard library, itself and errors; parsers only where manifests are read."""
    allowed = (*CORE, *(PARSERS if within(".".join(path.parts), "core.manifests") else ()))
    foreign = {
        name for name in imports(path) if name.partition(".")[0] not in sys.stdlib_module_names and not within(name, *allowed)
    }
    assert not foreign


@pytest.mark.parametrize("path", modules("adapters"), ids=str)
def test_adapters_know_core_and_ports_only(path: Path) -> None:
    """An adapter imports core, ports, errors, the agent's probes and clients of others, never another adapter."""
    own = ".".join(("reconciler", *path.with_suffix("").parts[:2]))
    allowed = (*CORE, "reconciler.ports", own, *PROBES, *SHARED_PLUMBING)
    foreign = {name for name in imports(path) if within(name, "reconciler") and not within(name, *allowed)}
    assert not foreign


@pytest.mark.parametrize("path", [path for path in modules(".") if path.parts[0] != "adapters"], ids=str)
def test_only_wiring_names_an_adapter(path: Path) -> None:
    """Whoever needs an adapter gets it from wiring."""
    assert path.parts[0] == "wiring" or not any(within(name, "reconciler.adapters") for name in imports(path))


@pytest.mark.parametrize("path", modules("agent"), ids=str)
def test_the_agent_needs_nothing(path: Path) -> None:
    """A VM has Python and its standard library: the agent imports these, itself, and the package's version."""
    foreign = {
        name
        for name in imports(path)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not within(name, "reconciler.agent")
        and name != "reconciler.__version__"
    }
    assert not foreign
