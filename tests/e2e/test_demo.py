"""`reconciler demo` as a newcomer runs it."""

from __future__ import annotations

import os
import re
import select
import subprocess
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from reconciler.wiring import command_of
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


#: A row of a scene's table: step, exposure, predicted and measured share of the Pods, its interval, requests, failed.
_ROW = re.compile(
    r"^  (before|undone|[\w ]+, \d of \d) +(\d+)% +([\d.]+) % +([\d.]+) % +([\d.]+) % to ([\d.]+) % +([\d,]+) +([\d,]+)",
    re.MULTILINE,
)


def rows(told: str) -> dict[str, tuple[float, ...]]:
    """The rows of one scene by step, as numbers."""
    return {step: tuple(float(one.replace(",", "")) for one in numbers) for step, *numbers in _ROW.findall(told)}


@pytest.mark.skipif(command_of("envoy") is None, reason="there is no Envoy for this machine")
def test_the_whole_story_is_told_under_requests_and_nothing_stays(demo: Command) -> None:
    """Real Envoy and real backends: each step's share is the predicted one, no request fails, and bad Pods are taken back."""
    told = demo("demo", code=0, patience=110).out
    assert len(re.findall(r"^== ", told, re.MULTILINE)) == 8
    good, bad = told.split("\n== svc2 enters")
    found = rows(good)
    assert {step: (exposure, predicted) for step, (exposure, predicted, *_) in found.items()} == {
        "before": (0, 0),
        "Pods join, 1 of 4": (10, 5),
        "Pods join, 2 of 4": (25, 12.5),
        "Pods join, 3 of 4": (50, 25),
        "Pods join, 4 of 4": (100, 50),
        "VMs leave, 1 of 3": (25, 57.1),
        "VMs leave, 2 of 3": (50, 66.7),
        "VMs leave, 3 of 3": (100, 100),
    }
    for _, _, measured, low, high, requests, failed in found.values():
        assert low <= measured <= high
        assert requests >= 200
        assert failed == 0
    assert " requests through Envoy, 0 failed\n" in good
    assert re.search(r"shop/svc2: undoing, .*no-worse: fail, harm: the canary is worse", bad)
    found = rows(bad)
    assert found["bad Pods, 1 of 4"][1] == 10
    assert found["bad Pods, 1 of 4"][6] > 0
    assert found["undone"][2] == found["undone"][6] == 0
    assert "svc2.internal.com:80  vm 100.0 % (2)\n" in bad
    assert "\nThe story is over: every share was as predicted, and no request failed but those that the bad Pods got.\n" in bad
    assert left_behind(demo) == []


@pytest.mark.skipif(command_of("envoy") is None, reason="there is no Envoy for this machine")
def test_envoy_ends_with_a_demo_that_is_killed(demo: Command) -> None:
    """Nobody is left to stop it then."""
    with demo.start("demo") as mesh:
        mesh.wait_for("== inline endpoints become WorkloadEntries")
        (envoy,) = children(mesh.pid)
        process = os.pidfd_open(envoy)
        mesh.end(SIGKILL)
    try:
        ended, _, _ = select.select([process], [], [], 30)
        assert ended
    finally:
        os.close(process)


def children(parent: int) -> list[int]:
    """The processes that a process has started and that still run Envoy."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    found = [int(child) for task in tasks for child in task.read_text("utf-8").split()]
    return [one for one in found if "envoy" in Path(f"/proc/{one}/comm").read_text("utf-8")]


def test_without_requests_it_is_told_too_takes_a_push_and_ends_when_told_to(demo: Command) -> None:
    """Inline endpoints, WorkloadEntries behind a selector, Pods that join, VMs that leave; its last lines can be typed."""
    with demo.start("demo", "--keep", "--no-traffic") as mesh:
        seen = mesh.wait_for("Ctrl-C ends it")
        told = "\n".join(mesh.lines)
        assert len(re.findall(r"^== ", told, re.MULTILINE)) == 5
        assert "svc1.internal.com:80  pod 100.0 % (4)" in told
        assert "\nThe story is over: cluster and registry hold what Git says.\n" in told
        clone, edit, push = (line.strip() for line in mesh.lines[seen - 4 : seen - 1])
        script = "\n".join((clone, edit.replace("$EDITOR", "sed -i s/10.20.1.11/10.20.1.99/"), push))
        who = {f"GIT_{role}_{what}": "me" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        shell = ["/bin/sh", "-ec", script]
        subprocess.run(shell, cwd=demo.folder, env={**demo.environment, **who}, check=True, capture_output=True, timeout=30)
        mesh.wait_for("rollout  shop/billing  applying, step 1 of 1", seen)
        mesh.wait_for("shop/billing: through", seen)
        assert mesh.end(SIGTERM) == 0
    assert all("my-mesh" in path for path in left_behind(demo))
