"""Where we differ from Istio on purpose."""

from typing import Any

import pytest

from reconciler.core.validation import STRICTER, Code
from tests.core.validation.samples import ROUTE, changed, said

CASES: list[tuple[Code, str, Any]] = [
    (Code.SELECTOR_EMPTY, "ServiceEntry", changed("ServiceEntry", workloadSelector={"labels": {}})),
    (Code.HOST_NOT_LOWER_CASE, "DestinationRule", {"host": "Billing.example.com"}),
    (Code.HOST_PUNYCODE, "DestinationRule", {"host": "xn--bcher-kva.example.com"}),
    (Code.GATEWAY_NAME, "VirtualService", {"hosts": ["a.b"], "gateways": ["mesh", "shop/a_b"], "http": [ROUTE]}),
    (Code.GATEWAY_NAME_LEGACY, "VirtualService", {"hosts": ["a.b"], "gateways": ["mesh", "edge.shop"], "http": [ROUTE]}),
    (Code.POLICY_EMPTY_LIST, "AuthorizationPolicy", {"rules": [{"from": []}]}),
]


@pytest.mark.parametrize(("code", "kind", "spec"), CASES, ids=lambda value: value.name if isinstance(value, Code) else "")
def test_each_difference_is_real(code: Code, kind: str, spec: Any) -> None:
    """What Istio accepts, or accepts in silence, is reported under the listed code and under it alone."""
    assert [line.removeprefix("warning ").split()[0] for line in said(kind, spec)] == [code.value]


def test_each_difference_is_listed_with_its_reason() -> None:
    """Once, in sentences for the documentation."""
    assert sorted(code for entry in STRICTER for code in entry.codes) == sorted(code for code, _, _ in CASES)
    assert all(entry.what.endswith(".") and entry.reason.endswith(".") for entry in STRICTER)
