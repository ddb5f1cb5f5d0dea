"""Retries of HTTP routes."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.durations import check_duration
from reconciler.core.validation.findings import Findings, not_negative, number, present, shown, text

#: What Envoy takes in the headers x-envoy-retry-on and x-envoy-retry-grpc-on.
_POLICIES = frozenset(
    (
        "5xx gateway-error reset reset-before-request connect-failure retriable-4xx refused-stream retriable-status-codes"
        " retriable-headers envoy-ratelimited http3-post-connect-failure"
        " cancelled deadline-exceeded internal resource-exhausted unavailable"
    ).split()
)
_STATUS = frozenset(str(status.value) for status in HTTPStatus)


def check_retries(found: Findings, route: Mapping[str, Any], path: str) -> None:
    """Check the `retries` of a route, where there are any."""
    if not isinstance(retries := route.get("retries"), dict):
        return
    path = f"{path}.retries"
    not_negative(found, retries, path, "attempts")
    policies = text(retries.get("retryOn"))
    if number(retries.get("attempts")) == 0 and (policies or present(retries, "perTryTimeout", "retryRemoteLocalities")):
        found.error(
            Code.RETRY,
            path,
            "attempts is 0, which switches retries off, and yet they are configured: set attempts, or remove the rest",
        )
    check_duration(found, retries, path, "perTryTimeout", "backoff")
    for policy in policies.split(",") if policies else ():
        if policy not in _POLICIES and policy not in _STATUS:
            found.error(
                Code.RETRY,
                f"{path}.retryOn",
                f"{shown(policy)} is not a reason to retry: use Envoy's names or status codes, without spaces",
            )
