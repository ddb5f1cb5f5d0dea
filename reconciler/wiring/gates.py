"""Whom gates ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.ports import (
    Clock,
    Discovery,
    Hook,
    Metrics,
)

if TYPE_CHECKING:
    from reconciler.core.gates.reading import Library
    from reconciler.settings import OfGates, Settings


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
