"""The mesh that is measured: services with their VMs, as manifests in files, one document each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.real.git_repository import GitRepository

#: VMs behind each service, where nothing else is said: 200 ServiceEntries come with 1,000 WorkloadEntries.
VMS = 5
NAMESPACES = 4
FOLDER = "production"
#: Bytes of one file of `lone_services`.
LONE_BYTES = 465

_NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
"""
_SERVICE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    team: checkout
spec:
  hosts:
  - {name}.internal.example.com
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
  - number: 80
    name: http
    protocol: HTTP
  workloadSelector:
    labels:
      app: {name}
"""
_WORKLOAD = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: {name}-vm{vm}
  namespace: {namespace}
  labels:
    team: checkout
spec:
  address: {address}
  weight: {weight}
  serviceAccount: {name}
  locality: europe/north/a
  labels:
    app: {name}
    version: v1
  ports:
    http: 8080
"""
_LONE = """\
# {filler}
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: payments-{number:05d}
  namespace: shop
  labels:
    team: checkout
spec:
  hosts:
  - payments-{number:05d}.internal.example.com
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
  - number: 80
    name: http
    protocol: HTTP
  endpoints:
  - address: {address}
    labels:
      version: v1
    ports:
      http: 8080
"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many services, each with so many VMs, in namespaces that begin with `prefix`."""

    services: int
    prefix: str
    vms: int = VMS

    @classmethod
    def of(cls, objects: int, prefix: str) -> Fleet:
        """A fleet of about so many objects."""
        return cls(max(1, objects // (1 + VMS)), prefix)

    @property
    def objects(self) -> int:
        """ServiceEntries and WorkloadEntries together; the namespaces come on top."""
        return self.services * (1 + self.vms)

    @property
    def namespaces(self) -> list[str]:
        """The names of the namespaces."""
        return [f"{self.prefix}-{number}" for number in range(min(NAMESPACES, self.services))]

    def files(self) -> dict[str, str]:
        """Paths (in the order in which kubectl reads them) and texts."""
        found = {f"{FOLDER}/00-{name}.yaml": _NAMESPACE.format(namespace=name) for name in self.namespaces}
        found.update(self._objects())
        return found

    def repository(self, path: Path) -> GitRepository:
        """A bare repository that holds the files."""
        made = GitRepository.create(path)
        made.commit(dict(self.files()))
        return made

    def folder(self, path: Path) -> Path:
        """A plain folder that holds the files."""
        return write(path, self.files())

    def _objects(self) -> Iterator[tuple[str, str]]:
        for number in range(self.services):
            namespace = self.namespaces[number % len(self.namespaces)]
            name = f"payments-{number:04d}"
            yield f"{FOLDER}/{namespace}/{name}.yaml", _SERVICE.format(name=name, namespace=namespace)
            for vm in range(self.vms):
                text = _WORKLOAD.format(
                    name=name, namespace=namespace, vm=vm, weight=10 + vm, address=_address(number * self.vms + vm)
                )
                yield f"{FOLDER}/{namespace}/{name}-vm{vm}.yaml", text


def lone_services(path: Path, files: int) -> Path:
    """A folder with so many ServiceEntries of `LONE_BYTES` bytes each, one a file."""
    return write(path, {f"services/payments-{number:05d}.yaml": _lone(number) for number in range(files)})


def write(path: Path, files: dict[str, str]) -> Path:
    """Write files below a folder."""
    for folder in {(path / name).parent for name in files}:
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


def _lone(number: int) -> str:
    text = _LONE.format(number=number, address=_address(number), filler="")
    return _LONE.format(number=number, address=_address(number), filler="x" * (LONE_BYTES - len(text)))


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
