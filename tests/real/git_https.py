"""A real Git server over https: `git http-backend` behind Python's TLS, with its own authority and switches for faults."""

from __future__ import annotations

import base64
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.real.git_repository import GIT, clean_environment
from tests.real.missing import PartMissing


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of our own, and what it gave to a server (chain, key)."""

    certificate: Path
    server: tuple[Path, Path]

    @classmethod
    def create(cls, folder: Path, names: str = "IP:127.0.0.1,DNS:localhost") -> Authority:
        """Make both, for a server of these names. Raises PartMissing where openssl is not installed."""
        if shutil.which("openssl") is None:
            raise PartMissing("openssl is not installed; the tests of Git over https make their certificates with it")
        folder.mkdir(parents=True)
        _openssl(folder, f"req -x509 {_NEW_KEY} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-authority")
        (folder / "ca.cnf").write_text(_LEDGER, encoding="utf-8")
        (folder / "issued").touch()
        found = cls(folder / "ca.pem", (folder / "server.pem", folder / "server.key"))
        found.issue("server", names)
        return found

    def issue(self, name: str, names: str = "", days: tuple[int, int] = (-1, 2)) -> tuple[Path, Path]:
        """Make a certificate (chain, key) for these names, none if empty, that is good from and until so many days from now."""
        folder = self.certificate.parent
        san = f"subjectAltName={names}" if names else "basicConstraints=CA:FALSE"
        (folder / f"{name}.ext").write_text(f"{san}\n", encoding="utf-8")
        _openssl(folder, f"req {_NEW_KEY} -keyout {name}.key -out {name}.csr -subj /CN=localhost")
        begins, ends = (f"{datetime.now(UTC) + timedelta(days=one):%Y%m%d%H%M%SZ}" for one in days)
        _openssl(
            folder,
            f"ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -in {name}.csr -out {name}.pem -extfile {name}.ext "
            f"-startdate {begins} -enddate {ends}",
        )
        return folder / f"{name}.pem", folder / f"{name}.key"


_NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
#: `openssl ca` is the one of its commands that takes any dates.
_LEDGER = """[ca]
default_ca = own
[own]
database = issued
unique_subject = no
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def _openssl(folder: Path, command: str) -> None:
    done = subprocess.run(
        [shutil.which("openssl") or "openssl", *command.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.returncode:
        raise PartMissing(f"openssl cannot make certificates: {done.stderr}")


@dataclass(slots=True)
class Faults:
    """What the server does wrong, until it is set back."""

    status: int = 0
    """Answer everything with this status."""
    redirect: str = ""
    """Send everybody to this URL, path and query added."""
    pause: float = 0.0
    """Seconds between the bytes of every answer's body."""
    pause_pack: float = 0.0
    """Seconds between the bytes of an answer that holds a pack, until this is set back."""
    keep: int | None = None
    """Close the connection after so many bytes of a pack."""
    login: str = ""
    """Demand ``user:password``."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]


class GitHttps:
    """Serves the bare repositories below `root` at `url`/NAME; a context manager that stops it."""

    def __init__(self, root: Path, authority: Authority) -> None:
        self.root, self.faults, self.seen = root, Faults(), list[Seen]()
        self.ended = Event()
        owner = self

        class Handler(_Handler):
            server_of = owner

        self._server = _Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.server)
        # The handshake belongs into the request's own thread: a client that hangs up in it must not end the server.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="git-https", daemon=True)
        self._thread.start()

    def heal(self) -> None:
        """Do everything right again, and forget what was asked."""
        self.faults = Faults()
        self.seen.clear()

    def close(self) -> None:
        """Stop serving; answers on their way are broken off."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: broken connections are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: GitHttps

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the tests' output clean."""

    def _serve(self) -> None:
        faults = self.server_of.faults
        self.server_of.seen.append(Seen(self.command, self.path, dict(self.headers.items())))
        body = b"".join(self._body())
        if faults.redirect:
            return self._answer(302, {"Location": faults.redirect + self.path}, b"")
        if faults.status:
            return self._answer(faults.status, {}, b"no\n")
        if faults.login and self.headers.get("Authorization") != _basic(faults.login):
            return self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"who are you\n")
        status, headers, answer = self._backend(body)
        return self._answer(status, headers, answer)

    def _body(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _backend(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Run Git's own CGI program."""
        url = urlsplit(self.path)
        environment = {
            **clean_environment(self.server_of.root),
            "GIT_PROJECT_ROOT": str(self.server_of.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run([GIT, "http-backend"], input=body, env=environment, capture_output=True, timeout=60, check=False)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return int(headers.pop("Status", "200").split()[0]), headers, answer

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        faults = self.server_of.faults
        with contextlib.suppress(OSError):
            if faults.keep is not None and b"PACK" in body:
                self.wfile.write(body[: faults.keep])
                self.close_connection = True
            elif faults.pause or (faults.pause_pack and b"PACK" in body):
                self._drip(body)
            else:
                self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        """Send byte by byte, for as long as that is asked for."""
        for at, byte in enumerate(body):
            faults = self.server_of.faults
            if not faults.pause and not faults.pause_pack:
                self.wfile.write(body[at:])
                return
            self.wfile.write(bytes((byte,)))
            self.wfile.flush()
            if self.server_of.ended.wait(faults.pause or faults.pause_pack):
                return


def _basic(login: str) -> str:
    return f"Basic {base64.b64encode(login.encode()).decode()}"
