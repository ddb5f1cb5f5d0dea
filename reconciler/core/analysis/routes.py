"""Rules about VirtualServices and DestinationRules."""

from collections import defaultdict
from collections.abc import Iterator

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.hosts import CLUSTER_DOMAIN, covers
from reconciler.core.istio import Destination, DestinationRule, VirtualService
from reconciler.core.resources import Key
from reconciler.errors import Problem, Severity


def destinations(commit: Commit) -> Iterator[Problem]:
    """Host, subset and port of each destination must exist. Kubernetes Services are not known here and are taken to exist."""
    rules: dict[str, list[DestinationRule]] = defaultdict(list)
    for rule in commit.rules:
        rules[rule.host].append(rule)
    for service in commit.routes:
        for route in service.routes:
            for index, destination in enumerate(route.destinations):
                where = f"{route.path}.route[{index}].destination"
                yield from _destination(commit, service, where, destination, rules[destination.host])


def _destination(
    commit: Commit, service: VirtualService, where: str, destination: Destination, rules: list[DestinationRule]
) -> Iterator[Problem]:
    host, subset = destination.host, destination.subset
    serving = list(commit.serving(host))
    if not serving and not _of_kubernetes(host):
        yield commit.problem(
            Code.HOST_UNKNOWN, service.key, f"{where}.host", f"no ServiceEntry has the host {host}: add one or correct the name"
        )
    ports = {port.number for one in serving for port in one.ports}
    if destination.port and serving and destination.port not in ports:
        yield commit.problem(
            Code.PORT_UNKNOWN,
            service.key,
            f"{where}.port.number",
            f"{host} has no port {destination.port}, only {', '.join(map(str, sorted(ports)))}: requests would fail with 503",
            Severity.ERROR,
        )
    if subset and not any(rule.subset(subset) for rule in rules):
        yield commit.problem(
            Code.SUBSET_UNKNOWN,
            service.key,
            f"{where}.subset",
            f"no DestinationRule for {host} defines the subset {subset}: requests would fail with 503; define it first",
            Severity.ERROR if rules else Severity.WARNING,
        )


def rule_hosts(commit: Commit) -> Iterator[Problem]:
    """A DestinationRule for a host that nobody has does nothing."""
    for rule in commit.rules:
        known = any(commit.serving(rule.host)) or (rule.host.startswith("*") and _covers_any(commit, rule.host))
        if not known and not _of_kubernetes(rule.host):
            yield commit.problem(
                Code.HOST_UNKNOWN, rule.key, "spec.host", f"no ServiceEntry has the host {rule.host}: correct the name"
            )


def _covers_any(commit: Commit, pattern: str) -> bool:
    return any(host.endswith(pattern[1:]) for host in commit.by_host)


def _of_kubernetes(host: str) -> bool:
    """Tell whether a host is a Kubernetes Service's, in whatever cluster domain, or a pattern that covers such hosts."""
    return ".svc." in host or covers(host, f"name.namespace.svc.{CLUSTER_DOMAIN}")


def competing_rules(commit: Commit) -> Iterator[Problem]:
    """Of two DestinationRules for one host in one namespace Istio takes the older one's policy and adds the other's subsets."""
    first: dict[tuple[str, str, object], Key] = {}
    for rule in commit.rules:
        clients = tuple(sorted((rule.clients or {}).items()))
        other = first.setdefault((rule.key.namespace, rule.host, clients), rule.key)
        if other != rule.key:
            yield commit.problem(
                Code.RULES_COMPETE,
                rule.key,
                "spec.host",
                f"{other} ({commit.place(other)}) is for the same host, and which one wins depends on their age: join them",
            )


def competing_routes(commit: Commit) -> Iterator[Problem]:
    """Sidecars follow one VirtualService per host: the oldest."""
    first: dict[tuple[str, str], Key] = {}
    for service in commit.routes:
        if "mesh" not in service.gateways:
            continue
        private = service.key.namespace if service.export_to == (".",) else ""
        for index, host in enumerate(service.hosts):
            other = first.setdefault((private, host), service.key)
            if other != service.key:
                yield commit.problem(
                    Code.ROUTES_COMPETE,
                    service.key,
                    f"spec.hosts[{index}]",
                    f"{other} ({commit.place(other)}) routes {host} too, and sidecars follow only the older one: join them",
                )
