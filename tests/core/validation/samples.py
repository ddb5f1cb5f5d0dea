"""One valid document of every kind that is validated, and a short form of what validation says."""

from copy import deepcopy
from typing import Any

from reconciler.core.kinds import MANAGED
from reconciler.core.resources import Document
from reconciler.core.validation import validate
from reconciler.errors import Severity

HTTP = {"number": 80, "name": "http", "protocol": "HTTP"}
TCP = {"number": 5432, "name": "db", "protocol": "TCP"}
ROUTE = {"route": [{"destination": {"host": "billing.example.com"}}]}

SPECS: dict[str, Document] = {
    "ServiceEntry": {
        "hosts": ["billing.example.com"],
        "ports": [HTTP],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "workloadSelector": {"labels": {"app": "billing"}},
        "exportTo": ["."],
    },
    "WorkloadEntry": {"address": "10.0.0.1", "ports": {"http": 8080}, "labels": {"app": "billing"}, "weight": 10},
    "WorkloadGroup": {
        "metadata": {"labels": {"app": "billing"}},
        "template": {"serviceAccount": "billing"},
        "probe": {"periodSeconds": 5, "httpGet": {"port": 8080, "path": "/ready", "scheme": "HTTP"}},
    },
    "DestinationRule": {
        "host": "billing.example.com",
        "trafficPolicy": {
            "loadBalancer": {"simple": "ROUND_ROBIN"},
            "connectionPool": {"tcp": {"maxConnections": 100, "connectTimeout": "250ms"}},
            "outlierDetection": {"consecutive5xxErrors": 5, "interval": "10s"},
        },
        "subsets": [{"name": "vm", "labels": {"platform": "vm"}}, {"name": "pod", "labels": {"platform": "pod"}}],
    },
    "VirtualService": {
        "hosts": ["billing.example.com"],
        "http": [{"match": [{"uri": {"prefix": "/v2"}}], **ROUTE, "timeout": "5s"}, ROUTE],
    },
    "Gateway": {
        "selector": {"istio": "ingressgateway"},
        "servers": [
            {
                "hosts": ["shop/*.example.com"],
                "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
                "tls": {"mode": "SIMPLE", "credentialName": "shop"},
            }
        ],
    },
    "Sidecar": {"egress": [{"hosts": ["./*", "istio-system/*"]}]},
    "PeerAuthentication": {"selector": {"matchLabels": {"app": "billing"}}, "portLevelMtls": {"8080": {"mode": "STRICT"}}},
    "AuthorizationPolicy": {
        "action": "ALLOW",
        "rules": [
            {
                "from": [{"source": {"principals": ["cluster.local/ns/shop/sa/web"]}}],
                "to": [{"operation": {"methods": ["GET"], "paths": ["/v2/{*}"]}}],
                "when": [{"key": "request.headers[x-team]", "values": ["shop"]}],
            }
        ],
    },
    "RequestAuthentication": {"jwtRules": [{"issuer": "login", "jwksUri": "https://login.example.com/keys"}]},
    "Telemetry": {"tracing": [{"randomSamplingPercentage": 5, "customTags": {"team": {"literal": {"value": "shop"}}}}]},
    "ProxyConfig": {"selector": {"matchLabels": {"app": "billing"}}, "concurrency": 2},
}


def document(kind: str, spec: Any, **metadata: Any) -> Document:
    """Return a document of a kind in the namespace shop."""
    common = {"name": "billing", "namespace": "shop", **metadata}
    return {"apiVersion": MANAGED[kind].api_version, "kind": kind, "metadata": common, "spec": deepcopy(spec)}


def said(kind: str, spec: Any, **metadata: Any) -> list[str]:
    """Return code and field of each problem, warnings marked: ``MR2001 spec.hosts[0]``, ``warning MR2004 spec.hosts[0]``."""
    return [
        f"{'warning ' if problem.severity is Severity.WARNING else ''}{problem.code} {problem.field}"
        for problem in validate(document(kind, spec, **metadata))
    ]


def changed(kind: str, **fields: Any) -> Document:
    """Return the sample spec of a kind with other fields; None removes one."""
    spec = {**SPECS[kind], **fields}
    return {name: value for name, value in spec.items() if value is not None}
