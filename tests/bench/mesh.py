"""The API server that is written to, and `reconciler` on it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.fleet import FOLDER, Fleet
from tests.bench.processes import Run, run
from tests.bench.table import Bench, Unusable
from tests.real.apiserver import ApiServer
from tests.real.apiserver_process import ApiServerProcess
from tests.real.git_repository import GitRepository
from tests.real.kube import Refused

ISTIO = "networking.istio.io/v1"
LEASES = "istio-system"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Mesh:
    """A running API server that only the benchmark uses."""

    server: ApiServer

    @contextmanager
    def fleet(self, objects: int) -> Iterator[Fleet]:
        """A fleet under names that are new; whatever of it is on the server in the end goes."""
        found = Fleet.of(objects, f"bench-{next(_numbers)}")
        try:
            yield found
        finally:
            self.wipe(found)

    def holds(self, fleet: Fleet) -> None:
        """See that everything of the fleet is there. Raises Unusable."""
        kinds = ("ServiceEntry", "WorkloadEntry")
        found = sum(len(self.server.kube.list(ISTIO, kind, name)) for kind in kinds for name in fleet.namespaces)
        if found != fleet.objects:
            raise Unusable(f"{found} of {fleet.objects} objects are on the server")

    def wipe(self, fleet: Fleet) -> None:
        """Take a fleet's objects away, then its namespaces, which no controller does here."""
        kube = self.server.kube
        for name in fleet.namespaces:
            with suppress(Refused):
                for kind in ("WorkloadEntry", "ServiceEntry"):
                    kube.wipe(ISTIO, kind, name)
                namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                kube.delete(namespace)
                kube.request("PUT", f"/api/v1/namespaces/{name}/finalize", {**kube.get(namespace), "spec": {"finalizers": []}})


@contextmanager
def running_mesh(bench: Bench) -> Iterator[Mesh]:
    """Start an API server and stop it in the end. Raises PartMissing."""
    process = ApiServerProcess(bench.scratch / "api-server", bench.progress)
    try:
        server = process.start()
        server.kube.create_namespace(LEASES)
        yield Mesh(server)
    finally:
        process.stop()


@dataclass(frozen=True, slots=True)
class Reconciler:
    """The command `reconciler` for one target with a repository and a data folder of its own."""

    folder: Path
    kubeconfig: Path
    repository: GitRepository
    target: str

    @classmethod
    def of(cls, fleet: Fleet, mesh: Mesh, folder: Path) -> Reconciler:
        """A fresh one, with the fleet in its repository."""
        repository = fleet.repository(folder / "mesh.git")
        return cls(folder, mesh.server.kubeconfig, repository, fleet.prefix)

    @property
    def options(self) -> dict[str, str]:
        """The options that name the target."""
        return {
            "--repo": str(self.repository.path),
            "--path": FOLDER,
            "--kubeconfig": str(self.kubeconfig),
            "--data": str(self.folder / "data"),
            "--target": self.target,
        }

    def command(self, name: str, *more: str) -> list[str | Path]:
        """The command line."""
        named = [part for option in self.options.items() for part in option]
        return [Path(sys.executable).parent / "reconciler", name, *named, *more]

    def run(self, name: str, *more: str, ok: Collection[int] = (0,)) -> Run:
        """Run it to its end."""
        return run(self.command(name, *more), self.folder, ok)
