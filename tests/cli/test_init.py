"""What a person runs once."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli.init import template
from reconciler.cli.main import main


def files(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["new", "empty"])
def test_the_template_is_copied(name: str, tmp_path: Path) -> None:
    """Whole, dot-files included, and the next commands are told."""
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(main, ["init", str(tmp_path / name)])
    assert result.exit_code == 0
    assert files(tmp_path / name) == files(template())
    assert ".github/workflows/mesh.yml" in files(tmp_path / name)
    assert f"  cd {tmp_path / name} && git init" in result.output
    assert result.output.endswith("\n  reconciler check production\n")


def test_a_folder_with_anything_in_it_is_left_alone(tmp_path: Path) -> None:
    """And a file is no folder."""
    (tmp_path / "mine").write_text("mine")
    for target in (tmp_path, tmp_path / "mine"):
        result = CliRunner().invoke(main, ["init", str(target)])
        assert result.exit_code == 1
        assert "is not an empty folder" in result.output
    assert files(tmp_path) == {"mine": b"mine"}
