"""Traffic policies: of a DestinationRule, of its subsets and ports, and the connection pools of a Sidecar."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.addresses import is_ip
from reconciler.core.validation.clienttls import check_client_tls
from reconciler.core.validation.codes import Code
from reconciler.core.validation.durations import MILLISECOND, check_duration, check_duration_syntax, nanoseconds
from reconciler.core.validation.findings import (
    Findings,
    known,
    mapping,
    not_negative,
    number,
    objects,
    present,
    sequence,
    shown,
    text,
    within,
)
from reconciler.core.validation.loadbalancer import check_load_balancer
from reconciler.core.validation.names import fqdn_flaw
from reconciler.core.validation.ports import check_required

_PARTS_OF_PORT = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_PARTS = (*_PARTS_OF_PORT, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")
_HTTP_COUNTS = ("http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries", "maxConcurrentStreams")


def check_policy(found: Findings, parent: Mapping[str, Any], namespace: str, path: str) -> None:
    """Check `trafficPolicy` of a rule or of a subset."""
    if not isinstance(policy := parent.get("trafficPolicy"), dict):
        return
    path = f"{path}.trafficPolicy"
    if not present(policy, *_PARTS):
        found.error(Code.POLICY_EMPTY, path, "a traffic policy that sets nothing is refused: fill it in or remove it")
    if len(present(policy, "tunnel", "proxyProtocol")) == 2:
        found.error(Code.ONE_OF, path, "tunnel and proxyProtocol exclude each other: keep one of them")
    _check_parts(found, policy, namespace, path)
    _check_port_policies(found, policy, namespace, path)
    _check_tunnel(found, policy, path)
    budget = mapping(policy.get("retryBudget"))
    within(found, budget, f"{path}.retryBudget", "percent", 0, 100)
    check_duration_syntax(found, budget, f"{path}.retryBudget", "budgetInterval")


def _check_parts(found: Findings, policy: Mapping[str, Any], namespace: str, path: str) -> None:
    outlier = policy.get("outlierDetection")
    check_outlier_detection(found, mapping(outlier), f"{path}.outlierDetection")
    check_connection_pool(found, policy, path, "connectionPool")
    check_load_balancer(
        found, mapping(policy.get("loadBalancer")), f"{path}.loadBalancer", has_outlier_detection=outlier is not None
    )
    check_client_tls(found, mapping(policy.get("tls")), namespace, f"{path}.tls")


def _check_port_policies(found: Findings, policy: Mapping[str, Any], namespace: str, path: str) -> None:
    """Istio's webhook keeps the errors of a port's policy and drops its warnings."""
    inner = Findings()
    for where, settings in objects(inner, policy, "portLevelSettings", path):
        if settings.get("port") is None:
            inner.error(Code.REQUIRED, f"{where}.port", "settings of a port need that port: add port.number")
        if not present(settings, *_PARTS_OF_PORT):
            inner.error(
                Code.POLICY_EMPTY, where, "settings of a port that set nothing are refused: fill them in or remove them"
            )
        _check_parts(inner, settings, namespace, where)
    found.errors_of(inner)


def _check_tunnel(found: Findings, policy: Mapping[str, Any], path: str) -> None:
    if not isinstance(tunnel := policy.get("tunnel"), dict):
        return
    path = f"{path}.tunnel"
    if (protocol := text(tunnel.get("protocol"))) not in ("", "CONNECT", "POST"):
        found.error(Code.TUNNEL, f"{path}.protocol", f"{shown(protocol)} cannot tunnel: use CONNECT or POST")
    if not is_ip(host := text(tunnel.get("targetHost"))) and (flaw := fqdn_flaw(host)):
        found.error(
            Code.TUNNEL, f"{path}.targetHost", f"{shown(host)} is neither a DNS name nor an IP address ({flaw}): correct it"
        )
    check_required(found, tunnel, path, "targetPort")


def check_outlier_detection(found: Findings, outlier: Mapping[str, Any], path: str) -> None:
    """Check outlier detection."""
    check_duration(found, outlier, path, "baseEjectionTime", "interval")
    within(found, outlier, path, "maxEjectionPercent", 0, 100)
    within(found, outlier, path, "minHealthPercent", 0, 100)
    if number(outlier.get("consecutiveErrors")):
        found.warning(
            Code.DEPRECATED,
            f"{path}.consecutiveErrors",
            "consecutiveErrors is deprecated: use consecutive5xxErrors or consecutiveGatewayErrors",
        )
    if number(outlier.get("consecutiveLocalOriginFailures")) > 0 and not outlier.get("splitExternalLocalOriginErrors"):
        found.error(
            Code.OUTLIER_LOCAL_ORIGIN,
            f"{path}.consecutiveLocalOriginFailures",
            "local origin failures are counted apart only when they are split: set splitExternalLocalOriginErrors to true",
        )
    for index, code in enumerate(sequence(outlier.get("outlierDetectionHttpErrorCodes"))):
        if isinstance(code, int) and not 100 <= code <= 599:
            found.error(
                Code.NUMBER_RANGE,
                f"{path}.outlierDetectionHttpErrorCodes[{index}]",
                f"{shown(code)} is not an HTTP status: use 100 to 599",
            )


def check_connection_pool(found: Findings, parent: Mapping[str, Any], path: str, name: str) -> None:
    """Check the connection pool in a field, where there is one."""
    if not isinstance(pool := parent.get(name), dict):
        return
    path = f"{path}.{name}"
    if not present(pool, "http", "tcp"):
        found.error(Code.POLICY_EMPTY, path, "a connection pool that sets nothing is refused: add http or tcp, or remove it")
    _check_http_pool(found, mapping(pool.get("http")), f"{path}.http")
    _check_tcp_pool(found, mapping(pool.get("tcp")), f"{path}.tcp")


def _check_http_pool(found: Findings, http: Mapping[str, Any], path: str) -> None:
    not_negative(found, http, path, *_HTTP_COUNTS)
    known(found, http, path, h2UpgradePolicy=("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"))
    check_duration(found, http, path, "idleTimeout")
    if http.get("h2UpgradePolicy") == "UPGRADE" and http.get("useClientProtocol"):
        found.error(Code.ONE_OF, path, "h2UpgradePolicy UPGRADE and useClientProtocol exclude each other: keep one of them")
    if isinstance(keepalive := http.get("http2KeepAlive"), dict):
        for name in ("interval", "timeout"):
            if keepalive.get(name) is None:
                found.error(Code.REQUIRED, f"{path}.http2KeepAlive.{name}", f"HTTP/2 keepalive needs {name}: add it")
        check_duration(found, keepalive, f"{path}.http2KeepAlive", "interval", "timeout")


def _check_tcp_pool(found: Findings, tcp: Mapping[str, Any], path: str) -> None:
    not_negative(found, tcp, path, "maxConnections")
    check_duration(found, tcp, path, "connectTimeout", "maxConnectionDuration")
    # 0 switches the timeout off; Istio reads whatever is below a millisecond as 0.
    if abs(nanoseconds(text(tcp.get("idleTimeout"))) or 0) < MILLISECOND:
        check_duration_syntax(found, tcp, path, "idleTimeout")
    else:
        check_duration(found, tcp, path, "idleTimeout")
    check_duration(found, mapping(tcp.get("tcpKeepalive")), f"{path}.tcpKeepalive", "time", "interval")
