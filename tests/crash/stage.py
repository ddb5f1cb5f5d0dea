"""A namespace of a real API server in which one scene is played again and again, and everything that happens is seen."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from reconciler.core.resources import Document, Key
from reconciler.core.wanted import FIELD_MANAGER, declared_document
from tests.contracts.clock import SetClock
from tests.crash import mesh
from tests.crash.victim import Place
from tests.real.apiserver import ApiServer
from tests.real.kube import Refused, collection_path
from tests.waiting import becomes
from tests.worlds import TARGET

#: The kinds whose changes are watched, with an object of each that belongs to nobody: what is seen of it comes after all else.
SEEN = {
    "ServiceEntry": {"hosts": ["nobody.internal"], "ports": [{"number": 80, "name": "http"}], "resolution": "NONE"},
    "WorkloadEntry": {"address": "10.9.9.9"},
    "DestinationRule": {"host": "nobody.internal"},
}
ISTIO = "networking.istio.io/v1"


@dataclass(frozen=True)
class Seen:
    """One change: its place in the history of the whole server, what happened, to what."""

    version: int
    event: str
    document: Document


@dataclass
class Stage:
    """One namespace of an API server with its two databases; a scene begins where `before` is in force, and wants `after`."""

    server: ApiServer
    place: Place
    backup: Path
    before: Sequence[Document]
    after: Sequence[Document]
    _seen: list[Seen] = field(default_factory=list)
    _since: int = 0
    _marks: int = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the namespace while the body runs."""
        for kind, spec in SEEN.items():
            self.server.kube.create(self._nobodys(kind) | {"spec": spec})
        streams = {kind: self._open(kind) for kind in SEEN}
        threads = [threading.Thread(target=self._listen, args=(stream,)) for stream in streams.values()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for stream in streams.values():
                with suppress(RuntimeError):  # the server has ended it
                    stream.shutdown()
            for thread in threads:
                thread.join()
            for stream in streams.values():
                stream.close()

    def save(self) -> None:
        """Keep the databases as they are now, for `reset`."""
        shutil.copytree(self.place.folder, self.backup)

    def reset(self) -> None:
        """Put everything back to where it began: databases as saved, objects as it wants them, nobody has the lease."""
        shutil.rmtree(self.place.folder)
        shutil.copytree(self.backup, self.place.folder)
        wanted = [declared_document(one, TARGET) for one in self.before if one["kind"] in SEEN]
        for document in wanted:
            self.server.kube.apply(document, FIELD_MANAGER)
        for document in self.after:
            if document["kind"] in SEEN and Key.of(document) not in map(Key.of, wanted):
                self._remove(document)
        self._remove(
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": self._named(f"mesh-reconciler-{TARGET}")}
        )
        self.catch_up()
        self._since = len(self._seen)

    def catch_up(self) -> None:
        """Wait until everything that has happened until now was seen."""
        self._marks += 1
        mark = {"metadata": {"annotations": {"mark": str(self._marks)}}}
        versions = {int(self.server.kube.patch(self._nobodys(kind), mark)["metadata"]["resourceVersion"]) for kind in SEEN}
        assert becomes(lambda: versions <= {one.version for one in tuple(self._seen)}), "the watch is silent"

    def changes(self) -> Counter[str]:
        """How often each object was changed since `reset`, by event and name."""
        return Counter(
            f"{one.event} {one.document['kind']} {name}" for one in self._scene() if (name := _name(one)) != "nobody"
        )

    def moments(self) -> Iterator[tuple[Key | None, dict[Key, Document]]]:
        """All objects before the first change since `reset` (None) and after each, with the one that was changed."""
        objects = {Key.of(one): one for one in self.before if one["kind"] in SEEN}
        yield None, objects
        for one in self._scene():
            key = Key.of(one.document)
            objects = {**objects, key: one.document}
            if one.event == "DELETED":
                del objects[key]
            yield key, objects

    def emptied(self) -> set[str]:
        """The services that were without an endpoint at any moment."""
        return {host for _, objects in self.moments() for host in mesh.empty(objects, namespace=self.place.namespace)}

    def state(self) -> dict[str, Any]:
        """What cluster and registry hold of ours, without what the servers add of their own, and what the store says of it."""
        kube, namespace, store, registry = (
            self.server.kube,
            self.place.namespace,
            self.place.store,
            self.place.registry(SetClock()),
        )
        with closing(store), closing(registry):
            return {
                "cluster": {
                    f"{kind} {one['metadata']['name']}": (one["metadata"].get("labels"), one["spec"])
                    for kind in SEEN
                    for one in kube.list(ISTIO, kind, namespace)
                    if one["metadata"]["name"] != "nobody"
                },
                "registry": {str(key): live.document["spec"] for key, live in registry.observe().machines.items()},
                "inventory": store.inventory(),
                "written": store.written(),
                "accepted": store.accepted(),
                "open": store.unsettled(),
            }

    def done(self) -> Counter[tuple[str, str, str]]:
        """How often the journal says "done" since the first commit, by action and object."""
        with closing(sqlite3.connect(self.place.folder / "state.db")) as database:
            rows = database.execute(
                "SELECT action, kind, name FROM state_journal WHERE outcome = 'done' AND id > ?", (self._first,)
            )
            return Counter(rows.fetchall())

    @property
    def _first(self) -> int:
        with closing(sqlite3.connect(self.backup / "state.db")) as database:
            return int(database.execute("SELECT max(id) FROM state_journal").fetchone()[0])

    def _scene(self) -> list[Seen]:
        return sorted(self._seen[self._since :], key=lambda one: one.version)

    def _open(self, kind: str) -> urllib3.BaseHTTPResponse:
        kube, path = self.server.kube, collection_path(ISTIO, kind, self.place.namespace)
        version = kube.request("GET", path)["metadata"]["resourceVersion"]
        return kube.pool.request(
            "GET",
            f"{kube.url}{path}?watch=1&resourceVersion={version}",
            headers={"Authorization": f"Bearer {kube.token}"},
            preload_content=False,
        )

    def _listen(self, stream: urllib3.BaseHTTPResponse) -> None:
        with suppress(urllib3.exceptions.HTTPError):
            for line in _lines(stream):
                told = json.loads(line)
                self._seen.append(Seen(int(told["object"]["metadata"]["resourceVersion"]), told["type"], told["object"]))

    def _nobodys(self, kind: str) -> Document:
        return {"apiVersion": ISTIO, "kind": kind, "metadata": self._named("nobody")}

    def _named(self, name: str) -> Document:
        return {"name": name, "namespace": self.place.namespace}

    def _remove(self, document: Document) -> None:
        try:
            self.server.kube.delete(document)
        except Refused as error:
            if error.status != 404:
                raise


def _lines(stream: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    left = b""
    for piece in stream.stream(1 << 16):
        *whole, left = (left + piece).split(b"\n")
        yield from whole


def _name(one: Seen) -> str:
    name: str = one.document["metadata"]["name"]
    return name
