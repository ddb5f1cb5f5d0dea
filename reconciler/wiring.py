"""Settings -> ports: the only module that names adapters. Each is imported only when it is needed.

So are the settings and the cycle: `check` does without both, and is sooner there.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.checking import Checker, NoCrds
from reconciler.core.health.sources import Source as HealthSource
from reconciler.core.manifests import FORMAT
from reconciler.core.owned import Conflicts
from reconciler.core.plans import Mode, PlanSettings, Wholesale
from reconciler.core.resources import Document
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.crds import Crds
from reconciler.errors import InvalidInput, SetupCode
from reconciler.ports import (
    Clock,
    Cluster,
    Discovery,
    Enrolment,
    FleetDesk,
    Hook,
    JoinTokens,
    Lease,
    Metrics,
    Schemas,
    Source,
    Store,
    VMRegistry,
    Witness,
)

if TYPE_CHECKING:
    from reconciler.adapters.cache_sqlite import SqliteCache
    from reconciler.adapters.cluster_kubernetes import KubernetesApi
    from reconciler.adapters.memory_cluster import MemoryCluster
    from reconciler.core.gates.reading import Library
    from reconciler.cycle import Cycle
    from reconciler.registry.server import RegistryServer
    from reconciler.settings import OfGates, Settings
    from reconciler.target import Policy, Ports


@dataclass(frozen=True, slots=True)
class Target:
    """One target, ready to run cycles."""

    settings: Settings
    ports: Ports
    cycle: Cycle


@contextmanager
def open_target(settings: Settings, *, local: bool = False) -> Iterator[Target]:
    """Connect everything that the settings name, and close it in the end.

    `local` lets a person on a command line name a local repository. Raises InvalidInput for settings that cannot be.
    """
    if local:
        settings = settings.model_copy(update={"git": settings.git.model_copy(update={"allow_local": True})})
    clock = system_clock()
    cluster, lease = kubernetes(settings, clock)
    with assembled(settings, cluster, lease, clock) as target:
        yield target


@contextmanager
def assembled(
    settings: Settings, cluster: Cluster, lease: Lease, clock: Clock, measured: Metrics | None = None
) -> Iterator[Target]:
    """Put a target together around a cluster and a lease, and close all of it in the end. Raises InvalidInput.

    Gates go by what is `measured`, else by the Prometheus of the settings.
    """
    if not settings.repo:
        raise InvalidInput("no repository is named: give --repo URL, or set RECONCILER_REPO", code=SetupCode.OPTION)
    from reconciler.cycle import Cycle
    from reconciler.gating import Gatekeeper
    from reconciler.target import Ports

    store = state_store(settings)
    ports = Ports(
        source=git(settings),
        cache=parse_cache(settings.folder / "cache.db"),
        cluster=cluster,
        registry=vm_registry(settings, clock),
        store=store,
        lease=lease,
        clock=clock,
        crds=Crds(cluster, store, schemas, crd_file(settings.crds)),
        gatekeeper=Gatekeeper(measured or metrics(settings), hook(settings), library(settings)),
        office=fleet_office(settings),
        discovery=discovery(settings),
        witnesses=witnesses(settings, clock),
    )
    try:
        yield Target(settings, ports, Cycle(ports, policy(settings)))
    finally:
        ports.close()


def policy(settings: Settings) -> Policy:
    """Return what the settings decide for the target."""
    from reconciler.core.health.brakes import Brake
    from reconciler.core.rollouts.policies import RolloutLimits
    from reconciler.core.rollouts.seen import Pace
    from reconciler.target import Policy

    rollouts = settings.rollouts
    return Policy(
        target=settings.target,
        holder=holder(),
        mode=Mode(settings.mode),
        conflicts=Conflicts(settings.conflicts),
        plan=PlanSettings(
            target=settings.target,
            mode=Mode(settings.mode),
            wholesale=Wholesale(settings.wholesale),
            prune_after=settings.prune_after,
            max_deleted_services=settings.max_deleted_services,
        ),
        strict_kinds=settings.strict_kinds,
        namespaces=frozenset(settings.namespaces) or None,
        require_join=settings.require_join,
        rollouts=RolloutLimits(
            careful=rollouts.without_policy == "careful",
            first_step=Fraction(str(rollouts.largest_first_step)) / 100,
            hold=rollouts.least_hold,
            watch=rollouts.least_watch,
            units=rollouts.units,
        ),
        pace=Pace(settle=rollouts.settle, patience=rollouts.patience),
        brake=Brake(settings.health.most_out, settings.health.most_out_percent, window=settings.health.window),
        lease_ttl=settings.lease_ttl,
        keep_history=settings.keep_history,
        workers=settings.writers,
    )


def holder() -> str:
    """Return a name for this process in the lease: host and process id for people, and what tells it from all others.

    Containers can share both, and whoever bears the holder's name takes over without waiting.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def system_clock() -> Clock:
    """Return the machine's clock."""
    from reconciler.adapters.clock import SystemClock

    return SystemClock()


