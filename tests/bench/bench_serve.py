"""`serve` as a process: its memory, and what a pass costs in which nothing, or one object, has changed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.fleet import FOLDER, Fleet
from tests.bench.mesh import Mesh, Reconciler
from tests.bench.processes import Background
from tests.bench.table import Bench, Row, Unusable, ratio, seconds
from tests.real.proxy import Proxy

SMALL, LARGE = 1_200, 10_000
#: Resident MB allowed at each of these sizes.
MEMORY = {SMALL: 120, LARGE: 250}
#: Seconds of CPU of a pass in which nothing changed.
IDLE = 0.05
#: What a change may cost at the large size, of what it costs at the small one; there are eight times as many objects.
CHANGE = 3
#: Seconds between two polls of Git, and how many of them make a window.
POLL, POLLS = 2, 10
DONE = ("Applied:", "In sync:")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at one size.

    `memory` is in MB, after the first apply and after a restart. `cpu` and `git_cpu` are seconds of an idle pass, `requests`
    (leases apart) and `git` what went to the API server and to Git in a window of idle passes. `change_...` is what one changed
    object took: CPU seconds with those of Git and of other processes that were started for it, requests, and seconds until it
    was written.
    """

    objects: int
    memory: tuple[float, float]
    cpu: float
    git_cpu: float
    requests: tuple[str, ...]
    git: tuple[str, ...]
    change_cpu: float
    change_requests: int
    change_seconds: float


def rows(bench: Bench, mesh: Mesh) -> Iterator[Row]:
    """Measure each size in turn."""
    sizes = [_look(bench, mesh, objects) for objects in bench.sizes(SMALL, LARGE)]
    for one in sizes:
        limit = MEMORY.get(one.objects, MEMORY[LARGE])
        first, again = one.memory
        yield Row(
            f"memory-{one.objects}",
            f"resident memory of serve at {one.objects:,} objects",
            f"{max(one.memory):.0f} MB",
            f"< {limit} MB",
            max(one.memory) < limit,
            f"{first:.0f} MB having applied all of them, {again:.0f} MB restarted",
            {"ours": list(one.memory)},
        )
    yield from _idle(sizes[-1])
    if len(sizes) > 1:
        yield _changed(sizes[0], sizes[-1])


def _idle(one: Seen) -> Iterator[Row]:
    what = f"a quiet pass at {one.objects:,} objects"
    yield Row(
        "idle-requests",
        f"{what}: requests",
        str(len(one.requests)),
        "0",
        not one.requests,
        f"to the API server in {POLLS} passes, watches and their renewal and the Lease apart",
    )
    yield Row(
        "idle-git",
        f"{what}: runs of Git",
        f"{len(one.git)} in {POLLS}",
        "1 ls-remote",
        set(one.git) == {"ls-remote"} and len(one.git) <= POLLS + 1,
        f"{', '.join(sorted(set(one.git)))}: {seconds(one.git_cpu)} of CPU each",
    )
    yield Row("idle-cpu", f"{what}: our CPU", seconds(one.cpu), f"< {seconds(IDLE)}", one.cpu < IDLE)


def _changed(small: Seen, large: Seen) -> Row:
    return Row(
        "change-cpu",
        "a pass after one object changed in Git",
        ratio(large.change_cpu, small.change_cpu),
        f"< {CHANGE} x",
        large.change_cpu < CHANGE * small.change_cpu,
        f"CPU of writing it and settling down, with Git's: {seconds(large.change_cpu)} at {large.objects:,} objects (written "
        f"after {seconds(large.change_seconds)}) beside {seconds(small.change_cpu)} at {small.objects:,}",
        {
            "cpu": [small.change_cpu, large.change_cpu],
            "seconds": [small.change_seconds, large.change_seconds],
            "requests": [small.change_requests, large.change_requests],
        },
    )


def _look(bench: Bench, mesh: Mesh, objects: int) -> Seen:
    folder = bench.folder(f"serve-{objects}")
    with mesh.fleet(objects) as fleet:
        ours = Reconciler.of(fleet, mesh, folder)
        bench.progress(f"serve: {objects:,} objects, first apply")
        with _serving(ours, folder / "first.log") as process:
            process.wait_for(DONE)
            time.sleep(POLL * 3)
            first = process.memory()
        mesh.holds(fleet)
        bench.progress(f"serve: {objects:,} objects, restarted")
        return _restarted(bench, replace(ours, kubeconfig=folder / "proxied"), mesh, fleet, first)


