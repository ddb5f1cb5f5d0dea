"""Faults that HTTP routes inject: delays and aborts."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.durations import check_duration
from reconciler.core.validation.findings import Findings, mapping, number, one_of, present, shown, text

_GRPC_STATUS = frozenset(
    (
        "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED"
        " FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED"
    ).split()
)
#: Envoy counts percentages in parts of a million.
_LEAST_PERCENTAGE = 0.0001


def check(found: Findings, route: Mapping[str, Any], path: str) -> None:
    """Check the `fault` of a route, where there is one."""
    if not isinstance(fault := route.get("fault"), dict):
        return
    path = f"{path}.fault"
    if not present(fault, "abort", "delay"):
        found.error(Code.FAULT, path, "the fault does nothing: add abort or delay")
    if isinstance(abort := fault.get("abort"), dict):
        _check_abort(found, abort, f"{path}.abort")
    if isinstance(delay := fault.get("delay"), dict):
        _check_delay(found, delay, f"{path}.delay")


def _check_abort(found: Findings, abort: Mapping[str, Any], path: str) -> None:
    _check_percentage(found, abort, path)
    one_of(found, abort, path, "httpStatus", "grpcStatus", "http2Error")
    match present(abort, "httpStatus", "grpcStatus", "http2Error"):
        case ["httpStatus", *_]:
            if not 200 <= (status := number(abort["httpStatus"])) <= 600:
                found.error(Code.NUMBER_RANGE, f"{path}.httpStatus", f"httpStatus is {shown(status)}: use 200 to 599")
        case ["grpcStatus", *_]:
            if (name := text(abort["grpcStatus"])) not in _GRPC_STATUS:
                found.error(
                    Code.UNKNOWN_VALUE, f"{path}.grpcStatus", f"{shown(name)} is not a gRPC status: use one such as NOT_FOUND"
                )
        case ["http2Error"]:
            found.error(Code.FAULT, f"{path}.http2Error", "http2Error is not supported: use httpStatus or grpcStatus")


def _check_delay(found: Findings, delay: Mapping[str, Any], path: str) -> None:
    _check_percentage(found, delay, path)
    one_of(found, delay, path, "fixedDelay", "exponentialDelay")
    check_duration(found, delay, path, "fixedDelay", "exponentialDelay")
    if delay.get("exponentialDelay") is not None:
        found.error(Code.FAULT, f"{path}.exponentialDelay", "exponentialDelay is not supported: use fixedDelay")


def _check_percentage(found: Findings, fault: Mapping[str, Any], path: str) -> None:
    value = number(mapping(fault.get("percentage")).get("value"))
    if value and not _LEAST_PERCENTAGE <= value <= 100:
        found.error(
            Code.NUMBER_RANGE, f"{path}.percentage.value", f"value is {shown(value)}: use 0, or {_LEAST_PERCENTAGE:f} to 100"
        )
