"""What `vm bootstrap` refuses before it asks anybody for a token."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli.main import main
from reconciler.settings import Settings

SERVER = ("--server", "https://registry.example.org")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine decides, and there is no cluster."""
    for name in [*Settings.model_fields, "config"]:
        monkeypatch.delenv(f"RECONCILER_{name.upper()}", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))


def refusal(folder: Path, *arguments: str) -> str:
    """Run the command, which must end with 1; returns what it says."""
    registry = ("--registry", f"sqlite:///{folder / 'data' / 'registry.db'}", "--data", str(folder / "data"))
    result = CliRunner().invoke(main, ["vm", "bootstrap", *SERVER, *arguments, *registry])
    assert result.exit_code == 1, result.output
    return result.output


def test_a_folder_in_gits_reach(tmp_path: Path) -> None:
    """Tokens never go to Git, whoever is named."""
    subprocess.run(["git", "init", "-q", tmp_path / "checkout"], check=True)  # noqa: S607 - the git on the path
    for place in (("-o", str(tmp_path / "checkout" / "vms")), ("-o", "csv", "--to", str(tmp_path / "checkout"))):
        assert "tokens never go to Git" in refusal(tmp_path, "shop/billing-1", *place)
    assert [one.name for one in (tmp_path / "checkout").iterdir()] == [".git"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("billing-1", "-o", "OUT"), "billing-1 must be NAMESPACE/NAME"),
        (("shop/billing/1", "-o", "OUT"), "must be NAMESPACE/NAME"),
        (("-o", "OUT"), "name one VM, or a --group"),
        (("shop/billing-1", "--group", "shop/billing", "-o", "OUT"), "name one VM, or a --group"),
        (("shop/billing-1", "-o", "csv"), "together with --to DIR"),
        (("shop/billing-1", "-o", "OUT", "--to", "OUT"), "together with --to DIR"),
        (("--group", "shop/billing", "--join-token", "FILE", "-o", "OUT"), "--join-token is for one VM"),
        (("shop/billing-1", "--new", "2", "-o", "OUT"), "--new is for a --group"),
        (("--group", "shop/web", "--new", "2", "--svc-ip", "internal", "-o", "OUT"), "nobody knows the addresses yet"),
        (("shop/nobody", "-o", "OUT"), "the registry has no record of the VM shop/nobody"),
        (("--group", "shop/nobody", "-o", "OUT"), "no record of a VM in the group shop/nobody"),
    ],
)
def test_words_that_fit_no_vm(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """Each is said with what to give instead, and nothing is written."""
    (tmp_path / "FILE").write_text("token")
    places = {name: str(tmp_path / name) for name in ("OUT", "FILE")}
    assert said in refusal(tmp_path, *(places.get(one, one) for one in arguments))
    assert not (tmp_path / "OUT").exists()