def parse_cache(path: Path) -> SqliteCache:
    """Return the cache of parsed blobs in a file."""
    from reconciler.adapters.cache_sqlite import SqliteCache

    return SqliteCache(path, version=f"{__version__}/{FORMAT}/{_code()}")


def _code() -> str:
    """Return what our source files look like: who changes a rule must not be shown what the old one said."""
    looks = [(found.st_mtime_ns, found.st_size) for found in map(os.stat, sorted(Path(__file__).parent.rglob("*.py")))]
    return hashlib.sha256(repr(looks).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Offline:
    """What a check goes by, as far as somebody says it; the rest as in the settings.

    `settings` are those of a settings file, as it has them: what they offer to gates, None where there is no file.
    """

    strict_kinds: bool = False
    namespaces: frozenset[str] | None = None
    kubectl: str = "kubectl"
    max_files: int = 20_000
    max_file_bytes: int = 1_048_576
    max_total_bytes: int = 268_435_456
    settings: Document | None = None


@contextmanager
def offline(folder: Path, data: Path, crds: Path | None, rules: Offline) -> Iterator[Checker]:
    """Put together what checks a folder, and close it in the end; nothing of it knows a cluster. Raises InvalidInput."""
    from reconciler.adapters.source_directory import DirectorySource
    from reconciler.adapters.tree.limits import TreeLimits

    clock = system_clock()
    cache = parse_cache(data / "check.db")
    root, inside = _repository(folder.resolve())
    limits = TreeLimits(rules.max_files, rules.max_file_bytes, rules.max_total_bytes)
    source = DirectorySource(root, clock, cache, inside, limits, command_of(rules.kubectl))
    try:
        yield Checker(
            source,
            cache,
            clock,
            partial(_crds_of, crds),
            _digest(crds),
            rules.strict_kinds,
            rules.namespaces,
            inside,
            _library_in(rules.settings),
        )
    finally:
        source.close()
        cache.close()


def _library_in(known: Document | None) -> Library | None:
    """Return what a settings file offers to gates. Raises InvalidInput."""
    if known is None:
        return None
    from reconciler.settings import of_gates

    return _library(of_gates(known))


def _repository(folder: Path) -> tuple[Path, str]:
    """Return the working copy that a folder is part of, itself where it is in none, and where in it the folder is."""
    root = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)
    inside = folder.relative_to(root).as_posix()
    return root, "" if inside == "." else inside


def command_of(name: str) -> Path | None:
    """Look a program up by PATH, then beside our own, where `pip install` puts one that comes as a package."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    return Path(found).absolute() if found else None


def _digest(path: Path | None) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
    except OSError as error:
        raise InvalidInput(f"the CRDs in {path} cannot be read: {error.strerror}", code=SetupCode.SETTINGS_FILE) from error


def _crds_of(path: Path | None) -> Schemas:
    if path is None:
        return NoCrds()
    from reconciler.adapters.schemas_crd.schemas import CrdSchemas

    return CrdSchemas(crd_file(path), str(path))


def crd_file(path: Path | None) -> Sequence[Document]:
    """Return the CRDs of a file, none where no file is named. Raises InvalidInput."""
    if path is None:
        return ()
    from reconciler.adapters.schemas_crd.definitions import read_crds

    return read_crds(path)


def schemas(documents: Sequence[Document], origin: str) -> Schemas:
    """Return schemas of CRDs for a process that goes on when it has judged."""
    from reconciler.adapters.schemas_crd.apart import SchemasApart

    return SchemasApart(documents, origin)


def git(settings: Settings) -> Source:
    """Return the repository at the ref and folder of the settings. Raises InvalidInput for what Git must never see."""
    from reconciler.adapters.source_git import (
        Credentials,
        GitSettings,
        GitSource,
        Limits,
        SignaturePolicy,
        Signatures,
        Timeouts,
    )

    own = settings.git
    return GitSource(
        GitSettings(
            url=settings.repo,
            data_dir=settings.folder / "git",
            ref=settings.ref,
            folder=settings.path,
            credentials=Credentials(
                username=own.username,
                token_file=own.token_file,
                ssh_key_file=own.ssh_key_file,
                known_hosts_file=own.known_hosts_file,
            ),
            ca_file=own.ca_file,
            allow_local=own.allow_local,
            limits=Limits(own.max_files, own.max_file_bytes, own.max_total_bytes, store_bytes=own.max_store_bytes),
            timeouts=Timeouts(exchange=own.timeout),
            signatures=Signatures(
                SignaturePolicy(own.signatures),
                (own.gpg_keys_file,) if own.gpg_keys_file else (),
                own.allowed_signers_file,
            ),
            kubectl=command_of(own.kubectl),
        )
    )


def working_copy_watch(settings: Settings) -> Callable[[Callable[[], None]], Callable[[], None]] | None:
    """Return what watches a local repository for new commits, None for one on a server."""
    folder = Path(settings.repo.removeprefix("file://")).expanduser()
    if not settings.git.allow_local or not folder.is_dir():
        return None
    from reconciler.adapters.nudge_watchdog import watch

    return partial(watch, folder)


def state_store(settings: Settings) -> Store:
    """Return the target's state store."""
    from reconciler.adapters.store_sql import SqlStore

    return SqlStore(settings.state or f"sqlite:///{settings.folder / 'state.db'}", settings.target)


