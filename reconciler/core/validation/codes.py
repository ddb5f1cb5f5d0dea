"""The problems that validation reports, each with its stable code and what it means.

A code is never given to something else, and never changes. Codes of this package begin with MR2; the second digit says what
they are about: 0 fields that many kinds share, 1 ServiceEntry, 2 WorkloadEntry and WorkloadGroup, 3 DestinationRule,
4 VirtualService, 5 Gateway and Sidecar, 6 security and telemetry, 9 metadata.
"""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """A stable problem code; `meaning` is one line for the documentation."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        self = str.__new__(cls, code)
        self._value_ = code
        self.meaning = meaning
        return self

    TOO_DEEP = "MR2000", "the document is nested too deeply to be compared"
    HOST_SYNTAX = "MR2001", "a host is not a DNS name (for many fields a wildcard in its first label is fine)"
    HOST_NOT_LOWER_CASE = "MR2002", "a host has upper case letters"
    HOST_PUNYCODE = "MR2003", "a host holds a punycode label, which may look like another name"
    HOST_PARTIAL_WILDCARD = "MR2004", "a wildcard is only a part of the host's first label"
    HOST_BARE_WILDCARD = "MR2005", "the host `*` is not allowed here"
    HOST_DUPLICATE = "MR2006", "two hosts overlap"
    ADDRESS_SYNTAX = "MR2011", "an address is not an IP address (or, where allowed, a DNS name)"
    CIDR_SYNTAX = "MR2012", "an address is neither an IP address nor a CIDR block"
    UNIX_SOCKET = "MR2013", "a UNIX socket path is not absolute, names a folder, or goes with ports"
    PORT_NUMBER = "MR2021", "a port number is not within 1 to 65535"
    PORT_NAME = "MR2022", "a port name is not a DNS label"
    PORT_PROTOCOL = "MR2023", "a protocol is not known"
    PORT_DUPLICATE = "MR2024", "a port number or name is used twice"
    LABEL_KEY = "MR2031", "a label key has not the form `name` or `dns.prefix/name`"
    LABEL_VALUE = "MR2032", "a label value holds other characters than letters, digits, `-`, `_` and `.`"
    SELECTOR_WILDCARD = "MR2033", "a selector holds `*`"
    SELECTOR_EMPTY_KEY = "MR2034", "a selector holds an empty key"
    SELECTOR_WITHOUT_LABELS = "MR2035", "a selector without labels selects the whole namespace"
    SELECTOR_EMPTY = "MR2036", "a ServiceEntry's workloadSelector has no labels"
    EXPORT_TO_VALUE = "MR2041", "an exportTo entry is not `.`, `*` or a namespace"
    EXPORT_TO_DUPLICATE = "MR2042", "exportTo names a namespace twice"
    EXPORT_TO_MIX = "MR2043", "exportTo combines entries that exclude each other"
    DURATION_SYNTAX = "MR2051", "a duration is not written like `1h30m`, `5s` or `250ms`"
    DURATION_TOO_SHORT = "MR2052", "a duration is shorter than a millisecond"
    DURATION_PRECISION = "MR2053", "a duration has fractions of a millisecond (or of a second, where that is asked for)"
    NULL_ITEM = "MR2061", "a list or map holds null"
    ONE_OF = "MR2062", "fields that exclude each other are set together"
    REQUIRED = "MR2063", "a field that is needed is missing or empty"
    NUMBER_RANGE = "MR2064", "a number is out of its range"
    REGEX = "MR2065", "a regular expression is empty, too long or not RE2"
    DEPRECATED = "MR2066", "a deprecated field is used"
    UNKNOWN_VALUE = "MR2067", "a text is not one of the values that exist"
    TLS_SETTINGS = "MR2068", "TLS settings contradict each other"

    RESOLUTION_ENDPOINTS = "MR2101", "the resolution of a ServiceEntry does not go with its endpoints"
    RESOLUTION_ADDRESSES = "MR2102", "the resolution of a ServiceEntry does not go with its addresses"
    RESOLUTION_HOSTS = "MR2103", "the resolution of a ServiceEntry does not go with its hosts"
    RESOLUTION_PROTOCOL = "MR2104", "the resolution of a ServiceEntry does not go with a port's protocol"
    RESOLUTION_SELECTOR = "MR2105", "a workloadSelector has no effect with resolution NONE"
    RESOLUTION_WAYPOINT = "MR2106", "DYNAMIC_DNS with MESH_INTERNAL does not work behind a waypoint"
    HOSTS_NOT_TELLABLE = "MR2107", "several hosts share a port over which they cannot be told apart"
    TCP_WITHOUT_ADDRESS = "MR2108", "a TCP port has no address and none is allocated"
    ENDPOINT_PORT_UNKNOWN = "MR2109", "an endpoint names a port that the ServiceEntry has not"
    UNIX_SOCKET_PORTS = "MR2110", "an endpoint at a UNIX socket needs a ServiceEntry with exactly one port"

    ADDRESS_MISSING = "MR2201", "an endpoint has no address"
    ADDRESS_BY_NETWORK = "MR2202", "an endpoint without an address is reached by its network's gateway"
    PROBE_METHOD = "MR2211", "a probe has no method that Istio accepts"
    PROBE_HEADER = "MR2212", "a probe's header name is invalid"

    POLICY_EMPTY = "MR2301", "a traffic policy or a part of it sets nothing"
    SUBSET_NAME = "MR2302", "a subset name is not a DNS label, or is used twice"
    OUTLIER_LOCAL_ORIGIN = "MR2303", "local origin failures are counted but not split from external ones"
    COOKIE = "MR2304", "a cookie for consistent hashing is incomplete"
    MAGLEV_TABLE = "MR2305", "a maglev table size is not a prime below 5000011"
    LOCALITY = "MR2306", "locality settings contradict each other"
    LOCALITY_WITHOUT_OUTLIER = "MR2307", "failover does nothing without outlierDetection"
    SELECTOR_EXPORT = "MR2308", "a DestinationRule with a workloadSelector is exported beyond its namespace"
    TUNNEL = "MR2309", "tunnel settings are invalid"

    DELEGATE = "MR2401", "a delegate VirtualService has fields that only a root has, or the other way round"
    GATEWAY_NAME = "MR2402", "a gateway is not named `namespace/name`"
    GATEWAY_NAME_LEGACY = "MR2403", "a gateway is named in the old form with dots"
    MESH_WILDCARD = "MR2404", "the host `*` is not allowed for sidecars"
    CLAIM_ROUTING = "MR2405", "routing on JWT claims works at gateways only"
    ROUTE_MISSING = "MR2406", "a VirtualService or a route leads nowhere"
    ROUTE_CONFLICT = "MR2407", "a route has parts that exclude each other"
    ROUTE_WEIGHT = "MR2408", "weights of a route are negative or all zero"
    DESTINATION = "MR2409", "a destination is incomplete"
    HEADER_NAME = "MR2410", "a header name is invalid or may not be changed"
    HEADER_VALUE = "MR2411", "a header value is not in Envoy's format"
    AUTHORITY_TWICE = "MR2412", "the authority is rewritten twice"
    MATCH = "MR2413", "a match is incomplete"
    SNI_HOST = "MR2414", "an SNI host is not one of the VirtualService's hosts"
    SNI_ADDRESS = "MR2415", "an SNI host is an IP address, which most clients never send"
    REDIRECT = "MR2416", "a redirect is incomplete or contradictory"
    REWRITE = "MR2417", "a rewrite is incomplete or contradictory"
    RETRY = "MR2418", "retries contradict each other"
    FAULT = "MR2419", "a fault is incomplete or not supported"
    CORS = "MR2420", "a CORS policy is invalid"
    DIRECT_RESPONSE = "MR2421", "a direct response is too large"
    RULE_UNREACHABLE = "MR2422", "a route is never used because another one comes before it"
    MATCH_INEFFECTIVE = "MR2423", "a match is never used because an earlier one covers it"

    SERVER = "MR2501", "a Gateway server is incomplete"
    SERVER_TLS_NO_EFFECT = "MR2502", "TLS settings of a server have no effect"
    BIND = "MR2503", "a bind address does not go with the port"
    LISTENER = "MR2511", "Sidecar listeners are incomplete or contradict each other"
    LISTENER_HOST = "MR2512", "a host is not written `namespace/dnsName`"
    LISTENER_HOST_TWICE = "MR2513", "a host is listed twice, or is covered by another one"
    POOL_NO_EFFECT = "MR2514", "HTTP settings for a port that is not HTTP have no effect"
    EGRESS_PROXY = "MR2515", "an egress proxy is incomplete or not allowed in this mode"

    TARGET_REF = "MR2601", "a target reference is incomplete or to a kind that cannot be targeted"
    PORT_LEVEL_MTLS = "MR2602", "port-level mTLS needs a selector and at least one valid port"
    POLICY_RULES = "MR2603", "an AuthorizationPolicy can never match, or has an empty part"
    POLICY_PROVIDER = "MR2604", "a provider and the action CUSTOM belong together"
    POLICY_VALUE = "MR2605", "a value in an AuthorizationPolicy is malformed"
    POLICY_CONDITION = "MR2606", "a condition of an AuthorizationPolicy is malformed"
    POLICY_DENIES_TCP = "MR2607", "a DENY rule with HTTP attributes alone denies all TCP traffic"
    POLICY_EMPTY_LIST = "MR2608", "an empty `from` or `to` of an AuthorizationPolicy rule applies to everybody or everything"
    JWT_RULE = "MR2611", "a JWT rule is incomplete or malformed"
    TELEMETRY = "MR2621", "a Telemetry setting is incomplete or contradictory"
    TELEMETRY_UNSUPPORTED = "MR2622", "a Telemetry setting is not supported yet and has no effect"

    ANNOTATION = "MR2901", "an annotation may not be used on this object"
