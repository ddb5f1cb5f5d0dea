"""`reconciler init`: from the copied template to a converged mesh, by the commands that it and its CI files name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from reconciler.cli.init import template
from tests.e2e.command import Ended
from tests.e2e.site import NETWORKING, Site
from tests.e2e.test_rights import VIEW

#: Seconds for one test: each starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)

FIRST_COMMIT = "git init --quiet -b main && git add -A && git commit --quiet -m 'Start from the template'"


def shell(site: Site, folder: Path, script: str, **more: str) -> Ended:
    """Run a script as a person or a pipeline does."""
    who = {f"GIT_{role}_{what}": "me@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**site.reconciler.environment, **who, **more}
    done = subprocess.run(
        ["/bin/bash", "-ec", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=45, check=False
    )
    assert done.returncode == 0, done
    return Ended(done.returncode, done.stdout, done.stderr)


def test_the_template_becomes_a_mesh(site: Site) -> None:
    """Copied, committed and checked by the lines that `init` prints; planned, applied; a second plan is empty."""
    site = site.with_variables(RECONCILER_NAMESPACES="shop", RECONCILER_PATH="production")
    told = site.reconciler("init", "my mesh", code=0).out
    printed = "\n".join(line.strip() for line in told.splitlines() if line.startswith("  "))
    assert "Valid: 6 files, 11 objects, 0 warnings" in shell(site, site.reconciler.folder, printed).out
    team = site.with_variables(RECONCILER_REPO=str(site.reconciler.folder / "my mesh"))
    assert "Changes are due: 15 to create" in team.reconciler("plan", code=2).out
    assert "Applied: 15 writes done" in team.reconciler("apply", "--yes", code=0).out
    assert "In sync: cluster and registry hold what Git says (15 objects)." in team.reconciler("plan", code=0).out
    assert len(team.kube.list(NETWORKING, "WorkloadEntry", "shop")) == len(team.records()) == 5


@pytest.fixture
def pull_request(site: Site, tmp_path: Path) -> Path:
    """A checkout of the template with a namespace of this test's own, and an empty folder beside it for the runner."""
    checkout = tmp_path / "checkout"
    shutil.copytree(template(), checkout)
    for path in (checkout / "production").rglob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace(": shop\n", f": {site.namespace}\n"), "utf-8")
    shell(site, checkout, FIRST_COMMIT)
    (tmp_path / "runner").mkdir()
    return checkout


def test_the_pipeline_comments_on_a_pull_request(site: Site, pull_request: Path) -> None:
    """The step of the GitHub workflow that compares runs as it stands, under a token that may only look."""
    workflow = yaml.safe_load((pull_request / ".github" / "workflows" / "mesh.yml").read_text("utf-8"))
    (step,) = [one for one in workflow["jobs"]["diff"]["steps"] if one.get("name") == "Compare with production"]
    runner = pull_request.parent / "runner"
    kubeconfig = site.server.write_kubeconfig(runner / "viewer", site.server.account(site.namespace, "viewer", VIEW).token)
    shell(site, pull_request, step["run"], RUNNER_TEMP=str(runner), KUBECONFIG_TEXT=kubeconfig.read_text("utf-8"))
    comment = (runner / "diff.md").read_text("utf-8")
    assert comment.startswith("### mesh-reconciler: Changes are due: 9 to create, 1 not-adopted")
    assert "VirtualMachine" not in comment
