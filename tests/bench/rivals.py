"""What the reconciler is measured beside: a bare pool of connections, kubectl, PyYAML's C loader."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.bench.fleet import Fleet
from tests.bench.mesh import Mesh
from tests.bench.processes import Run, run
from tests.bench.table import Unusable
from tests.real.kube import APPLY, object_path
from tests.real.kubectl import find

CONNECTIONS = 16


def pool(fleet: Fleet, mesh: Mesh, folder: Path) -> Run:
    """Server-side apply of the fleet by a process that does nothing else; its time is that of the writes alone."""
    plan = folder / "pool.json"
    documents = [yaml.safe_load(text) for text in fleet.files().values()]
    requests = [[f"{object_path(one)}?fieldManager=pool", json.dumps(one)] for one in documents]
    server = mesh.server
    plan.write_text(json.dumps({"url": server.url, "token": server.token, "ca": str(server.ca), "requests": requests}))
    done = run([sys.executable, "-m", "tests.bench.rivals", "pool", plan], folder)
    return Run(float(done.output), done.cpu, done.output)


class Kubectl:
    """kubectl on a plain folder of the fleet's files."""

    def __init__(self, fleet: Fleet, mesh: Mesh, folder: Path) -> None:
        self._home = folder
        self._files = fleet.folder(folder / "files")
        self._command: list[str | Path] = [find(), "--kubeconfig", mesh.server.kubeconfig]

    def apply(self) -> Run:
        """`kubectl apply --server-side`."""
        return run([*self._command, "apply", "--server-side", "-R", "-f", self._files], self._home)

    def diff(self) -> Run:
        """`kubectl diff --server-side` of what is as it should be."""
        return run([*self._command, "diff", "--server-side", "-R", "-f", self._files], self._home)


def c_loader(folder: Path, home: Path) -> Run:
    """What PyYAML's CSafeLoader takes for the bytes of all files of a folder, once they are read."""
    output = run([sys.executable, "-m", "tests.bench.rivals", "load", folder], home).output
    took, cpu = map(float, output.split())
    return Run(took, cpu, output)


def _write_all(plan: dict[str, Any]) -> float:
    """Send all requests through the pool, the namespaces first, as the rest needs them; returns the seconds."""
    place = urlsplit(plan["url"])
    context = ssl.create_default_context(cafile=plan["ca"])
    headers = {"Authorization": f"Bearer {plan['token']}", "Content-Type": APPLY}
    own = threading.local()

    def send(request: tuple[str, str]) -> int:
        if not hasattr(own, "connection"):
            own.connection = HTTPSConnection(str(place.hostname), place.port, context=context, timeout=60)
        path, body = request
        own.connection.request("PATCH", path, body.encode(), headers)
        answer = own.connection.getresponse()
        answer.read()
        return int(answer.status)

    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        namespaces = [request for request in plan["requests"] if "/apis/" not in request[0]]
        rest = [request for request in plan["requests"] if "/apis/" in request[0]]
        statuses = [status for part in (namespaces, rest) for status in threads.map(send, part)]
    took = time.perf_counter() - began
    if any(status >= 300 for status in statuses):
        raise Unusable(f"the pool was answered with {set(statuses)}")
    return took


def _load_all(folder: Path) -> tuple[float, float]:
    texts = [path.read_bytes() for path in sorted(folder.rglob("*.yaml"))]
    began, cpu = time.perf_counter(), time.process_time()
    for text in texts:
        list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    return time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    if sys.argv[1] == "pool":
        print(_write_all(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))))
    else:
        print(*_load_all(Path(sys.argv[2])))
