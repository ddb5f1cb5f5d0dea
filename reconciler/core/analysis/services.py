"""Rules about ServiceEntries and what their selectors pick."""

from collections.abc import Iterator
from itertools import islice

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.groups.autogroup import AutoGroup
from reconciler.core.istio import Port, ServiceEntry, selects
from reconciler.errors import Problem, Severity


def host_conflicts(commit: Commit) -> Iterator[Problem]:
    """ServiceEntries of one host must agree on a port's protocol and on resolution.

    Within a namespace their endpoints are united and one definition wins, which blackholes the rest: an error. Across
    namespaces each client follows its own namespace, else the oldest: a warning, where they can see each other.
    """
    for host, services in commit.by_host.items():
        seen: dict[int, list[_PortOf]] = {}
        for service in services if len(services) > 1 else ():
            for port in service.ports:
                others = seen.setdefault(port.number, [])
                found = (_conflict(commit, host, other, (service, port)) for other in others[:_COMPARED])
                yield from islice((problem for problem in found if problem), 1)
                others.append((service, port))


_PortOf = tuple[ServiceEntry, Port]
#: Of ever so many ServiceEntries for one host and port, each is compared with the first ones only.
_COMPARED = 50


def _conflict(commit: Commit, host: str, first: _PortOf, second: _PortOf) -> Problem | None:
    (one, port), (other, other_port) = first, second
    same_namespace = one.key.namespace == other.key.namespace
    what = []
    if _protocol(port) != _protocol(other_port):
        what.append(f"protocol {other_port.protocol or 'unset'} against {port.protocol or 'unset'}")
    if one.resolution is not other.resolution:
        what.append(f"resolution {other.resolution} against {one.resolution}")
    if not what or one.key == other.key or not (same_namespace or _meet(one, other)):
        return None
    return commit.problem(
        Code.HOST_PORT_CONFLICT,
        other.key,
        f"spec.ports[{other.ports.index(other_port)}]",
        f"host {host}, port {port.number}: {' and '.join(what)} in {one.key} ({commit.place(one.key)}): make them agree",
        Severity.ERROR if same_namespace else Severity.WARNING,
    )


def _meet(one: ServiceEntry, other: ServiceEntry) -> bool:
    """Tell whether some namespace sees both."""
    first, second = _audience(one), _audience(other)
    return bool(first & second) or ("*" in first and bool(second)) or ("*" in second and bool(first))


def _audience(service: ServiceEntry) -> set[str]:
    names = {service.key.namespace if name == "." else name for name in service.export_to or ("*",)}
    return names - {"~"}


def _protocol(port: Port) -> str:
    """Return what the protocol is to a proxy: HTTPS is TLS that it does not end."""
    protocol = port.protocol.upper()
    return "TLS" if protocol == "HTTPS" else protocol


def empty_selections(commit: Commit) -> Iterator[Problem]:
    """A selector that picks no WorkloadEntry nor VMs that may join: fine for a service of Pods alone, else a mistyped label."""
    populated = {key.namespace for key in commit.workloads}
    joining = [group for one in commit.manifests.values() if one.key.kind == "WorkloadGroup" and (group := AutoGroup.of(one))]
    for service in commit.services:
        newcomers = (one.labels for one in joining if one.manifest.key.namespace == service.key.namespace)
        picked = commit.matched.get(service.key) or any(selects(service.selector, labels) for labels in newcomers)
        if service.selector and not picked:
            suspicious = service.key.namespace in populated
            yield commit.problem(
                Code.SELECTS_NOTHING,
                service.key,
                "spec.workloadSelector.labels",
                "picks no WorkloadEntry of this namespace, so only Pods can answer: compare the labels if VMs should",
                Severity.WARNING if suspicious else Severity.INFO,
            )


def dropped_endpoints(commit: Commit) -> Iterator[Problem]:
    """A selected WorkloadEntry whose address the ServiceEntry's resolution cannot use is left out without a word."""
    for service in commit.services:
        for workload in commit.matched.get(service.key, ()):
            if not service.picks(workload.endpoint):
                yield commit.problem(
                    Code.NEVER_AN_ENDPOINT,
                    workload.key,
                    "spec.address",
                    f"{service.key} has resolution {service.resolution} and leaves out an address that is no IP: "
                    "write an IP address, or use another resolution there",
                )
