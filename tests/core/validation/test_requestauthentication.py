"""RequestAuthentication: JWT rules."""

import json
from typing import Any

import pytest

from reconciler.core.validation import validate
from tests.core.validation.samples import document, said

PUBLIC = {"kty": "RSA", "n": "AQAB", "e": "AQAB"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"issuer": "x"}, []),
        ({"jwksUri": "https://login.example.com/keys"}, []),
        ({"issuer": "x", "jwks": json.dumps({"keys": [PUBLIC]}), "timeout": "5s"}, []),
        ({"issuer": "x", "jwks": json.dumps(PUBLIC)}, []),
        ({}, ["MR2611 "]),
        ({"issuer": ""}, ["MR2611 "]),
        ({"issuer": "x", "jwksUri": "ftp://login"}, ["MR2611 .jwksUri"]),
        ({"issuer": "x", "jwksUri": "https://a", "jwks": json.dumps({"keys": [PUBLIC]})}, ["MR2062 "]),
        ({"issuer": "x", "jwks": "{"}, ["MR2611 .jwks"]),
        ({"issuer": "x", "jwks": "[]"}, ["MR2611 .jwks"]),
        ({"issuer": "x", "audiences": [""]}, ["MR2611 .audiences[0]"]),
        ({"issuer": "x", "fromHeaders": [{"prefix": "p"}]}, ["MR2611 .fromHeaders[0].name"]),
        ({"issuer": "x", "outputClaimToHeaders": [{"claim": "c", "header": "a b"}]}, ["MR2611 .outputClaimToHeaders[0]"]),
        ({"issuer": "x", "timeout": "0s"}, ["MR2052 .timeout"]),
    ],
)
def test_rules(rule: dict[str, Any], expected: list[str]) -> None:
    """An issuer, keys from one place, and where the token is found."""
    told = said("RequestAuthentication", {"jwtRules": [rule]})
    assert [line.replace("spec.jwtRules[0]", "") for line in told] == expected


@pytest.mark.case("M-15")
def test_a_private_key_is_warned_of_and_not_shown() -> None:
    """Only its issuer may know it."""
    rule = {"issuer": "x", "jwks": json.dumps({"keys": [{**PUBLIC, "d": "very-secret"}]})}
    (problem,) = validate(document("RequestAuthentication", {"jwtRules": [rule]}))
    assert problem.severity == "warning"
    assert "very-secret" not in str(problem)
