"""`reconciler check`, as a person and a pipeline use it."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from rich.progress import Progress

from reconciler.cli.check import LONG, shown, stages
from reconciler.cli.main import main

ROOT = Path(__file__).parents[2]
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\n"
ODD = ACCOUNT.replace("web", "Web")
WARNING = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.internal]
  ports: [{number: 80, name: http, protocol: HTTP}]
  location: MESH_INTERNAL
  resolution: STATIC
  workloadSelector: {labels: {app: web}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: web-1, namespace: shop}
spec: {address: 10.0.0.1, labels: {app: other}}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n"
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: serviceentries.networking.istio.io}
spec:
  group: networking.istio.io
  names: {kind: ServiceEntry, plural: serviceentries}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              x-kubernetes-preserve-unknown-fields: true
              properties:
                hosts: {type: array, maxItems: 0, items: {type: string}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below the working directory, with nothing set around it."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RECONCILER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECONCILER_DATA", str(tmp_path / "data"))
    made = tmp_path / "production"
    made.mkdir()
    return made


def check(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["check", *arguments], catch_exceptions=False)


def test_a_valid_folder_ends_with_0(folder: Path) -> None:
    """Warnings allowed; the last line counts, a note says that no CRDs were at hand."""
    (folder / "web.yaml").write_text(WARNING)
    (folder / "secret.yaml").write_text(SECRET)
    result = check("production")
    assert result.exit_code == 0
    assert "production/web.yaml:9:22: warning: ServiceEntry shop/web spec.workloadSelector.labels" in result.output
    assert "not against your Istio's CRDs: give --crds FILE" in result.output
    assert "skipped   1 v1 Secret (not managed), first at production/secret.yaml:1:1" in result.output
    assert result.output.splitlines()[-1].startswith("Valid: 2 files, 2 objects, 1 skipped by kind, 1 warning, ")


def test_an_invalid_folder_ends_with_1(folder: Path) -> None:
    """Every problem with the place that an editor jumps to."""
    (folder / "a.yaml").write_text(ODD)
    (folder / "b.yaml").write_text("a: [")
    result = check("./production/")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert any(line.startswith("production/a.yaml:4:9: error: ServiceAccount shop/Web metadata.name: ") for line in lines)
    assert any(line.startswith("production/b.yaml:2:1: error: is not valid YAML") for line in lines)
    assert lines[-1].startswith("Invalid: 2 files, 1 object, 2 errors, 0 warnings, ")


def test_a_second_run_says_the_same(folder: Path) -> None:
    """Out of its memory."""
    (folder / "a.yaml").write_text(ODD + "---\n" + WARNING)
    (first, first_end), (second, second_end) = (check("production").output.rsplit(", ", 1) for _ in range(2))
    assert first == second
    assert first_end.endswith(" s.\n")
    assert second_end.endswith(" s.\n")


@pytest.mark.parametrize("form", ["json", "markdown", "html", "sarif"])
def test_every_form_is_printed_alone(folder: Path, form: str) -> None:
    """What a file receives is that form and nothing else."""
    (folder / "a.yaml").write_text(ODD)
    result = check("production", "-o", form)
    assert result.exit_code == 1
    begins = {"json": "{", "sarif": "{", "markdown": "### mesh-reconciler: Invalid", "html": "<!doctype html>"}
    assert result.output.lstrip().startswith(begins[form])
    if form == "json":
        assert json.loads(result.output)["problems"][0]["file"] == "production/a.yaml"


def test_crds_are_asked_too(folder: Path) -> None:
    """Given by option or by variable; the report names them."""
    (folder / "web.yaml").write_text(WARNING)
    Path("crds.yaml").write_text(CRD)
    result = check("production", "--crds", "crds.yaml")
    assert result.exit_code == 1
    assert "checked against the built-in rules and the CRDs of crds.yaml" in result.output
    assert "production/web.yaml:5:" in result.output
    assert "[MR5101]" in result.output


def test_bad_crds_are_an_error(folder: Path) -> None:
    """Not a reason to check less than was asked for."""
    (folder / "web.yaml").write_text(WARNING)
    Path("crds.yaml").write_text("kind: Deployment\n")
    result = check("production", "--crds", "crds.yaml")
    assert result.exit_code == 1
    assert "Valid" not in result.output
    assert check("production", "--crds", "no-such-file").exit_code == 1


@pytest.mark.case("M-12")
def test_rules_come_from_options_variables_and_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere: an option wins over a variable, a variable over the file."""
    (folder / "a.yaml").write_text(f"{ACCOUNT}---\n{SECRET}")
    assert check("production").exit_code == 0
    assert "[MR1203]" in check("production", "--strict-kinds").output
    assert "[MR1202]" in check("production", "--namespace", "other").output
    assert check("production", "--namespace", "other", "--namespace", "shop").exit_code == 0
    Path("settings.toml").write_text('strict_kinds = true\nnamespaces = ["other"]\nrepo = "https://git.example.com"\n')
    monkeypatch.setenv("RECONCILER_CONFIG", "settings.toml")
    output = check("production").output
    assert "[MR1203]" in output
    assert "[MR1202]" in output
    monkeypatch.setenv("RECONCILER_NAMESPACES", '["shop"]')
    monkeypatch.setenv("RECONCILER_STRICT_KINDS", "false")
    assert check("production").exit_code == 0
    assert "[MR1202]" in check("production", "--namespace", "other").output


