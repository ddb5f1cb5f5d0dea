"""TLS settings of servers."""

from typing import Any

import pytest

from tests.core.validation.samples import said

FILES = {"serverCertificate": "c", "privateKey": "k"}


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ({"mode": "SIMPLE", **FILES}, []),
        ({"mode": "SIMPLE", "credentialName": "c", "cipherSuites": ["AES128-SHA", "-ALL"]}, []),
        ({"mode": "MUTUAL", **FILES, "caCertificates": "ca", "caCrl": "crl"}, []),
        ({"mode": "ISTIO_MUTUAL"}, []),
        ({"mode": "PASSTHROUGH"}, []),
        ({"mode": "SIMPLE", "tlsCertificates": [FILES]}, []),
        ({"mode": "SOME"}, ["MR2067 .mode"]),
        ({"mode": "SIMPLE"}, ["MR2068 .serverCertificate", "MR2068 .privateKey"]),
        ({"mode": "SIMPLE", **FILES, "caCrl": "crl"}, ["MR2068 .caCrl"]),
        ({"mode": "SIMPLE", **FILES, "credentialName": "c"}, ["MR2068 "]),
        ({"mode": "SIMPLE", "credentialName": "c", "credentialNames": ["d"]}, ["MR2062 "]),
        (
            {"mode": "SIMPLE", "credentialNames": []},
            ["MR2068 .credentialNames", "MR2068 .serverCertificate", "MR2068 .privateKey"],
        ),
        ({"mode": "MUTUAL", **FILES}, ["MR2068 .caCertificates"]),
        ({"mode": "SIMPLE", "tlsCertificates": [{"privateKey": "k"}]}, ["MR2068 .tlsCertificates[0].serverCertificate"]),
        ({"mode": "ISTIO_MUTUAL", "credentialName": "c"}, ["MR2068 "]),
        ({"mode": "PASSTHROUGH", "caCrl": "crl", "credentialName": "c"}, ["warning MR2502 ", "MR2068 .caCrl"]),
        ({"mode": "SIMPLE", **FILES, "minProtocolVersion": "TLSV1_0"}, ["warning MR2068 "]),
        ({"mode": "SIMPLE", **FILES, "cipherSuites": ["MAGIC"]}, ["warning MR2502 .cipherSuites"]),
        ({"mode": "SIMPLE", **FILES, "cipherSuites": ["AES128-SHA", "AES128-SHA"]}, ["warning MR2502 .cipherSuites"]),
    ],
)
def test_rules(tls: dict[str, Any], expected: list[str]) -> None:
    """What each mode needs, from one place, and what it has no use for."""
    port = {"number": 443, "name": "https", "protocol": "HTTPS"}
    told = said("Gateway", {"servers": [{"hosts": ["*"], "port": port, "tls": tls}]})
    assert [line.replace("spec.servers[0].tls", "") for line in told] == expected
