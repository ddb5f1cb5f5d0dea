"""VirtualService: HTTP, TLS and TCP routes."""

from typing import Literal

from pydantic import Field

from reconciler.core.manifests.models.base import Choice, Int32, Number, Strict, Texts, Uint32


class PortSelector(Strict):
    """A port by number."""

    number: Uint32 | None = None


class Destination(Strict):
    """Where requests go."""

    host: str
    subset: str | None = None
    port: PortSelector | None = None


class StringMatch(Choice):
    """A condition on a text."""

    at_most_one = (("exact", "prefix", "regex"),)

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


class HttpMatch(Strict):
    """Conditions on a request, all of which must hold."""

    name: str | None = None
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[str, StringMatch] | None = None
    without_headers: dict[str, StringMatch] | None = None
    query_params: dict[str, StringMatch] | None = None
    ignore_uri_case: bool | None = None
    port: Uint32 | None = None
    source_labels: dict[str, str] | None = None
    source_namespace: str | None = None
    gateways: Texts | None = None
    stat_prefix: str | None = None


class HeaderOperations(Strict):
    """Changes to headers."""

    set: dict[str, str] | None = None
    add: dict[str, str] | None = None
    remove: Texts | None = None


class Headers(Strict):
    """Changes to the headers of request and response."""

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class HttpDestination(Strict):
    """A weighted destination of an HTTP route."""

    destination: Destination
    weight: Int32 | None = None
    headers: Headers | None = None


class TcpDestination(Strict):
    """A weighted destination of a TLS or TCP route."""

    destination: Destination
    weight: Int32 | None = None


class Percentage(Strict):
    """A percentage of requests."""

    value: Number | None = None


class Mirror(Strict):
    """A destination of copies."""

    destination: Destination
    percentage: Percentage | None = None


class Redirect(Choice):
    """An answer that sends the client elsewhere."""

    at_most_one = (("port", "derive_port"),)

    uri: str | None = None
    authority: str | None = None
    scheme: str | None = None
    port: Uint32 | None = None
    derive_port: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = None
    redirect_code: Uint32 | None = None
    prefix_rewrite: str | None = None


class Body(Choice):
    """The body of a direct response."""

    at_most_one = (("string", "bytes"),)

    string: str | None = None
    bytes: str | None = None


class DirectResponse(Strict):
    """An answer given by the proxy itself."""

    status: Uint32
    body: Body | None = None


class Delegate(Strict):
    """Another VirtualService that decides."""

    name: str | None = None
    namespace: str | None = None


class RegexRewrite(Strict):
    """A rewrite of the path by a regular expression."""

    match: str | None = None
    rewrite: str | None = None


class Rewrite(Strict):
    """A rewrite of the request."""

    uri: str | None = None
    authority: str | None = None
    uri_regex_rewrite: RegexRewrite | None = None


class Retries(Strict):
    """When and how often to try again."""

    attempts: Int32 | None = None
    backoff: str | None = None
    per_try_timeout: str | None = None
    retry_on: str | None = None
    retry_ignore_previous_hosts: bool | None = None
    retry_remote_localities: bool | None = None


class Delay(Choice):
    """A delay put in on purpose."""

    at_most_one = (("fixed_delay", "exponential_delay"),)

    fixed_delay: str | None = None
    exponential_delay: str | None = None
    percent: Int32 | None = None
    percentage: Percentage | None = None


class Abort(Choice):
    """An error put in on purpose."""

    at_most_one = (("http_status", "grpc_status", "http2_error"),)

    http_status: Int32 | None = None
    grpc_status: str | None = None
    http2_error: str | None = None
    percentage: Percentage | None = None


class Fault(Strict):
    """Faults put in on purpose."""

    delay: Delay | None = None
    abort: Abort | None = None


class CorsPolicy(Strict):
    """Cross-origin rules."""

    allow_origin: Texts | None = None
    allow_origins: list[StringMatch] | None = None
    allow_methods: Texts | None = None
    allow_headers: Texts | None = None
    expose_headers: Texts | None = None
    max_age: str | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] | None = None


class HttpRoute(Strict):
    """A route of HTTP requests."""

    name: str | None = None
    match: list[HttpMatch] | None = None
    route: list[HttpDestination] | None = None
    redirect: Redirect | None = None
    direct_response: DirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: Rewrite | None = None
    timeout: str | None = None
    retries: Retries | None = None
    fault: Fault | None = None
    mirror: Destination | None = None
    mirrors: list[Mirror] | None = None
    mirrored_percent: Uint32 | None = Field(default=None, alias="mirrorPercent")
    #: The spelling of proto, which Istio's schema takes too.
    mirrored_percent_in_proto: Uint32 | None = Field(default=None, alias="mirror_percent")
    mirror_percentage: Percentage | None = None
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None


class TlsMatch(Strict):
    """Conditions on a TLS connection."""

    sni_hosts: Texts
    destination_subnets: Texts | None = None
    port: Uint32 | None = None
    source_labels: dict[str, str] | None = None
    gateways: Texts | None = None
    source_namespace: str | None = None


class TlsRoute(Strict):
    """A route of TLS connections by server name."""

    match: list[TlsMatch]
    route: list[TcpDestination] | None = None


class TcpMatch(Strict):
    """Conditions on a TCP connection."""

    destination_subnets: Texts | None = None
    port: Uint32 | None = None
    source_subnet: str | None = None
    source_labels: dict[str, str] | None = None
    gateways: Texts | None = None
    source_namespace: str | None = None


class TcpRoute(Strict):
    """A route of TCP connections."""

    match: list[TcpMatch] | None = None
    route: list[TcpDestination] | None = None


class VirtualServiceSpec(Strict):
    """Spec of a VirtualService."""

    hosts: Texts | None = None
    gateways: Texts | None = None
    http: list[HttpRoute] | None = None
    tls: list[TlsRoute] | None = None
    tcp: list[TcpRoute] | None = None
    export_to: Texts | None = None