def vm_registry(settings: Settings, clock: Clock) -> VMRegistry | None:
    """Return the VM registry, None where the settings say ``none``."""
    if settings.registry == "none":
        return None
    if in_consul(settings):
        from reconciler.adapters.registry_consul import ConsulRegistry, ConsulSettings

        own = settings.consul
        return ConsulRegistry(
            ConsulSettings(settings.registry, own.token_file, own.ca_file, own.timeout), settings.target, clock
        )
    from reconciler.adapters.registry_sql import SqlRegistry

    return SqlRegistry(registry_url(settings), settings.target, clock)


def witnesses(settings: Settings, clock: Clock) -> dict[HealthSource, Witness]:
    """Return who tells how VMs are beside their agents, as far as the settings name them. Raises InvalidInput."""
    found: dict[HealthSource, Witness] = {}
    own = settings.consul
    url = own.url or (settings.registry if in_consul(settings) else "")
    if url:
        from reconciler.adapters.registry_consul import ConsulChecks, ConsulSettings

        found[HealthSource.CONSUL] = ConsulChecks(ConsulSettings(url, own.token_file, own.ca_file, own.timeout))
    if settings.health.probe_networks:
        from reconciler.adapters.prober import Prober

        found[HealthSource.PROBE] = Prober(settings.health.probe_networks, clock, settings.health.probes_at_once)
    return found


def in_consul(settings: Settings) -> bool:
    """Tell whether the VM registry is Consul's catalog."""
    return settings.registry.startswith(("consul:", "consul+https:"))


def registry_url(settings: Settings) -> str:
    """Return the URL of the database of the VM registry."""
    return settings.registry or f"sqlite:///{settings.folder / 'registry.db'}"


@contextmanager
def registry_server(settings: Settings) -> Iterator[RegistryServer]:
    """Put the VM registry's server together, listening already, and close what it uses in the end.

    Raises InvalidInput for settings that cannot be, Unavailable where it cannot listen.
    """
    from reconciler.adapters.fleet_sql import SqlFleet
    from reconciler.adapters.registry_sql import SqlRegistry
    from reconciler.registry.app import registry_app
    from reconciler.registry.keyfile import kept
    from reconciler.registry.rules import server_rules, signer
    from reconciler.registry.server import RegistryServer, Tls

    clock, own = system_clock(), settings.registry_server
    if settings.registry == "none" or in_consul(settings):
        raise InvalidInput("the registry's server keeps its VMs in SQLite or PostgreSQL: name one", code=SetupCode.OPTION)
    tls = None
    if own.certificate_file is not None:
        tls = Tls(own.certificate_file, own.certificate_key_file or own.certificate_file, own.client_ca_file)
    elif own.client_ca_file is not None:
        raise InvalidInput("client certificates need TLS: name a certificate file", code=SetupCode.OPTION)
    records = SqlRegistry(registry_url(settings), settings.target, clock)
    keys = kept(own.key_file or settings.folder / "registry.key")
    token = kept(own.operator_token_file or settings.folder / "operator.token")[0]
    store = SqlFleet(registry_url(settings), settings.target)
    try:
        app = registry_app(store, records, signer(settings.target, keys), clock, server_rules(own, token))
        host, _, port = own.listen.rpartition(":")
        with closing(RegistryServer(app, host.strip("[]"), int(port), tls)) as server:
            yield server
    finally:
        store.close()
        records.close()


def metrics(settings: Settings) -> Metrics | None:
    """Return what gates measure by, None where the settings name no Prometheus. Raises InvalidInput."""
    own = settings.gates
    if not own.prometheus:
        return None
    from reconciler.adapters.metrics_prometheus import PrometheusMetrics, PrometheusSettings

    return PrometheusMetrics(
        PrometheusSettings(
            url=own.prometheus,
            token_file=own.prometheus_token_file,
            ca_file=own.prometheus_ca_file,
            timeout=own.prometheus_timeout,
            networks=own.networks,
        )
    )


