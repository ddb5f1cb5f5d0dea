"""TLS settings of clients."""

from typing import Any

import pytest

from tests.core.validation.samples import said

PATH = "spec.trafficPolicy.tls"
FILES = {"clientCertificate": "c", "privateKey": "k"}


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ({}, []),
        ({"mode": "ISTIO_MUTUAL"}, []),
        ({"mode": "SIMPLE", "caCertificates": "ca", "subjectAltNames": ["a"]}, []),
        ({"mode": "SIMPLE", "credentialName": "c"}, []),
        ({"mode": "SIMPLE", "credentialName": "c", "caCertificates": "ca"}, [f"MR2068 {PATH}"]),
        ({"mode": "DISABLE", "credentialName": "c", "caCertificates": "ca"}, []),
        ({"mode": "MUTUAL", **FILES}, []),
        ({"mode": "MUTUAL", "credentialName": "c"}, []),
        ({"mode": "MUTUAL"}, [f"MR2068 {PATH}.clientCertificate", f"MR2068 {PATH}.privateKey"]),
        ({"mode": "SIMPLE", "insecureSkipVerify": True}, []),
        ({"mode": "SIMPLE", "insecureSkipVerify": True, "subjectAltNames": ["a"]}, [f"MR2068 {PATH}"]),
        ({"mode": "SIMPLE", "insecureSkipVerify": True, "credentialName": "c"}, [f"MR2068 {PATH}"]),
        ({"mode": "MUTUAL", "insecureSkipVerify": True, "credentialName": "c"}, []),
        ({"mode": "MUTUAL", "insecureSkipVerify": True, **FILES, "caCertificates": "ca"}, [f"MR2068 {PATH}"]),
        ({"mode": "SIMPLE", "credentialName": "configmap://shop/ca"}, []),
        ({"mode": "SIMPLE", "credentialName": "configmap://other/ca"}, [f"MR2068 {PATH}.credentialName"]),
        ({"mode": "SIMPLE", "credentialName": "configmap://ca"}, [f"MR2068 {PATH}.credentialName"]),
        ({"mode": "SIMPLE", "credentialName": "configmap://shop/"}, [f"MR2068 {PATH}.credentialName"]),
    ],
)
def test_rules(tls: dict[str, Any], expected: list[str]) -> None:
    """Certificates from one place, complete, and no check that skipping it would contradict."""
    assert said("DestinationRule", {"host": "a.example.com", "trafficPolicy": {"tls": tls}}) == expected
