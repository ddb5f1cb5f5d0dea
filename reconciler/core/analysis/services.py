"""Rules about ServiceEntries and what their selectors pick."""

from collections.abc import Iterator
from itertools import pairwise

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.istio import Port, ServiceEntry
from reconciler.errors import Problem, Severity


def host_conflicts(commit: Commit) -> Iterator[Problem]:
    """ServiceEntries of one host must agree on a port's protocol and on resolution.

    Within a namespace their endpoints are united and one definition wins, which blackholes the rest: an error. Across
    namespaces each client follows its own namespace, else the oldest: a warning, where they can see each other.
    """
    for host, services in commit.by_host.items():
        if len(services) > 1:
            by_port = sorted(
                ((port.number, service.key, service, port) for service in services for port in service.ports),
                key=lambda one: one[:2],
            )
            for (number, _, first, port), (other_number, _, second, other) in pairwise(by_port):
                if number == other_number and first.key != second.key and _visible(first, second):
                    yield from _conflict(commit, host, (first, port), (second, other))


def _visible(first: ServiceEntry, second: ServiceEntry) -> bool:
    if first.key.namespace == second.key.namespace:
        return True
    reaches = [set(one.export_to or ("*",)) for one in (first, second)]
    own = [
        {one.key.namespace if name == "." else name for name in reach}
        for one, reach in zip((first, second), reaches, strict=True)
    ]
    return bool(own[0] & own[1]) or any("*" in one and other != {"~"} for one, other in (own, own[::-1]))


def _conflict(
    commit: Commit, host: str, first: tuple[ServiceEntry, Port], second: tuple[ServiceEntry, Port]
) -> Iterator[Problem]:
    (one, port), (other, other_port) = first, second
    what = []
    if _protocol(port) != _protocol(other_port):
        what.append(f"protocol {other_port.protocol or 'unset'} against {port.protocol or 'unset'}")
    if one.resolution is not other.resolution:
        what.append(f"resolution {other.resolution} against {one.resolution}")
    if what:
        same = one.key.namespace == other.key.namespace
        yield commit.problem(
            Code.HOST_PORT_CONFLICT,
            other.key,
            f"spec.ports[{other.ports.index(other_port)}]",
            f"host {host}, port {port.number}: {' and '.join(what)} in {one.key} ({commit.place(one.key)}): make them agree",
            Severity.ERROR if same else Severity.WARNING,
        )


def _protocol(port: Port) -> str:
    """HTTPS and TLS are one thing to a proxy that does not end the connection."""
    protocol = port.protocol.upper()
    return "TLS" if protocol == "HTTPS" else protocol


def empty_selections(commit: Commit) -> Iterator[Problem]:
    """A selector that picks no WorkloadEntry: fine for a service of Pods alone, else a mistyped label."""
    populated = {key.namespace for key in commit.workloads}
    for service in commit.services:
        if service.selector and not commit.matched[service.key]:
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
