"""WorkloadGroup: what auto-registered WorkloadEntries are made from, and how their health is asked for."""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation.addresses import UNIX, check_unix
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, not_negative, objects, one_of, present, sequence, shown, text
from reconciler.core.validation.labels import check_labels
from reconciler.core.validation.ports import check_endpoint_ports, check_required
from reconciler.core.validation.workloadentry import check_unix_ports

_METHODS = ("httpGet", "tcpSocket", "exec", "grpc")
_SECONDS_AND_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_SCHEMES = ("", "HTTP", "HTTPS")
_HEADER_NAME = re.compile(r"[-A-Za-z0-9]+").fullmatch


def check(found: Findings, document: Document) -> None:
    """Check a WorkloadGroup."""
    spec = mapping(document.get("spec"))
    _check_template(found, spec)
    check_labels(found, mapping(spec.get("metadata")), "spec.metadata")
    if isinstance(probe := spec.get("probe"), dict):
        _check_probe(found, probe, "spec.probe")


def _check_template(found: Findings, spec: Mapping[str, Any]) -> None:
    """The address is filled in when a VM registers; what is given is checked by the CRD, and by nobody else."""
    template = spec.get("template")
    if template is None:
        found.error(Code.REQUIRED, "spec.template", "a WorkloadGroup needs a template: add it (it may be empty: {})")
    endpoint = mapping(template)
    if (address := text(endpoint.get("address"))).startswith(UNIX):
        check_unix(found, address, "spec.template.address")
        check_unix_ports(found, endpoint, "spec.template")
    check_endpoint_ports(found, endpoint, "spec.template")


def _check_probe(found: Findings, probe: Mapping[str, Any], path: str) -> None:
    not_negative(found, probe, path, *_SECONDS_AND_COUNTS)
    one_of(found, probe, path, *_METHODS)
    match present(probe, *_METHODS):
        case []:
            found.error(Code.PROBE_METHOD, path, "a probe needs a method: add httpGet, tcpSocket or exec")
        case ["httpGet", *_]:
            _check_http(found, mapping(probe["httpGet"]), f"{path}.httpGet")
        case ["tcpSocket", *_]:
            check_required(found, mapping(probe["tcpSocket"]), f"{path}.tcpSocket", "port")
        case ["exec", *_]:
            _check_exec(found, mapping(probe["exec"]), f"{path}.exec")
        case _:
            found.error(
                Code.PROBE_METHOD,
                f"{path}.grpc",
                "Istio's webhook refuses grpc probes although its agent could do them: use httpGet, tcpSocket or exec",
            )


def _check_http(found: Findings, probe: Mapping[str, Any], path: str) -> None:
    check_required(found, probe, path, "port")
    if (scheme := text(probe.get("scheme"))) not in _SCHEMES:
        found.error(Code.UNKNOWN_VALUE, f"{path}.scheme", f"{shown(scheme)} is not a scheme: use HTTP or HTTPS in upper case")
    for where, header in objects(found, probe, "httpHeaders", path):
        if not _HEADER_NAME(name := text(header.get("name"))):
            found.error(
                Code.PROBE_HEADER,
                f"{where}.name",
                f"{shown(name)} is not a header name for probes: use letters, digits and dashes",
            )


def _check_exec(found: Findings, probe: Mapping[str, Any], path: str) -> None:
    command = sequence(probe.get("command"))
    if not command or "" in command:
        found.error(Code.REQUIRED, f"{path}.command", "exec needs a command whose parts are not empty: fill it in")