def discovery(settings: Settings) -> Discovery | None:
    """Return who tells proxies of endpoints, None where the settings name no istiod. Raises InvalidInput."""
    own = settings.rollouts
    if not own.istiod:
        return None
    from reconciler.adapters.discovery_istiod import IstiodDiscovery, IstiodSettings

    return IstiodDiscovery(IstiodSettings(own.istiod, own.istiod_token_file, networks=settings.gates.networks))


def hook(settings: Settings) -> Hook | None:
    """Return what asks webhooks, None where the settings allow none. Raises InvalidInput."""
    own = settings.gates
    if not own.webhooks:
        return None
    from reconciler.adapters.hook_http import HookSettings, HttpHook

    return HttpHook(HookSettings(own.webhooks, own.webhook_secrets, own.webhook_ca_file, own.networks))


def embedded_metrics(clock: Clock) -> tuple[Metrics, Callable[[str, str, str, int, int], None]]:
    """Return metrics in memory, and what counts requests there: by host, namespace and workload so many, so many failed."""
    from reconciler.adapters.memory_metrics import MemoryMetrics, Traffic

    found = MemoryMetrics(clock)

    def count(host: str, namespace: str, workload: str, requests: int, failed: int) -> None:
        found.serve(Traffic(host, namespace, workload), requests, failed)

    return found, count


def library(settings: Settings) -> Library:
    """Return what the operator offers to gates in Git."""
    from reconciler.settings import OfGates

    gates = settings.gates
    return _library(OfGates(templates=gates.templates, free_queries=gates.free_queries, people=settings.people))


def _library(offered: OfGates) -> Library:
    from reconciler.core.gates.people import People, Person
    from reconciler.core.gates.reading import Library, Template
    from reconciler.core.gates.spec import Role

    templates = {name: Template(one.query, one.samples) for name, one in offered.templates.items()}
    people = (Person(name, Role(one.role), one.logins, one.emails) for name, one in offered.people.items())
    return Library(templates, offered.free_queries, People(tuple(people)))


def kubernetes(settings: Settings, clock: Clock) -> tuple[Cluster, Lease]:
    """Return the cluster and the target's lease in it."""
    from reconciler.adapters.cluster_kubernetes import KubernetesCluster
    from reconciler.adapters.lease_kubernetes import KubernetesLease

    api = _kubernetes_api(settings, clock)
    return KubernetesCluster(api, FIELD_MANAGER), KubernetesLease(
        api, settings.target, settings.lease_namespace, clock.monotonic
    )


def enrolment(settings: Settings, clock: Clock) -> Enrolment:
    """Return the cluster as what lets VMs in."""
    from reconciler.adapters.enrolment_kubernetes import KubernetesEnrolment

    return KubernetesEnrolment(_kubernetes_api(settings, clock))


def join_tokens(url: str, token_file: Path, ca_file: Path | None) -> JoinTokens:
    """Return who makes join tokens, at the registry's server. Raises InvalidInput."""
    from reconciler.adapters.join_tokens_http import HttpJoinTokens
    from reconciler.adapters.outbound.operators import OperatorSettings

    return HttpJoinTokens(OperatorSettings(url, token_file, ca_file))


def fleet_office(
    settings: Settings, url: str = "", token_file: Path | None = None, ca_file: Path | None = None
) -> FleetDesk | None:
    """Return the registry's server as operators meet it, None where nobody has a token for it. Raises InvalidInput.

    Where nothing is said it is the one that these settings describe, on this machine.
    """
    from reconciler.adapters.fleet_http import HttpFleet
    from reconciler.adapters.outbound.operators import OperatorSettings

    own = settings.registry_server
    token = token_file or own.operator_token_file or settings.folder / "operator.token"
    if token_file is None and not token.exists():
        return None
    scheme = "https" if own.certificate_file else "http"
    return HttpFleet(OperatorSettings(url or f"{scheme}://{own.listen}", token, ca_file))


def _kubernetes_api(settings: Settings, clock: Clock) -> KubernetesApi:
    from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesSettings

    return KubernetesApi(
        KubernetesSettings(
            kubeconfig=settings.kubeconfig,
            context=settings.context,
            namespaces=settings.namespaces,
            allow_exec=settings.allow_exec,
            concurrency=settings.writers,
            relist_interval=settings.relist_interval,
        ),
        clock.monotonic,
    )


def embedded_cluster(settings: Settings, clock: Clock) -> tuple[MemoryCluster, Lease]:
    """Return a cluster in memory, and a lease that is a row of a database in the data folder."""
    from reconciler.adapters.lease_sql import SqlLease
    from reconciler.adapters.memory_cluster import MemoryCluster

    return MemoryCluster(clock, FIELD_MANAGER), SqlLease(f"sqlite:///{settings.folder / 'lease.db'}", settings.target, clock)
