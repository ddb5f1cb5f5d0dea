"""Probes on real sockets and processes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from reconciler.agent.checks import carry_out
from reconciler.agent.health import Outcome
from reconciler.agent.probe import Exec, Grpc, HttpGet, TcpSocket
from tests.real.apiserver import ApiServer
from tests.real.git_https import Authority
from tests.real.processes import running
from tests.waiting import SOON, becomes

WELL = Outcome(well=True)


@contextmanager
def answering(answer: Callable[[socket.socket], object], host: str = "127.0.0.1") -> Iterator[int]:
    """A port at which one connection is answered; yields the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(SOON)


def reply(data: bytes) -> Callable[[socket.socket], object]:
    """Read a request's first piece, then send this, and read on until the other side has had enough."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    return answer


@pytest.mark.parametrize("status", [200, 204, 301, 399])
def test_http_that_is_well(status: int) -> None:
    """200 to 399; a redirect is an answer, and nobody goes where it leads."""
    with answering(reply(f"HTTP/1.1 {status} x\r\nLocation: http://127.0.0.1:1/\r\n\r\n".encode())) as port:
        assert carry_out(HttpGet("127.0.0.1", port, "/"), 5) == WELL


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"HTTP/1.1 199 x\r\n\r\n", "HTTP status 199"),
        (b"HTTP/1.0 400 x\r\n\r\n", "HTTP status 400"),
        (b"HTTP/1.1 503 all is lost\r\n\r\n", "HTTP status 503"),
        (b"", "the answer is not HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP"),
        (b"x" * 4096, "the answer is not HTTP"),
        (b"HTTP/1.1 \xb2\xb2\xb2 x\r\n", "the answer is not HTTP"),
    ],
)
def test_http_that_is_ill(data: bytes, reason: str) -> None:
    """Any other status, and what is no HTTP; no text of the workload gets into the reason."""
    with answering(reply(data)) as port:
        assert carry_out(HttpGet("127.0.0.1", port, "/"), 5) == Outcome(well=False, reason=reason)


def test_what_an_http_probe_sends() -> None:
    """The path and headers of the probe; its Host and User-Agent in place of ours."""
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        seen.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with answering(answer) as port:
        headers = (("host", "billing.shop"), ("X-Probe", "yes"))
        carry_out(HttpGet("127.0.0.1", port, "/ready?full=1", headers=headers), 5)
    with answering(answer, "::1") as other:
        carry_out(HttpGet("::1", other, "/"), 5)
    assert seen[0].decode().split("\r\n") == [
        "GET /ready?full=1 HTTP/1.1",
        "User-Agent: reconciler-agent",
        "Accept: */*",
        "host: billing.shop",
        "X-Probe: yes",
        "Connection: close",
        "",
        "",
    ]
    assert f"Host: [::1]:{other}\r\n".encode() in seen[1]


def test_https_whoever_has_signed(authority: Authority) -> None:
    """A probe asks whether the workload works, not who it is; what speaks no TLS is ill."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65_536)
            secured.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with answering(answer) as port:
        assert carry_out(HttpGet("127.0.0.1", port, "/", secure=True), 5) == WELL
    with answering(reply(b"HTTP/1.1 400 x\r\n\r\n")) as port:
        assert not carry_out(HttpGet("127.0.0.1", port, "/", secure=True), 5).well


def test_a_workload_that_drips() -> None:
    """The timeout is for all of a probe: a byte now and then gains no time."""
    done = threading.Event()

    def answer(connection: socket.socket) -> None:
        while not done.wait(0.05):
            connection.sendall(b"H")

    with answering(answer) as port:
        assert carry_out(HttpGet("127.0.0.1", port, "/"), 1).reason == "no answer within 1 s"
        done.set()


