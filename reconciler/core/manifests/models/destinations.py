"""DestinationRule: subsets, and the traffic policy that clients follow."""

from typing import Annotated, Literal

from pydantic import Field

from reconciler.core.manifests.models.base import Choice, Int32, Number, Strict, Texts, Uint32, Uint64

Percent = Annotated[Number, Field(ge=0, le=100)]


class TcpKeepalive(Strict):
    """Keep-alive of TCP connections."""

    probes: Uint32 | None = None
    time: str | None = None
    interval: str | None = None


class TcpPool(Strict):
    """Limits of TCP connections."""

    max_connections: Int32 | None = None
    connect_timeout: str | None = None
    idle_timeout: str | None = None
    max_connection_duration: str | None = None
    tcp_keepalive: TcpKeepalive | None = None


class Http2KeepAlive(Strict):
    """Keep-alive of HTTP/2 connections."""

    interval: str | None = None
    timeout: str | None = None


class HttpPool(Strict):
    """Limits of HTTP requests."""

    h2_upgrade_policy: Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"] | None = None
    http1_max_pending_requests: Int32 | None = None
    http2_keep_alive: Http2KeepAlive | None = None
    http2_max_requests: Int32 | None = None
    idle_timeout: str | None = None
    max_concurrent_streams: Int32 | None = None
    max_requests_per_connection: Int32 | None = None
    max_retries: Int32 | None = None
    use_client_protocol: bool | None = None


class ConnectionPool(Strict):
    """Limits of connections and requests."""

    tcp: TcpPool | None = None
    http: HttpPool | None = None


class CookieAttribute(Strict):
    """An attribute of the cookie made for consistent hashing."""

    name: str
    value: str | None = None


class HttpCookie(Strict):
    """The cookie to hash by."""

    name: str
    path: str | None = None
    ttl: str | None = None
    attributes: list[CookieAttribute] | None = None


class RingHash(Strict):
    """Ring hash settings."""

    minimum_ring_size: Uint64 | None = None


class Maglev(Strict):
    """Maglev settings."""

    table_size: Uint64 | None = None


class ConsistentHash(Choice):
    """What to hash by, and how."""

    at_most_one = (
        ("http_header_name", "http_cookie", "use_source_ip", "http_query_parameter_name"),
        ("ring_hash", "maglev"),
    )

    http_header_name: str | None = None
    http_cookie: HttpCookie | None = None
    use_source_ip: bool | None = None
    http_query_parameter_name: str | None = None
    ring_hash: RingHash | None = None
    maglev: Maglev | None = None
    minimum_ring_size: Uint64 | None = None


class BackendUtilization(Strict):
    """Load balancing by what the endpoints report of themselves."""

    error_utilization_penalty_percent: Uint32 | None = None
    metric_names_for_computing_utilization: Texts | None = None
    weight_expiration_period: str | None = None
    weight_stabilization_period: str | None = None
    weight_update_period: str | None = None


class Distribute(Strict):
    """Where requests of one locality go."""

    from_: str | None = Field(default=None, alias="from")
    to: dict[str, Uint32] | None = None


class Failover(Strict):
    """Which region stands in for which."""

    from_: str | None = Field(default=None, alias="from")
    to: str | None = None


class LocalityLoadBalancing(Strict):
    """Load balancing across localities."""

    enabled: bool | None = None
    distribute: list[Distribute] | None = None
    failover: list[Failover] | None = None
    failover_priority: Texts | None = None


class ZoneAwareLoadBalancing(Strict):
    """Load balancing that prefers the client's own zone."""

    enabled: bool | None = None
    failover: list[Failover] | None = None
    failover_priority: Texts | None = None
    min_cluster_size: Annotated[int, Field(ge=1, le=2**32 - 1)] | None = None


class Warmup(Strict):
    """Slow start of new endpoints."""

    duration: str
    minimum_percent: Percent | None = None
    aggression: Annotated[Number, Field(ge=0)] | None = None


class LoadBalancer(Choice):
    """How an endpoint is picked."""

    at_most_one = (("simple", "consistent_hash", "backend_utilization"),)

    simple: Literal["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"] | None = None
    consistent_hash: ConsistentHash | None = None
    backend_utilization: BackendUtilization | None = None
    locality_lb_setting: LocalityLoadBalancing | None = None
    zone_aware_lb_setting: ZoneAwareLoadBalancing | None = None
    warmup: Warmup | None = None
    warmup_duration_secs: str | None = None


class OutlierDetection(Strict):
    """When an endpoint is put aside."""

    split_external_local_origin_errors: bool | None = None
    consecutive_local_origin_failures: Uint32 | None = None
    consecutive_gateway_errors: Uint32 | None = None
    consecutive_5xx_errors: Uint32 | None = Field(default=None, alias="consecutive5xxErrors")
    consecutive_errors: Int32 | None = None
    interval: str | None = None
    base_ejection_time: str | None = None
    max_ejection_percent: Int32 | None = None
    min_health_percent: Int32 | None = None
    outlier_detection_http_error_codes: list[Annotated[int, Field(ge=100, le=599)]] | None = None


class ClientTls(Strict):
    """TLS as the client speaks it."""

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] | None = None
    client_certificate: str | None = None
    private_key: str | None = None
    ca_certificates: str | None = None
    ca_crl: str | None = None
    credential_name: str | None = None
    subject_alt_names: Texts | None = None
    sni: str | None = None
    insecure_skip_verify: bool | None = None


class Tunnel(Strict):
    """Tunnelling of TCP through HTTP."""

    target_host: str
    target_port: Uint32
    protocol: str | None = None


class ProxyProtocol(Strict):
    """PROXY protocol towards the endpoint."""

    version: Literal["V1", "V2"] | None = None


class RetryBudget(Strict):
    """How many retries may run beside requests."""

    percent: Percent | None = None
    min_retry_concurrency: Uint32 | None = None
    budget_interval: str | None = None


class PortSelector(Strict):
    """A port by number."""

    number: Uint32 | None = None


class PortPolicy(Strict):
    """Traffic policy of one port."""

    port: PortSelector | None = None
    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTls | None = None


class TrafficPolicy(Strict):
    """Traffic policy of a host or a subset."""

    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTls | None = None
    port_level_settings: Annotated[list[PortPolicy], Field(max_length=4096)] | None = None
    tunnel: Tunnel | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


class Subset(Strict):
    """A named part of a host's endpoints."""

    name: str
    labels: dict[str, str] | None = None
    traffic_policy: TrafficPolicy | None = None


class ClientSelector(Strict):
    """Labels of the client proxies that follow the rule."""

    match_labels: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=4096)] | None = None


class DestinationRuleSpec(Strict):
    """Spec of a DestinationRule."""

    host: str
    traffic_policy: TrafficPolicy | None = None
    subsets: list[Subset] | None = None
    export_to: Texts | None = None
    workload_selector: ClientSelector | None = None
