"""Where we differ from Istio on purpose."""

from typing import Any

import pytest

from reconciler.core.validation import STRICTER, Code
from tests.core.validation.samples import ROUTE, changed, said

CASES: dict[Code, tuple[str, Any]] = {
    Code.SELECTOR_EMPTY: ("ServiceEntry", changed("ServiceEntry", workloadSelector={"labels": {}})),
    Code.HOST_NOT_LOWER_CASE: ("DestinationRule", {"host": "Billing.example.com"}),
    Code.HOST_PUNYCODE: ("DestinationRule", {"host": "xn--bcher-kva.example.com"}),
    Code.GATEWAY_NAME: ("VirtualService", {"hosts": ["a.example.com"], "gateways": ["mesh", "shop/a_b"], "http": [ROUTE]}),
    Code.POLICY_EMPTY_LIST: ("AuthorizationPolicy", {"rules": [{"from": []}]}),
}


@pytest.mark.parametrize("entry", STRICTER, ids=lambda entry: entry.code.name)
def test_each_difference_is_real_and_has_a_reason(entry: Any) -> None:
    """What Istio accepts is reported under the listed code, and under it alone."""
    kind, spec = CASES[entry.code]
    assert [line.removeprefix("warning ").split()[0] for line in said(kind, spec)] == [entry.code.value]
    assert entry.what.endswith(".")
    assert entry.reason.endswith(".")
