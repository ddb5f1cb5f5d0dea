"""The demo: push the story, let `serve` carry it out, show each plan and what became of it."""

import queue
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from reconciler.core.istio import ServiceEntry
from reconciler.core.plans import Split
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Pod
from reconciler.core.rollouts.effective import at
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.splits import splits
from reconciler.core.world import World
from reconciler.cycle.service import Service
from reconciler.demo.mesh import Machines, Repository
from reconciler.demo.story import NAMESPACE, Chapter, Story
from reconciler.demo.traffic import Traffic, flowing
from reconciler.errors import Unavailable
from reconciler.reports import words
from reconciler.settings import GitSettings, RolloutSettings, Settings
from reconciler.wiring import Target, assembled, embedded_cluster, embedded_metrics, system_clock, working_copy_watch

#: Longest time from a push to the state that it asks for.
PATIENCE = 20.0


class Pods(Protocol):
    """Where Pods appear: the one hand of somebody else in the story."""

    def put_pod(self, pod: Pod) -> None: ...


class Demo:
    """One embedded mesh and the service that looks after it. `count` tells the gates of requests, as `embedded_metrics`."""

    def __init__(
        self,
        folder: Path,
        target: Target,
        pods: Pods,
        repository: Repository,
        count: Callable[[str, str, str, int, int], None],
    ) -> None:
        self.folder, self.target, self.repository = folder, target, repository
        self._pods, self._count = pods, count
        self._reports: queue.Queue[Report] = queue.Queue()
        self._service = Service(
            target.cycle,
            poll=target.settings.poll_interval,
            report=self._reports.put,
            watch=working_copy_watch(target.settings),
        )
        self._thread = threading.Thread(target=self._service.run, name="serve", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._service.stop()
        self._thread.join(PATIENCE)

    def play(self, chapter: Chapter, unit: str) -> Iterator[Report]:
        """Make one thing happen to a unit; yields reports until it has, or has been undone. Raises Unavailable."""
        commit = self.repository.push(chapter.title, dict(chapter.files)) if chapter.files else self.repository.head()
        coming = deque(chapter.pods)
        if not chapter.files:
            self._join(coming)
        for report in self.reports_until(commit, unit if chapter.fails else ""):
            yield report
            if any(one.unit == unit and one.phase is Phase.SOAKING for one in report.rollouts):
                self._join(coming)

    def _join(self, pods: deque[Pod]) -> None:
        while pods:
            self._pods.put_pod(pods.popleft())

    def reports(self) -> Iterator[Report]:
        """Yield every report from now on, for ever."""
        while True:
            yield self._reports.get()

    def traffic(self) -> tuple[str, ...]:
        """Return the predicted split of each service, a line each."""
        observed = self.target.cycle.observe()
        entries = [ServiceEntry.of(live.document) for key, live in observed.objects.items() if key.kind == "ServiceEntry"]
        services = [(entry.key.namespace, host) for entry in entries for host in entry.hosts]
        return tuple(f"{one.service}:{one.port}  {words.split(one)}" for one in splits(World.of(observed), services))

    def split(self, story: Story) -> Split | None:
        """Return the predicted split of the story's service as it stands, None while there is none."""
        return next(iter(splits(World.of(self.target.cycle.observe()), [(NAMESPACE, story.host)])), None)

    @contextmanager
    def under(self, envoy: Path, story: Story) -> Iterator[Traffic]:
        """Send requests to the story's service through Envoy, all the time."""

        def count(address: str, requests: int, failed: int) -> None:
            self._count(story.host, NAMESPACE, story.workloads.get(address, "unknown"), requests, failed)

        with flowing(envoy, self.folder / f"envoy-{story.name}", story, count, lambda: self.split(story)) as traffic:
            self.target.cycle.subscribe(traffic.tell)
            yield traffic

    def steps(self, story: Story) -> tuple[Rollout, tuple[Split, ...]]:
        """Return the newest rollout of the story's service, and the split that each of its steps plans."""
        (rollout,) = self.target.ports.store.rollouts.history(1, unit=story.unit)
        mesh, way = Mesh(self.target.cycle.observe()), rollout.way
        stands = (at(way, number, len(step.stages) - 1, mesh) for number, step in enumerate(way.steps))
        found = (splits(mesh.world(documents), [(NAMESPACE, story.host)]) for documents in stands)
        return rollout, tuple(split for one in found for split in one)

    def reports_until(self, commit: str, undone: str = "") -> Iterator[Report]:
        """Yield reports until cluster and registry hold this commit, or until what it wants of the unit `undone` is undone.

        Raises Unavailable when that takes too long.
        """
        while True:
            try:
                report = self._reports.get(timeout=PATIENCE)
            except queue.Empty:
                raise Unavailable(f"commit {commit[:10]} did not converge within {PATIENCE:.0f} s") from None
            yield report
            if not (report.revision and report.revision.id == commit):
                continue
            if undone and any(one.unit == undone and one.outcome is Outcome.UNDONE for one in report.rollouts):
                return
            if not undone and report.verdict is Verdict.IN_SYNC:
                return


@contextmanager
def embedded(template: Path) -> Iterator[Demo]:
    """Set the embedded mesh up in a folder of its own, and take it down in the end."""
    with tempfile.TemporaryDirectory(prefix="mesh-reconciler-demo-") as name:
        folder = Path(name)
        repository = Repository(folder)
        repository.create(template)
        settings, clock = _settings(repository), system_clock()
        cluster, lease = embedded_cluster(settings, clock)
        metrics, count = embedded_metrics(clock)
        with assembled(settings, cluster, lease, clock, metrics) as target:
            demo = Demo(folder, target, cluster, repository, count)
            machines = Machines(target.ports.registry) if target.ports.registry else None
            if machines:
                machines.start()
            demo.start()
            try:
                yield demo
            finally:
                demo.stop()
                if machines:
                    machines.stop()


def _settings(repository: Repository) -> Settings:
    """The person's own settings and variables have no say in the demo."""
    return Settings(
        _env_prefix="RECONCILER_DEMO_",
        target="demo",
        repo=str(repository.bare),
        path="production",
        data=repository.folder / "data",
        poll_interval=timedelta(seconds=5),
        prune_after=timedelta(0),
        rollouts=RolloutSettings(settle=timedelta(milliseconds=100)),
        git=GitSettings(allow_local=True),
    )
