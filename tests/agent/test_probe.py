"""Probes of WorkloadGroups, as Istio's agent reads them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.agent.probe import Exec, Grpc, HttpGet, InvalidProbe, Probe, TcpSocket, read_probe


def test_istios_defaults() -> None:
    """What a WorkloadGroup leaves out is filled in as Istio does it; a zero counts as left out."""
    nothing = {"timeoutSeconds": 0, "periodSeconds": 0, "successThreshold": 0, "failureThreshold": 0, "initialDelaySeconds": 0}
    assert read_probe({"httpGet": {"port": 8080}}) == Probe(HttpGet("localhost", 8080, "/"), 0, 1, 10, 1, 1)
    assert read_probe({"httpGet": {"port": 8080, "path": "", "scheme": ""}, **nothing}) == read_probe(
        {"httpGet": {"port": 8080}}
    )
    assert read_probe({"tcpSocket": {"port": 5432}}).check == TcpSocket("localhost", 5432)
    assert read_probe({"grpc": {"port": 9000}}).check == Grpc("localhost", 9000, "")


def test_all_that_can_be_said() -> None:
    """Host, path, scheme, headers, command, service and all times."""
    times = {"timeoutSeconds": 2, "periodSeconds": 3, "successThreshold": 4, "failureThreshold": 5, "initialDelaySeconds": 6}
    headers = [{"name": "Host", "value": "billing"}, {"name": "X-Probe", "value": ""}]
    http = {"port": 443, "host": "::1", "path": "ready?full=1&x=a b", "scheme": "HTTPS", "httpHeaders": headers}
    assert read_probe({"httpGet": http, **times}) == Probe(
        HttpGet("::1", 443, "/ready?full=1&x=a%20b", secure=True, headers=(("Host", "billing"), ("X-Probe", ""))), 6, 2, 3, 4, 5
    )
    assert read_probe({"exec": {"command": ["/bin/check", "-v"]}}).check == Exec(("/bin/check", "-v"))
    assert read_probe({"grpc": {"port": 9000, "service": "billing"}}).check == Grpc("localhost", 9000, "billing")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "no object"),
        ({}, "must have one of"),
        ({"httpGet": {"port": 1}, "tcpSocket": {"port": 1}}, "must have one of"),
        ({"httpGet": []}, "httpGet is no object"),
        ({"httpGet": {}}, "port must be"),
        ({"tcpSocket": {"port": 65536}}, "port must be"),
        ({"tcpSocket": {"port": True}}, "port must be"),
        ({"httpGet": {"port": 1, "scheme": "ftp"}}, "scheme must be"),
        ({"httpGet": {"port": 1, "path": "/\r\nX: y"}}, "path must be"),
        ({"httpGet": {"port": 1, "httpHeaders": [{"name": "a b", "value": "c"}]}}, "httpHeaders has"),
        ({"httpGet": {"port": 1, "httpHeaders": [{"name": "a", "value": "c\nd: e"}]}}, "value must be"),
        ({"exec": {"command": []}}, "command must be"),
        ({"exec": {"command": "rm -rf"}}, "command must be"),
        ({"tcpSocket": {"port": 1}, "periodSeconds": -1}, "periodSeconds must be"),
        ({"tcpSocket": {"port": 1}, "timeoutSeconds": 1.5}, "timeoutSeconds must be"),
    ],
)
def test_probes_that_cannot_be(document: Any, said: str) -> None:
    """What cannot be carried out is named, and no text of it can add a line to a request."""
    with pytest.raises(InvalidProbe, match=said):
        read_probe(document)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("port path host command name".split()), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("httpGet tcpSocket exec grpc periodSeconds failureThreshold".split()), _JSON))
def test_whatever_comes(document: dict[str, Any]) -> None:
    """Any JSON is a probe or is refused; nothing else happens."""
    try:
        probe = read_probe(document)
    except InvalidProbe:
        return
    assert probe.period >= 1
    assert probe.timeout >= 1
    assert min(probe.successes, probe.failures) >= 1