def _restarted(bench: Bench, ours: Reconciler, mesh: Mesh, fleet: Fleet, first: float) -> Seen:
    """Serve what is in sync, seen through a proxy that counts and a `git` that notes how it is called."""
    calls = ours.folder / "git.log"
    with Proxy(mesh.server.url, ca=mesh.server.ca, certificate=mesh.server.certificate) as proxy:
        mesh.server.behind(proxy.url, ours.kubeconfig)
        with _serving(ours, ours.folder / "again.log", _noting_git(ours.folder / "bin", calls)) as process:
            process.wait_for(DONE)
            time.sleep(POLL * 3)
            memory = process.memory()
            before = _Count(process, proxy, calls)
            bench.progress(f"serve: {fleet.objects:,} objects, {POLLS} quiet passes")
            time.sleep(POLL * POLLS)
            idle = _Count(process, proxy, calls)
            bench.progress(f"serve: {fleet.objects:,} objects, one of them changes")
            took = _change_one(ours, fleet, process)
            time.sleep(POLL)
            after = _Count(process, proxy, calls)
    passes = max(1, len(idle.git) - len(before.git))
    quiet = idle.cpu - before.cpu
    quiet_with_children = idle.cpu_with_children - before.cpu_with_children
    changing = after.cpu_with_children - idle.cpu_with_children
    return Seen(
        objects=fleet.objects,
        memory=(first, memory),
        cpu=quiet / passes,
        git_cpu=(idle.git_cpu - before.git_cpu) / passes,
        requests=idle.requests[len(before.requests) :],
        git=idle.git[len(before.git) :],
        change_cpu=max(0.01, changing - quiet_with_children * (took + POLL) / (POLL * POLLS)),
        change_requests=len(after.requests) - len(idle.requests),
        change_seconds=took,
    )


class _Count:
    """What has been counted up to a moment."""

    def __init__(self, process: Background, proxy: Proxy, calls: Path) -> None:
        self.cpu, self.git_cpu = process.cpu()
        self.requests = tuple(
            f"{one.method} {one.path}" for one in proxy.requests if "watch=1" not in one.path and "/leases" not in one.path
        )
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        self.git = tuple(line for line in lines if line)

    @property
    def cpu_with_children(self) -> float:
        """CPU seconds of the process and of those that it has started and that have ended."""
        return self.cpu + self.git_cpu


def _serving(ours: Reconciler, log: Path, path: Path | None = None) -> Background:
    """Changes go in one step: what is measured is a pass, not the minutes that steps are held."""
    settings = ours.folder / "settings.toml"
    settings.write_text('[rollouts]\nwithout_policy = "at-once"\n')
    command = ours.command("serve", "--allow-local", "--poll-interval", f"{POLL}s", "--config", str(settings))
    return Background(command, ours.folder, log, path)


def _change_one(ours: Reconciler, fleet: Fleet, process: Background) -> float:
    """Commit another weight of one VM; returns the seconds until it is written."""
    files = fleet.files()
    path = next(name for name in reversed(files) if name.startswith(f"{FOLDER}/{fleet.namespaces[0]}/"))
    files[path] = files[path].replace("weight: 1", "weight: 2")
    seen = len([line for line in process.said() if DONE[0] in line])
    ours.repository.commit(dict(files))
    began = time.perf_counter()
    process.wait_for(DONE[:1], seen + 1, longest=60)
    return time.perf_counter() - began


def _noting_git(folder: Path, calls: Path) -> Path:
    """A folder with a `git` that notes each subcommand and runs the real one."""
    real = shutil.which("git")
    if real is None:
        raise Unusable("git is not installed")
    folder.mkdir()
    noting = folder / "git"
    noting.write_text(
        "#!/bin/sh\n"
        'for word in "$@"; do case "$word" in [a-z]*-*|fetch|init|log) '
        f'echo "$word" >> {calls}; break;; esac; done\n'
        f'exec {real} "$@"\n',
        encoding="utf-8",
    )
    noting.chmod(0o700)
    return folder