def test_the_form_of_the_report_is_a_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For whom a pipeline sets it once for all commands."""
    (folder / "a.yaml").write_text(ACCOUNT)
    Path("settings.toml").write_text('output = "json"\n')
    assert check("production", "--config", "settings.toml").output.startswith("{")
    monkeypatch.setenv("RECONCILER_OUTPUT", "markdown")
    assert check("production", "--config", "settings.toml").output.startswith("### ")
    assert check("production", "-o", "terminal").output.startswith("folder ")


def test_a_settings_file_that_cannot_be_read_is_named(folder: Path) -> None:
    """Wrong TOML is wrong use."""
    Path("settings.toml").write_text("strict_kinds =")
    result = check(str(folder), "--config", "settings.toml")
    assert result.exit_code == 1
    assert "settings.toml cannot be read" in result.output


@pytest.fixture
def overlay(folder: Path) -> Path:
    """A kustomize folder whose base lies beside it, in one working copy."""
    Path(".git").mkdir()
    Path("base").mkdir()
    Path("base/kustomization.yaml").write_text("resources: [account.yaml]\n")
    Path("base/account.yaml").write_text(ACCOUNT.replace("  namespace: shop\n", ""))
    (folder / "kustomization.yaml").write_text("namespace: shop\nresources: [../base]\n")
    return folder


def test_kustomize_folders_are_rendered(overlay: Path, kubectl_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that they need of the working copy; problems name the file to correct as it is called from here."""
    monkeypatch.setenv("RECONCILER_GIT__KUBECTL", str(kubectl_path))
    assert check("production").output.splitlines()[-1].startswith("Valid: 1 file, 1 object, 0 warnings, ")
    Path("base/account.yaml").write_text(ODD)
    for place, name in (("production", "base/account.yaml"), (f"{overlay}/", "base/account.yaml")):
        result = check(place)
        assert result.exit_code == 1
        assert f"{name}: error: ServiceAccount shop/Web metadata.name: " in result.output
    monkeypatch.chdir(overlay)
    assert "../base/account.yaml: error: ServiceAccount shop/Web metadata.name: " in check(".").output


def test_an_unchanged_kustomize_folder_is_not_rendered_again(
    overlay: Path, kubectl_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found is remembered for what goes in, wherever it lies, and for the version of kustomize."""
    renderer = Path("kubectl")
    renderer.write_text(f'#!/bin/sh\necho "$1" >> {Path("calls").absolute()}\nexec {kubectl_path} "$@"\n')
    renderer.chmod(0o755)
    monkeypatch.setenv("RECONCILER_GIT__KUBECTL", str(renderer.absolute()))
    for _ in range(2):
        assert check("production").exit_code == 0
    assert Path("calls").read_text().split() == ["version", "kustomize", "version"]
    Path("base/account.yaml").write_text(ODD)
    assert check("production").exit_code == 1
    assert Path("calls").read_text().split()[3:] == ["version", "kustomize"]


def test_without_kubectl_a_kustomize_folder_is_an_error(overlay: Path) -> None:
    """Never plain files instead; and what is missing on this machine is not remembered as a fault of the folder."""
    Path("settings.toml").write_text('[git]\nkubectl = "no-such-program"\n')
    result = check("production", "--config", "settings.toml")
    assert result.exit_code == 1
    assert (
        "production/kustomization.yaml: error: needs kubectl, which renders it: install it, or set git.kubectl" in result.output
    )


def test_the_caps_of_git_bind_a_check_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same settings, so that a check refuses what a service would refuse, and takes what it would take."""
    (folder / "a.yaml").write_text(ACCOUNT + "#" * 1_048_576)
    assert "production/a.yaml: error: has 1048" in check("production").output
    monkeypatch.setenv("RECONCILER_GIT__MAX_FILE_BYTES", "2000000")
    assert check("production").exit_code == 0
    Path("settings.toml").write_text("[git]\nmax_file_bytes = 3\n")
    assert check("production", "--config", "settings.toml").exit_code == 0
    monkeypatch.delenv("RECONCILER_GIT__MAX_FILE_BYTES")
    assert check("production", "--config", "settings.toml").exit_code == 1
    Path("settings.toml").write_text('[git]\nmax_file_bytes = "much"\n')
    assert "Usage: " in check("production", "--config", "settings.toml").output


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("escape\x1b[31m.yaml", ACCOUNT.encode()),
        ("half\udce9.yaml", ACCOUNT.encode()),
        ("a.yaml", b"apiVersion: v1\nkind: \x1b]0;owned\x07\n"),
        ("a.yaml", b'apiVersion: networking.istio.io/v1\nkind: "Serv\\u202eice"\nmetadata: {name: x}\n'),
        ("a.yaml", b"[" * 100_000),
        ("a.yaml", b"\xff\xfe\x00"),
    ],
)
@pytest.mark.case("M-02", "M-07", "W-17")
def test_hostile_folders_end_in_an_error_that_can_be_read(folder: Path, name: str, data: bytes) -> None:
    """No crash, no escape on the terminal, whatever files are called and whatever is in them."""
    (folder / name).write_bytes(data)
    result = check("production")
    assert result.exit_code == 1
    assert "error: " in result.output
    assert all(line.isprintable() for line in result.output.split("\n"))


