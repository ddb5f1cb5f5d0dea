"""One kube-apiserver on one etcd, both children of this process, on free loopback ports.

There is no controller-manager and no kubelet: namespaces stay Terminating once deleted, Pods get their status from the test
(`pods.py`), and no garbage is collected.
"""

from __future__ import annotations

import base64
import json
import secrets
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import urllib3
import yaml

from tests.real.binaries import ETCD, KUBE_APISERVER, executable, version_of
from tests.real.crds import Which, crd_documents, istio_version
from tests.real.kube import Kube, Refused
from tests.real.locations import Progress, write_whole
from tests.real.processes import Child, free_ports, wait_until

VIEW_ONLY: tuple[dict[str, list[str]], ...] = (
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
)
"""RBAC rules that read everything and write nothing, for `ApiServer.account`."""

# The DER form (SEC 1) of a P-256 private key around its 32 secret bytes. Writing it by hand spares the tests a cryptography
# package and a command that a fresh machine may lack.
EC_KEY_HEAD, EC_KEY_TAIL = bytes.fromhex("30310201010420"), bytes.fromhex("a00a06082a8648ce3d030107")


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
        role = {"apiGroup": RBAC.split("/")[0], "kind": "ClusterRole", "name": unique}
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


RBAC = "rbac.authorization.k8s.io/v1"


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


class ApiServerProcess:
    """Starts, stops and mistreats one API server and its etcd; everything it writes is under `directory`.

    The port, the data and the certificate stay the same over restarts, so clients may keep their kubeconfig.
    """

    def __init__(self, directory: Path, progress: Progress, which: Which = "newest") -> None:
        """Raises PartMissing when an executable cannot be had; starts nothing yet."""
        self.directory = directory
        self._which = which
        self._progress = progress
        self._etcd_path = executable(ETCD, progress)
        self._server_path = executable(KUBE_APISERVER, progress)
        self._token = secrets.token_urlsafe(24)
        self._port, self._etcd_port, self._etcd_peer_port = free_ports(3)
        self._etcd: Child | None = None
        self._server: Child | None = None
        (directory / "certificates").mkdir(parents=True, exist_ok=True)
        write_whole(directory / "tokens.csv", f'{self._token},admin,admin,"system:masters"\n')
        write_whole(directory / "service-accounts.key", ec_private_key())

    @property
    def certificate(self) -> Path:
        """The server's certificate chain, its own authority included; valid for 127.0.0.1 and localhost."""
        return self.directory / "certificates" / "apiserver.crt"

    @property
    def certificate_key(self) -> Path:
        """The private key of `certificate`; a proxy in front of the server needs it."""
        return self.directory / "certificates" / "apiserver.key"

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def etcd_url(self) -> str:
        """Where its etcd listens; the JSON gateway is there too, for instance `/v3/kv/compaction`."""
        return f"http://127.0.0.1:{self._etcd_port}"

    def start(self) -> ApiServer:
        """Start both where they do not run, wait until the server is ready, install the CRDs. About five seconds."""
        if self._etcd is None or not self._etcd.alive():
            self._etcd = Child(self._etcd_command(), self.directory / "etcd.log")
        if self._server is None or not self._server.alive():
            self._server = Child(self._server_command(), self.directory / "kube-apiserver.log")
        documents = crd_documents(self._which, self._progress)  # read while the server starts
        wait_until("kube-apiserver", self._ready, self._server)
        server = self._describe()
        install_crds(server.kube, documents)
        return server

    def stop(self) -> None:
        """End both at once; nothing of theirs is worth the seconds that a graceful end takes."""
        for child in (self._server, self._etcd):
            if child is not None:
                child.kill()

    def kill(self) -> None:
        """End the API server at once, as a crash would; etcd and its data stay, `start` brings the server back."""
        assert self._server
        self._server.kill()

    def pause(self) -> None:
        """Stop the API server's clock: connections are accepted by the system, and nothing answers."""
        assert self._server
        self._server.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused API server go on."""
        assert self._server
        self._server.send(signal.SIGCONT)

    def pids(self) -> tuple[int, ...]:
        """The ids of the running processes."""
        return tuple(child.pid for child in (self._server, self._etcd) if child is not None and child.alive())

    def _describe(self) -> ApiServer:
        kubeconfig = self.directory / "kubeconfig"
        return ApiServer(
            url=self.url,
            kubeconfig=write_kubeconfig(kubeconfig, self.url, self.certificate, self._token),
            ca=self.certificate,
            token=self._token,
            version=version_of(self._server_path),
            etcd_version=version_of(self._etcd_path),
            etcd_url=self.etcd_url,
            istio_version=istio_version(self._which),
        )

    def _ready(self) -> bool:
        if not self.certificate.exists():
            return False
        try:
            kube = Kube.connect(self.url, self._token, self.certificate)
            return bool(kube.request("GET", "/readyz") == "ok")
        except (Refused, urllib3.exceptions.HTTPError, OSError):
            return False

    def _etcd_command(self) -> list[str | Path]:
        peer = f"http://127.0.0.1:{self._etcd_peer_port}"
        return [
            self._etcd_path,
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={self.etcd_url}",
            f"--advertise-client-urls={self.etcd_url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # the data need not survive a power cut
            "--log-level=warn",
        ]

    def _server_command(self) -> list[str | Path]:
        key = self.directory / "service-accounts.key"
        return [
            self._server_path,
            f"--etcd-servers={self.etcd_url}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.directory / 'certificates'}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self.directory / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--disable-admission-plugins=ServiceAccount",  # no controller creates the default account of a namespace
        ]


def ec_private_key() -> str:
    """A new P-256 private key as PEM, for signing service account tokens."""
    secret = bytes([secrets.randbelow(128)]) + secrets.token_bytes(31)  # below the order of the curve
    body = base64.b64encode(EC_KEY_HEAD + secret + EC_KEY_TAIL).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\n"


def install_crds(kube: Kube, documents: Sequence[dict[str, Any]]) -> None:
    """Create the CRDs that are not there yet, and wait until the server serves all of them."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    def create(document: dict[str, Any]) -> None:
        try:
            kube.request("POST", path, document)
        except Refused as refused:
            if refused.status != 409:
                raise

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, documents))
    names = {document["metadata"]["name"] for document in documents}

    def served() -> bool:
        groups = {document["spec"]["group"] for document in documents}
        return names <= {name for group in groups for name in _served_names(kube, group)}

    wait_until("the API of Istio's CRDs", served)


def _served_names(kube: Kube, group: str) -> set[str]:
    try:
        versions = kube.request("GET", f"/apis/{group}")["versions"]
        lists = [kube.request("GET", f"/apis/{version['groupVersion']}") for version in versions]
    except Refused as refused:
        if refused.status != 404:
            raise
        return set()
    return {f"{resource['name']}.{group}" for answer in lists for resource in answer["resources"]}
