"""The VM registry: as a store, as a server, and by way of its server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.health.sources import Source as HealthSource
from reconciler.errors import InvalidInput, SetupCode
from reconciler.ports import (
    Clock,
    FleetDesk,
    JoinTokens,
    VMRegistry,
    Witness,
)
from reconciler.wiring.sources import system_clock

if TYPE_CHECKING:
    from reconciler.registry.server import RegistryServer
    from reconciler.settings import Settings


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
    from reconciler.registry.mark import Mark
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
        mark = Mark(settings.folder / "registry.mark")
        app = registry_app(store, records, signer(settings.target, keys), clock, server_rules(own, token), mark)
        host, _, port = own.listen.rpartition(":")
        with closing(RegistryServer(app, host.strip("[]"), int(port), tls)) as server:
            yield server
    finally:
        store.close()
        records.close()


def join_tokens(url: str, token_file: Path, ca_file: Path | None, certificate_file: Path | None = None) -> JoinTokens:
    """Return who makes join tokens, at the registry's server. Raises InvalidInput."""
    from reconciler.adapters.join_tokens_http import HttpJoinTokens
    from reconciler.adapters.outbound.operators import OperatorSettings

    return HttpJoinTokens(OperatorSettings(url, token_file, ca_file, certificate_file))


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
    where, authorities = url or f"{scheme}://{own.listen}", ca_file or own.operator_ca_file
    return HttpFleet(OperatorSettings(where, token, authorities, own.operator_certificate_file))