def test_long_stages_have_a_progress_bar() -> None:
    """Short ones would only flicker."""
    with Progress(console=Console(file=io.StringIO(), force_terminal=True)) as bar:
        stage = stages(bar)
        for name, pieces in (("reading", LONG + 50), ("checking", LONG - 1)):
            done = stage(name, pieces)
            for _ in range(pieces):
                done()
        assert [(task.description, task.total, task.completed) for task in bar.tasks] == [("reading", LONG + 50, LONG + 50)]


def test_places_are_relative_only_below_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere they are as the folder was given."""
    assert shown(folder) == shown(Path("production/")) == shown(Path("./production")) == "production"
    assert shown(Path()) == "."
    monkeypatch.chdir(folder)
    assert shown(folder.parent) == str(folder.parent)
    assert shown(Path("..")) == ".."


@pytest.mark.parametrize(
    ("warm", "never"),
    [
        (False, {"kubernetes", "sqlalchemy", "alembic", "pydantic_settings", "git", "urllib3", "apscheduler"}),
        (
            True,
            {"kubernetes", "sqlalchemy", "pydantic", "pydantic_settings", "git", "yaml", "jsonschema_rs", "jinja2"}
            | {"reconciler.core.rollouts", "reconciler.core.gates", "reconciler.core.validation"},
        ),
    ],
)
def test_it_imports_no_client_and_next_to_nothing_when_nothing_changed(folder: Path, *, warm: bool, never: set[str]) -> None:
    """The cluster's client alone takes longer than a check of a thousand files."""
    (folder / "a.yaml").write_text(ACCOUNT)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from reconciler.cli.main import main\n"
        "try: main(['check', 'production'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print('LOADED', *sys.modules)"
    )
    loaded: set[str] = set()
    for _ in range(1 + warm):
        done = subprocess.run([sys.executable, "-c", code], cwd=folder.parent, capture_output=True, text=True, check=True)
        loaded = set(done.stdout.partition("LOADED ")[2].split())
    assert "reconciler.desired.checking" in loaded
    assert not loaded & never


POLICY = """
apiVersion: mesh-reconciler.io/v1alpha1
kind: RolloutPolicy
metadata: {name: all, namespace: shop}
spec:
  gates:
    - name: sign-off
      approval: {role: admin}
    - name: queue
      prometheus: {template: queue, max: 1}
    - name: only-told
      mode: observe
      approval: {role: admin}
"""


def test_gates_that_nobody_could_pass_are_told_where_the_settings_are_known(folder: Path) -> None:
    """A role that no person has, a template that the operator does not offer; without a settings file nobody knows."""
    (folder / "a.yaml").write_text(POLICY)
    assert "MR3305" not in check("production").output
    Path("settings.toml").write_text('[people.zoe]\nlogins = ["zoe"]\n')
    found = check("production", "--config", "settings.toml")
    assert found.exit_code == 0
    assert (
        "a.yaml:7:7: warning: RolloutPolicy shop/all spec.gates[0]: gate sign-off can never pass: it asks for" in found.output
    )
    assert "a.yaml:9:7: warning: RolloutPolicy shop/all spec.gates[1]: gate queue can never pass" in found.output
    assert "only-told" not in found.output
    Path("settings.toml").write_text('[people.zoe]\nrole = "admin"\n[gates.templates.queue]\nquery = "up"\n')
    assert "MR3305" not in check("production", "--config", "settings.toml").output, "the settings are a part of what is kept"


def test_settings_of_people_that_are_wrong_are_named(folder: Path) -> None:
    """As by every other command."""
    (folder / "a.yaml").write_text(POLICY)
    Path("settings.toml").write_text('[people.zoe]\nrole = "king"\n')
    result = check("production", "--config", "settings.toml")
    assert result.exit_code == 1
    assert "people.zoe.role" in result.output
