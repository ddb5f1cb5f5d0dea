"""WorkloadGroup: the template and the probe."""

from typing import Any

import pytest

from tests.core.validation.samples import said


def probe(**fields: Any) -> list[str]:
    """Return what is said of a WorkloadGroup with a probe."""
    return said("WorkloadGroup", {"template": {}, "probe": fields})


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"template": {}}, []),
        ({}, ["MR2063 spec.template"]),
        ({"template": {"address": "unix://x"}}, ["MR2013 spec.template.address"]),
        ({"template": {"ports": {"http": 0, "a_b": 1}}}, ["MR2021 spec.template.ports.http", "MR2022 spec.template.ports.a_b"]),
        ({"template": {}, "metadata": {"labels": {"a b": "c"}}}, ['MR2031 spec.metadata.labels["a b"]']),
    ],
)
def test_rules(spec: Any, expected: list[str]) -> None:
    """The template has to be there; its address comes with the VM."""
    assert said("WorkloadGroup", spec) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tcpSocket": {"port": 80}}, []),
        ({"exec": {"command": ["/bin/true"]}}, []),
        ({"httpGet": {"port": 80, "scheme": "", "httpHeaders": [{"name": "X-Probe", "value": "1"}]}}, []),
        ({}, ["MR2211 spec.probe"]),
        ({"grpc": {"port": 80}}, ["MR2211 spec.probe.grpc"]),
        ({"tcpSocket": {"port": 80}, "exec": {"command": ["x"]}}, ["MR2062 spec.probe"]),
        ({"tcpSocket": {}}, ["MR2021 spec.probe.tcpSocket.port"]),
        ({"httpGet": {"port": 65536}}, ["MR2021 spec.probe.httpGet.port"]),
        ({"httpGet": {"port": 80, "scheme": "https"}}, ["MR2067 spec.probe.httpGet.scheme"]),
        ({"httpGet": {"port": 80, "httpHeaders": [{"name": "a_b"}]}}, ["MR2212 spec.probe.httpGet.httpHeaders[0].name"]),
        ({"exec": {}}, ["MR2063 spec.probe.exec.command"]),
        ({"exec": {"command": ["a", ""]}}, ["MR2063 spec.probe.exec.command"]),
        ({"tcpSocket": {"port": 80}, "periodSeconds": -1}, ["MR2064 spec.probe.periodSeconds"]),
    ],
)
def test_probes(fields: dict[str, Any], expected: list[str]) -> None:
    """One method of three, complete, with times that are not negative."""
    assert probe(**fields) == expected
