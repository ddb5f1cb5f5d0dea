"""A running API server, as a value that every worker of the test run can use."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.real.kube import Kube
from tests.real.locations import write_whole

RBAC = "rbac.authorization.k8s.io/v1"
VIEW_ONLY: tuple[dict[str, list[str]], ...] = ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},)
"""RBAC rules that read everything and write nothing, for `ApiServer.account`."""


@dataclass(frozen=True)
class ApiServer:
    """A running API server with Istio's CRDs. Paths are absolute; `kubeconfig` and `token` are the administrator's."""

    url: str
    kubeconfig: Path
    ca: Path
    token: str
    version: str
    etcd_version: str
    etcd_url: str
    istio_version: str

    @property
    def certificate(self) -> tuple[Path, Path]:
        """The server's certificate chain and private key, valid for 127.0.0.1: what a proxy in front of it shows."""
        return self.ca, self.ca.with_suffix(".key")

    def behind(self, url: str, kubeconfig: Path) -> ApiServer:
        """The same server as seen through the proxy at `url`; its kubeconfig is written to the path given."""
        return replace(self, url=url, kubeconfig=write_kubeconfig(kubeconfig, url, self.ca, self.token))

    @cached_property
    def kube(self) -> Kube:
        """A client with the administrator's token."""
        return Kube.connect(self.url, self.token, self.ca)

    def account(self, namespace: str, name: str, rules: Sequence[dict[str, list[str]]] = VIEW_ONLY) -> Kube:
        """A client that may do only what `rules` (of a ClusterRole) allow, everywhere.

        It is the service account `name` in `namespace`, created here with its ClusterRole, binding and a token of one hour.
        """
        unique = f"{namespace}-{name}"
        subject = {"kind": "ServiceAccount", "namespace": namespace, "name": name}
        role = {"apiGroup": RBAC.partition("/")[0], "kind": "ClusterRole", "name": unique}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": namespace, "name": name}}
        for document in (
            account,
            {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": unique}, "rules": list(rules)},
            {
                "apiVersion": RBAC,
                "kind": "ClusterRoleBinding",
                "metadata": {"name": unique},
                "subjects": [subject],
                "roleRef": role,
            },
        ):
            self.kube.create(document)
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = self.kube.request("POST", path, request)["status"]["token"]
        return Kube.connect(self.url, token, self.ca)

    def write_kubeconfig(self, path: Path, token: str | None = None, url: str | None = None) -> Path:
        """Write a kubeconfig for another token (`account(...).token`) or another address (a proxy's); return its path."""
        return write_kubeconfig(path, url or self.url, self.ca, token or self.token)

    def to_json(self) -> str:
        """The form in which another process gets to know the server."""
        return json.dumps({name: str(value) for name, value in asdict(self).items()})

    @classmethod
    def from_json(cls, text: str) -> ApiServer:
        """The reverse of `to_json`."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "kubeconfig": Path(fields["kubeconfig"]), "ca": Path(fields["ca"])})


def write_kubeconfig(path: Path, url: str, ca: Path, token: str) -> Path:
    """Write a kubeconfig that needs no other file; only its owner can read it."""
    authority = base64.b64encode(ca.read_bytes()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority-data": authority}}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    write_whole(path, yaml.safe_dump(document))
    return path
