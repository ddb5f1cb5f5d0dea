"""Rules about WorkloadEntries."""

from collections.abc import Iterator

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.health.sources import RECORDED, SOURCE_ANNOTATION, Source, group_of, source_of
from reconciler.core.istio import HEALTH_CHECKED, AddressForm
from reconciler.core.machines import GROUP_ANNOTATION, REGISTRY_ANNOTATION, is_exempt
from reconciler.core.resources import EMPTY, Document, Key
from reconciler.errors import Problem, Severity


def unused_port_names(commit: Commit) -> Iterator[Problem]:
    """A port name that no selecting ServiceEntry has is silently ignored, and the service's own port is used."""
    for key, services in commit.selecting.items():
        known = {port.name for service in services for port in service.ports}
        for name in commit.workloads[key].endpoint.ports:
            if name not in known:
                yield commit.problem(
                    Code.PORT_NAME_UNUSED,
                    key,
                    f"spec.ports.{name}",
                    f"no ServiceEntry that selects it has a port of this name ({', '.join(sorted(known)) or 'none at all'}): "
                    "Istio would use the service's own port instead; correct the name",
                )


def unreported_health(commit: Commit) -> Iterator[Problem]:
    """Where health is to count, somebody has to report it."""
    documents = {key: manifest.document for key, manifest in commit.manifests.items() if key.kind.startswith("Workload")}
    for workload in commit.workloads.values():
        document = documents[workload.key]
        waits = workload.health_checked and source_of(document, group_of(document, documents)) in RECORDED
        if waits and is_exempt(document, workload):
            yield commit.problem(
                Code.HEALTH_UNREPORTED,
                workload.key,
                f'metadata.annotations["{HEALTH_CHECKED}"]',
                "waits for reports of its health, and the VM registry does not keep it: remove the annotation, let the "
                f"registry keep the VM, or say whose word counts with {SOURCE_ANNOTATION}",
            )


def health_sources(commit: Commit) -> Iterator[Problem]:
    """Whose word counts is one of few."""
    for key in commit.manifests:
        said = commit.annotations(key).get(SOURCE_ANNOTATION) if key.kind in ("WorkloadEntry", "WorkloadGroup") else None
        if said is not None and said not in tuple(Source):
            yield commit.problem(
                Code.HEALTH_VALUE,
                key,
                f'metadata.annotations["{SOURCE_ANNOTATION}"]',
                f"means nothing with this value: write {', '.join(Source)}, or remove the annotation",
                Severity.ERROR,
            )


def central_probes(commit: Commit) -> Iterator[Problem]:
    """Where we probe a VM ourselves, its group has a probe that goes over the network, and to the VM."""
    documents = {key: manifest.document for key, manifest in commit.manifests.items() if key.kind.startswith("Workload")}
    groups = set[Key]()
    for key in commit.workloads:
        group = group_of(documents[key], documents)
        if source_of(documents[key], group) is Source.PROBE:
            if group is None or not group["spec"].get("probe"):
                where, text = f'metadata.annotations["{SOURCE_ANNOTATION}"]', "its WorkloadGroup has no probe: write one"
                yield commit.problem(Code.PROBE_UNFIT, key, where, text, Severity.ERROR)
            else:
                groups.add(Key.of(group))
    for key in sorted(groups):
        for where, text in _unfit(documents[key]["spec"]["probe"]):
            yield commit.problem(Code.PROBE_UNFIT, key, f"spec.probe.{where}", text, Severity.ERROR)


def _unfit(probe: Document) -> Iterator[tuple[str, str]]:
    if "exec" in probe:
        text = "a command can be run on the VM alone: write httpGet, tcpSocket or grpc, or let an agent tell its health"
        yield "exec", text
    for method in ("httpGet", "tcpSocket"):
        if (probe.get(method) or EMPTY).get("host") not in (None, "", "localhost"):
            yield f"{method}.host", "a probe from the centre goes to the VM's own address: remove the host"


def annotations(commit: Commit) -> Iterator[Problem]:
    """Our own annotations must have values that mean something."""
    groups = commit.declared("WorkloadGroup")
    for key in commit.workloads:
        given = commit.annotations(key)
        if given.get(REGISTRY_ANNOTATION) not in (None, "none"):
            yield commit.problem(
                Code.REGISTRY_VALUE,
                key,
                f'metadata.annotations["{REGISTRY_ANNOTATION}"]',
                "means nothing with this value: write none, or remove the annotation",
                Severity.ERROR,
            )
        group = given.get(GROUP_ANNOTATION)
        if group and group not in groups.get(key.namespace, ()):
            yield commit.problem(
                Code.GROUP_UNKNOWN,
                key,
                f'metadata.annotations["{GROUP_ANNOTATION}"]',
                f"no such WorkloadGroup is declared in namespace {key.namespace}: declare it or correct the name",
            )


def pod_names(commit: Commit) -> Iterator[Problem]:
    """Istio keeps WorkloadEntries and Pods under one name: an entry named like a StatefulSet's Pod hides that Pod."""
    for key, services in commit.selecting.items():
        base, _, number = key.name.rpartition("-")
        owners = {service.key.name for service in services} | {
            service.selector[label] for service in services if service.selector for label in service.selector
        }
        if number.isascii() and number.isdigit() and base in owners:
            yield commit.problem(
                Code.NAMED_LIKE_POD,
                key,
                "metadata.name",
                f"a StatefulSet {base} would name its Pods so, and Istio would confuse the two: name the VM differently",
            )


def unknown_accounts(commit: Commit) -> Iterator[Problem]:
    """Where a namespace declares its ServiceAccounts, a name that is not among them is probably mistyped."""
    declared = commit.declared("ServiceAccount")
    for workload in commit.workloads.values():
        account = workload.endpoint.service_account
        accounts = declared.get(workload.key.namespace)
        if account and accounts and account not in accounts and account != "default":
            yield commit.problem(
                Code.ACCOUNT_UNKNOWN,
                workload.key,
                "spec.serviceAccount",
                f"namespace {workload.key.namespace} declares no ServiceAccount {account}: declare it or correct the name",
            )


def shared_addresses(commit: Commit) -> Iterator[Problem]:
    """Istio finds a workload by its IP address: two entries with one address are mixed up."""
    first: dict[tuple[str, str, str], Key] = {}
    for key, workload in commit.workloads.items():
        endpoint = workload.endpoint
        if endpoint.form is AddressForm.IP:
            other = first.setdefault((key.namespace, endpoint.network, endpoint.address), key)
            if other != key:
                yield commit.problem(
                    Code.ADDRESS_TWICE,
                    key,
                    "spec.address",
                    f"{other} ({commit.place(other)}) has the same address: correct one of them, or write one entry for both",
                    Severity.WARNING,
                )
