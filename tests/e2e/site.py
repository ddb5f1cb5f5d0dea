"""One target as its operator has it: a Git repository, a namespace on a real API server, a VM registry, and the command."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from sqlalchemy import NullPool, create_engine, text

from tests.e2e.command import Command
from tests.real.apiserver import ApiServer
from tests.real.git_repository import GitRepository
from tests.real.kube import Document, Kube

NETWORKING = "networking.istio.io/v1"
LEASES = "coordination.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Site:
    """A target in one namespace, in which its Lease is, too. `reconciler` knows all of it by its environment."""

    server: ApiServer
    namespace: str
    target: str
    repository: GitRepository
    reconciler: Command

    @classmethod
    def create(cls, home: Path, server: ApiServer, namespace: str, bare: Path) -> Self:
        """Make one with an empty repository at `bare`, SQLite for registry and state, and the administrator's kubeconfig."""
        repository = GitRepository.create(bare)
        target = f"target-{namespace[-8:]}"
        variables = {
            "RECONCILER_TARGET": target,
            "RECONCILER_ROLLOUTS__SETTLE": "200ms",
            "RECONCILER_REPO": f"file://{repository.path}",
            "RECONCILER_KUBECONFIG": str(server.kubeconfig),
            "RECONCILER_NAMESPACES": namespace,
            "RECONCILER_LEASE_NAMESPACE": namespace,
        }
        return cls(server, namespace, target, repository, Command(home, variables))

    def with_variables(self, **variables: str) -> Self:
        """The same target, run with more variables, or other values of them."""
        return replace(self, reconciler=self.reconciler.with_variables(**variables))

    @property
    def kube(self) -> Kube:
        """The cluster in the administrator's hands."""
        return self.server.kube

    @property
    def data(self) -> Path:
        """Where the command keeps what is not told to be elsewhere."""
        return self.reconciler.folder / ".local" / "state" / "mesh-reconciler" / self.target

    def objects(self, kind: str, api_version: str = NETWORKING) -> dict[str, Document]:
        """The cluster's objects of a kind by their names."""
        return {one["metadata"]["name"]: one for one in self.kube.list(api_version, kind, self.namespace)}

    def versions(self) -> dict[str, str]:
        """The version of each object of the mesh: equal as long as nobody has written anything."""
        kinds = ("ServiceEntry", "WorkloadEntry", "DestinationRule", "VirtualService")
        return {
            f"{kind}/{name}": one["metadata"]["resourceVersion"] for kind in kinds for name, one in self.objects(kind).items()
        }

    def records(self) -> dict[str, str]:
        """The addresses in the VM registry by the names of the VMs, asked without the reconciler."""
        url = self.reconciler.variables.get("RECONCILER_REGISTRY") or f"sqlite:///{self.data / 'registry.db'}"
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
        query = text("SELECT name, spec FROM registry_machines WHERE target = :target")
        with engine.connect() as connection:
            rows = connection.execute(query, {"target": self.target}).all()
        specs: dict[str, Any] = {name: json.loads(spec) if isinstance(spec, str) else spec for name, spec in rows}
        return {name: spec["address"] for name, spec in specs.items()}

    def lease_holder(self) -> str:
        """Who is the writer by the target's Lease, empty where nobody is."""
        (lease,) = self.kube.list(LEASES, "Lease", self.namespace)
        return str(lease["spec"].get("holderIdentity") or "")
