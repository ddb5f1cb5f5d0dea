"""One kube-apiserver on one etcd, both children of this process, on free loopback ports.

There is no controller-manager and no kubelet: namespaces stay Terminating once deleted, Pods get their status from the test
(`pods.py`), and no garbage is collected.
"""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import urllib3

from tests.real.apiserver import ApiServer, write_kubeconfig
from tests.real.binaries import ETCD, KUBE_APISERVER, executable, version_of
from tests.real.crds import Which, crd_documents, install_crds, istio_version
from tests.real.kube import Kube, Refused
from tests.real.locations import Progress, write_whole
from tests.real.processes import Child, free_ports, wait_until

# The DER form (SEC 1) of a P-256 private key around its 32 secret bytes. Writing it by hand spares the tests a cryptography
# package and a command that a fresh machine may lack.
EC_KEY_HEAD, EC_KEY_TAIL = bytes.fromhex("30310201010420"), bytes.fromhex("a00a06082a8648ce3d030107")


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
        self._described: ApiServer | None = None
        (directory / "certificates").mkdir(parents=True, exist_ok=True)
        write_whole(directory / "tokens.csv", f'{self._token},admin,admin,"system:masters"\n')
        write_whole(directory / "service-accounts.key", ec_private_key())

    @property
    def certificate(self) -> Path:
        """The server's certificate chain, its own authority included; valid for 127.0.0.1 and localhost."""
        return self.directory / "certificates" / "apiserver.crt"

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
        self._described = server
        return server

    @property
    def server(self) -> ApiServer:
        """The server as a value; it stays valid over restarts."""
        assert self._described, "not started yet"
        return self._described

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
        self._server.pause()

    def resume(self) -> None:
        """Let a paused API server go on."""
        assert self._server
        self._server.resume()

    def forget_history(self) -> None:
        """Restart the server and compact its etcd meanwhile: whoever resumes a watch or a paged list from before gets 410.

        Compacting alone is not enough, since the server answers from its own cache as long as that reaches back.
        """
        self.kill()
        with urllib3.PoolManager(timeout=10, retries=False) as pool:
            # A write of our own makes the revision newer than whatever a client has seen.
            key = base64.b64encode(b"/history-forgotten").decode()
            written = pool.request("POST", f"{self.etcd_url}/v3/kv/put", json={"key": key}).json()
            wanted = {"revision": written["header"]["revision"], "physical": True}
            done = pool.request("POST", f"{self.etcd_url}/v3/kv/compaction", json=wanted)
            assert done.status == 200, f"etcd does not compact: {done.data!r}"
        self.start()

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
