"""Probes from here: where they go, where they never go, and what becomes of their outcomes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from ipaddress import ip_network
from typing import Any

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.prober import Prober, probe_of
from reconciler.agent.probe import Grpc, HttpGet, InvalidProbe, TcpSocket
from reconciler.core.health.sources import Source
from reconciler.core.health.witnesses import Patient
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import Health
from reconciler.core.resources import Document, Key
from reconciler.errors import InvalidInput
from tests.adapters.canned_http import CannedServer
from tests.waiting import SOON, becomes

TEN = (ip_network("10.0.0.0/8"),)


def vm(probe: Document | None, address: str = "127.0.0.1", name: str = "vm-1") -> Patient:
    """A VM with a probe."""
    return Patient(Key(VIRTUAL_MACHINE, "shop", name), address, Source.PROBE, probe)


@contextmanager
def probing(*networks: str, at_once: int = 32) -> Iterator[tuple[Prober, threading.Event]]:
    """A prober that may go to loopback, and what is set when a verdict has changed."""
    told = threading.Event()
    with closing(Prober(networks or ("127.0.0.0/8",), SystemClock(), at_once)) as prober:
        prober.subscribe(told.set)
        yield prober, told


@pytest.mark.parametrize(
    ("method", "check"),
    [
        ({"httpGet": {"port": 80, "path": "/up"}}, HttpGet("10.0.0.5", 80, "/up")),
        ({"httpGet": {"port": 80, "host": "localhost"}}, HttpGet("10.0.0.5", 80, "/")),
        ({"httpGet": {"port": 80, "host": "10.0.0.5"}}, HttpGet("10.0.0.5", 80, "/")),
        ({"tcpSocket": {"port": 22}}, TcpSocket("10.0.0.5", 22)),
        ({"grpc": {"port": 90, "service": "a"}}, Grpc("10.0.0.5", 90, "a")),
    ],
)
def test_a_probe_goes_to_the_address_of_the_entry(method: Document, check: Any) -> None:
    """With its period and thresholds."""
    found = probe_of(vm({**method, "periodSeconds": 3, "failureThreshold": 2}, "10.0.0.5"), TEN)
    assert (found.check, found.period, found.failures) == (check, 3, 2)


@pytest.mark.case("W-14")
@pytest.mark.parametrize(
    ("probe", "address", "why"),
    [
        (None, "10.0.0.5", "has no probe"),
        ({"exec": {"command": ["true"]}}, "10.0.0.5", "on the VM alone"),
        ({"httpGet": {"port": 80, "host": "10.0.0.6"}}, "10.0.0.5", "goes to 10.0.0.6 instead"),
        ({"tcpSocket": {"port": 80, "host": "kubernetes.default"}}, "10.0.0.5", "goes to kubernetes.default"),
        ({"tcpSocket": {"port": 80, "host": "127.0.0.1"}}, "10.0.0.5", "goes to 127.0.0.1"),
        ({"tcpSocket": {"port": 80}}, "metadata.internal", "no IP address"),
        ({"tcpSocket": {"port": 80}}, "192.168.0.1", "does not let probes go"),
        ({"tcpSocket": {"port": 80}}, "169.254.169.254", "does not let probes go"),
        ({"tcpSocket": {"port": 80}}, "::ffff:127.0.0.1", "does not let probes go"),
        ({"tcpSocket": {"port": 0}}, "10.0.0.5", "port must be"),
    ],
)
def test_what_is_not_probed(probe: Document | None, address: str, why: str) -> None:
    """A command, another host, and whatever is outside the networks that the operator has named."""
    with pytest.raises(InvalidProbe, match=why):
        probe_of(vm(probe, address), TEN)


@pytest.mark.case("W-14")
@pytest.mark.parametrize(
    ("network", "address", "reached"),
    [
        ("0.0.0.0/0", "10.0.0.5", True),
        ("0.0.0.0/0", "127.0.0.1", False),
        ("127.0.0.0/8", "127.0.0.1", True),
        ("0.0.0.0/0", "169.254.169.254", False),
        ("169.254.0.0/16", "169.254.169.254", True),
        ("100.64.0.0/10", "100.100.100.200", False),
        ("100.100.100.200/32", "100.100.100.200", True),
        ("::/0", "::1", False),
        ("::/0", "::ffff:169.254.169.254", False),
        ("::/0", "2001:db8::5", True),
    ],
)
def test_special_addresses_must_be_meant(network: str, address: str, *, reached: bool) -> None:
    """A network that holds loopback, link-local or metadata among others does not open them."""
    try:
        probe_of(vm({"tcpSocket": {"port": 80}}, address), (ip_network(network),))
    except InvalidProbe:
        assert not reached
    else:
        assert reached


def test_a_verdict_changes_and_is_told() -> None:
    """Well, ill with the reason, well again; a redirect is an answer that nobody follows."""
    with CannedServer() as server, probing() as (prober, told):
        patient = vm({"httpGet": {"port": server.port, "path": "/up"}, "periodSeconds": 1})

        def becomes_so(health: Health, reason: str) -> bool:
            found = prober.testify([patient]).get(patient.key)
            return bool(found and found.health is health and reason in found.reason)

        assert prober.testify([patient]) == {}
        assert told.wait(SOON)
        assert becomes_so(Health.HEALTHY, "its probe from here succeeds")
        server.answers(503)
        assert becomes(lambda: becomes_so(Health.UNHEALTHY, "fails: HTTP status 503"))
        server.answers(302, location="/elsewhere")
        assert becomes(lambda: becomes_so(Health.HEALTHY, ""))
    assert {one.path for one in server.asked} == {"/up"}


def test_only_who_is_asked_about_is_probed_and_nobody_before_a_subscription() -> None:
    """Another probe begins anew; whom nobody asks about is forgotten, verdict and all; one look starts nothing."""
    with CannedServer() as server:
        first = vm({"tcpSocket": {"port": server.port}, "periodSeconds": 1})
        other = vm({"tcpSocket": {"port": server.port}, "periodSeconds": 2})
        with closing(Prober(("127.0.0.0/8",), SystemClock())) as silent:
            assert silent.testify([first]) == {}
            assert silent._rounds == {}
        with probing() as (prober, _):
            assert becomes(lambda: prober.testify([first]))
            assert prober.testify([other]) == {}
            assert becomes(lambda: prober.testify([other]))
            assert prober.testify([]) == {}


def test_a_refusal_is_told_as_not_known() -> None:
    """Nothing is concluded from it."""
    with probing("10.0.0.0/8") as (prober, _):
        found = prober.testify([vm({"tcpSocket": {"port": 22}})])[vm(None).key]
    assert (found.health, found.reason.startswith("it cannot be probed from here: the operator")) == (Health.UNKNOWN, True)
    with pytest.raises(InvalidInput, match="no network"):
        Prober(("10.0.0.0/33",), SystemClock())


class Slow:
    """A server on all loopback addresses that answers once `may_answer` is set, and knows how many waited at most."""

    def __init__(self) -> None:
        self.accepted = self.answered = self.most = 0
        self.may_answer = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            with self._lock:
                self.accepted += 1
                self.most = max(self.most, self.accepted - self.answered)
            connection.recv(65_536)
            self.may_answer.wait(SOON)
            with self._lock:
                self.answered += 1
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def test_no_more_than_so_many_at_once() -> None:
    """Where VMs are slow to answer, others wait for their turn."""
    with closing(Slow()) as slow, probing(at_once=2) as (prober, _):
        probe = {"httpGet": {"port": slow.port}, "timeoutSeconds": 30, "periodSeconds": 3600}
        patients = [vm(probe, f"127.0.0.{number}", f"vm-{number}") for number in range(1, 7)]
        assert prober.testify(patients) == {}
        assert becomes(lambda: slow.accepted == 2)
        slow.may_answer.set()
        assert becomes(lambda: len(prober.testify(patients)) == 6)
        assert (slow.accepted, slow.most) == (6, 2)
