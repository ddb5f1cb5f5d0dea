"""A small client of a Kubernetes API server for tests, over the documented HTTP API and nothing of the reconciler.

Answers are plain documents. It is safe to use from several threads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

Document = dict[str, Any]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Refused(Exception):
    """The server answered with an error; `status` is the HTTP status, `answer` its Status document."""

    def __init__(self, method: str, path: str, status: int, answer: Any) -> None:
        self.status = status
        self.answer = answer
        message = answer.get("message") if isinstance(answer, dict) else answer
        super().__init__(f"{method} {path}: {status} {message}")


def plural(kind: str) -> str:
    """The resource name of a kind, by the rule of English that Kubernetes and Istio follow: ServiceEntry, serviceentries."""
    name = kind.lower()
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def collection_path(api_version: str, kind: str, namespace: str | None = None) -> str:
    """The path of a kind's collection, for instance `/apis/networking.istio.io/v1/namespaces/shop/serviceentries`."""
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    return f"{root}/namespaces/{namespace}/{plural(kind)}" if namespace else f"{root}/{plural(kind)}"


def object_path(document: Mapping[str, Any]) -> str:
    """The path of one object, from its own apiVersion, kind, namespace and name."""
    metadata = document["metadata"]
    collection = collection_path(document["apiVersion"], document["kind"], metadata.get("namespace"))
    return f"{collection}/{metadata['name']}"


@dataclass(frozen=True, slots=True)
class Kube:
    """An API server seen by the holder of one token. Every method raises Refused for an answer of 400 and above."""

    url: str
    token: str
    pool: urllib3.PoolManager

    @classmethod
    def connect(cls, url: str, token: str, ca: Path, connections: int = 16) -> Kube:
        """A client that trusts `ca` only, with a limit on every wait and no retries: a test wants to see what happened."""
        timeout = urllib3.Timeout(connect=5, read=30)
        return cls(url, token, urllib3.PoolManager(ca_certs=str(ca), maxsize=connections, timeout=timeout, retries=False))

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """One request; the answer as a document, or as text where it is none."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", "Content-Type": content_type}
        data = None if body is None else json.dumps(body).encode()
        response = self.pool.request(method, f"{self.url}{path}", body=data, headers=headers)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        answer = response.json() if is_json else response.data.decode()
        if response.status >= 400:
            raise Refused(method, path, response.status, answer)
        return answer

    def create(self, document: Mapping[str, Any], manager: str = "test") -> Document:
        """Create one object, as `kubectl create` does."""
        path = object_path(document).rsplit("/", 1)[0]
        return self._document("POST", f"{path}?{urlencode({'fieldManager': manager})}", document)

    def get(self, document: Mapping[str, Any]) -> Document:
        """The object that `document` names, as the server holds it now."""
        return self._document("GET", object_path(document))

    def list(self, api_version: str, kind: str, namespace: str | None = None) -> list[Document]:
        """All objects of a kind, in one namespace or in all of them."""
        answer = self._document("GET", collection_path(api_version, kind, namespace))
        items: list[Document] = answer["items"]
        return items

    def apply(
        self, document: Mapping[str, Any], manager: str = "test", *, force: bool = False, dry_run: bool = False
    ) -> Document:
        """Server-side apply of one object."""
        query = {"fieldManager": manager, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        return self._document("PATCH", f"{object_path(document)}?{urlencode(query)}", document, APPLY)

    def patch(self, document: Mapping[str, Any], change: Any, *, part: str = "", manager: str = "test") -> Document:
        """A JSON merge patch of one object, or of a part of it such as `/status`."""
        path = f"{object_path(document)}{part}?{urlencode({'fieldManager': manager})}"
        return self._document("PATCH", path, change, MERGE)

    def delete(self, document: Mapping[str, Any], grace_seconds: int = 0) -> None:
        """Delete one object at once."""
        self.request("DELETE", object_path(document), {"gracePeriodSeconds": grace_seconds})

    def wipe(self, api_version: str, kind: str, namespace: str) -> None:
        """Delete all objects of a kind in a namespace with one request; deleting them one by one takes minutes."""
        self.request("DELETE", collection_path(api_version, kind, namespace), {"gracePeriodSeconds": 0})

    def create_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> Document:
        """Create a namespace. It can never be wiped away again: without a controller it would stay Terminating."""
        metadata = {"name": name, "labels": dict(labels or {})}
        return self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def _document(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Document:
        answer = self.request(method, path, body, content_type)
        assert isinstance(answer, dict), f"{method} {path} answered with no document: {answer!r:.200}"
        return answer
