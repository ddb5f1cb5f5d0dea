"""`reconciler demo` as a newcomer runs it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from tests.e2e.command import Command

#: Seconds for one test: each starts several processes, and a busy machine takes its time with them.
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def demo(tmp_path: Path) -> Command:
    """The command with a home and a folder for temporary files of its own, both empty."""
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    return Command(tmp_path / "home", {"TMPDIR": str(tmp_path / "tmp")})


def left_behind(demo: Command) -> list[str]:
    """What stands in its folders."""
    return [str(path) for path in demo.folder.parent.rglob("*") if path.parent != demo.folder.parent]


def test_the_whole_story_is_told_and_nothing_stays(demo: Command) -> None:
    """Inline endpoints, WorkloadEntries behind a selector, Pods that join: converged, and nothing is left on the disk."""
    told = demo("demo", code=0).out
    titles = re.findall(r"^== (.*)$", told, re.MULTILINE)
    assert len(titles) == 5
    assert "svc1.internal.com:80  vm 90.0 % (2), pod 10.0 % (2)" in told
    assert "\nThe story is over: cluster and registry hold what Git says.\n" in told
    assert left_behind(demo) == []


@pytest.mark.parametrize("by", [SIGTERM, SIGINT])
def test_kept_it_takes_a_push_and_ends_when_told_to(by: Signals, demo: Command) -> None:
    """The lines that it prints can be typed as they are."""
    with demo.start("demo", "--keep") as mesh:
        seen = mesh.wait_for("Ctrl-C ends it")
        clone, edit, push = (line.strip() for line in mesh.lines[seen - 4 : seen - 1])
        script = "\n".join((clone, edit.replace("$EDITOR", "sed -i s/10.20.1.11/10.20.1.99/"), push))
        who = {f"GIT_{role}_{what}": "me" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        shell = ["/bin/sh", "-ec", script]
        subprocess.run(shell, cwd=demo.folder, env={**demo.environment, **who}, check=True, capture_output=True, timeout=30)
        mesh.wait_for("rollout  shop/billing  applying, step 1 of 1", seen)
        mesh.wait_for("shop/billing: through", seen)
        assert mesh.end(by) == 0
    assert all("my-mesh" in path for path in left_behind(demo))