def test_tcp() -> None:
    """Whoever accepts is well; a port that nobody listens on and a name that leads nowhere are not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert carry_out(TcpSocket("127.0.0.1", port), 5) == WELL
        assert carry_out(TcpSocket("localhost", port), 5) == WELL
    assert carry_out(TcpSocket("127.0.0.1", port), 5) == Outcome(well=False, reason="Connection refused")
    assert not carry_out(TcpSocket("nowhere.invalid", port), 5).well
    assert carry_out(TcpSocket("two..dots", port), 5).reason == "the host's name cannot be one"


def test_exec(tmp_path: Path) -> None:
    """The exit status decides; no shell reads the words, and what cannot be run is ill."""
    assert carry_out(Exec(("sh", "-c", "exit 0")), 30) == WELL
    assert carry_out(Exec(("sh", "-c", "exit 3")), 30).reason == "the command ended with 3"
    assert carry_out(Exec((f"touch {tmp_path}/made",)), 30).reason == "the command cannot be run: No such file or directory"
    assert not (tmp_path / "made").exists()


def test_a_command_that_does_not_end(tmp_path: Path) -> None:
    """It is killed with all that it has started."""
    script = f"sleep 600 & echo $! > {tmp_path}/pid; wait"
    assert carry_out(Exec(("sh", "-c", script)), 1).reason == "the command did not end within 1 s"
    child = int((tmp_path / "pid").read_text())
    assert becomes(lambda: not running(child))


def test_grpc_of_a_real_server(api_server: ApiServer) -> None:
    """The health of etcd is told by gRPC, and it knows no service of another name."""
    port = int(api_server.etcd_url.rpartition(":")[2])
    assert carry_out(Grpc("127.0.0.1", port), 30) == WELL
    unknown = Outcome(well=False, reason="the call failed: no such service, or none that tells its health")
    assert carry_out(Grpc("127.0.0.1", port, "billing" * 40), 30) == unknown


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def message(*data: int) -> bytes:
    """A message of gRPC."""
    return b"\0" + len(data).to_bytes(4, "big") + bytes(data)


SETTINGS = frame(4, 0, 0, b"")


def test_what_http_2_asks_of_a_client() -> None:
    """Settings and pings are answered, also before the answer comes; a server may cut off who does not."""
    heard = b""
    settled = frame(4, 1, 0, b"") + frame(6, 1, 0, b"12345678")

    def answer(connection: socket.socket) -> None:
        nonlocal heard
        connection.sendall(SETTINGS + frame(6, 0, 0, b"12345678"))
        while settled not in heard:
            heard += connection.recv(65_536)
        connection.sendall(frame(0, 0, 1, message(8, 1)))

    with answering(answer) as port:
        assert carry_out(Grpc("127.0.0.1", port), 30) == WELL
    assert heard.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (frame(0, 0, 1, message(8, 1)), ""),
        (frame(0, 0, 1, message(8, 1)[:3]) + frame(6, 0, 0, b"12345678") + frame(0, 1, 1, message(8, 1)[3:]), ""),
        (frame(0, 8, 1, b"\x02" + message(8, 1) + b"\0\0"), ""),
        (frame(0, 0, 1, message(8, 2)), "says NOT_SERVING"),
        (frame(0, 0, 1, message()), "says UNKNOWN"),
        (frame(0, 0, 1, message(8, 9)), "says something unknown"),
        (frame(0, 1, 1, b""), "the call failed: no such service, or none that tells its health"),
        (frame(1, 5, 1, b"\x88"), "the call failed: no such service, or none that tells its health"),
        (frame(3, 0, 1, bytes(4)), "the call failed: no such service, or none that tells its health"),
        (frame(7, 0, 0, bytes(8)), "the call failed: no such service, or none that tells its health"),
        (b"", "ConnectionError"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "ConnectionError"),
    ],
)
def test_answers_in_grpc(answer: bytes, reason: str) -> None:
    """The message decides, in however many frames it comes; a call that fails has none."""
    with answering(reply(SETTINGS + answer)) as port:
        assert carry_out(Grpc("127.0.0.1", port), 30) == Outcome(not reason, reason)
