"""One target with everything that its cycles need."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from reconciler.core.owned import Conflicts
from reconciler.core.plans import Mode, PlanSettings, Wholesale
from reconciler.desired.crds import Crds
from reconciler.errors import InvalidInput, SetupCode
from reconciler.ports import (
    Clock,
    Cluster,
    Lease,
    Metrics,
)
from reconciler.wiring.gates import discovery, hook, library, metrics
from reconciler.wiring.offline import parse_cache
from reconciler.wiring.registry import fleet_office, vm_registry, witnesses
from reconciler.wiring.sources import crd_file, git, schemas, system_clock
from reconciler.wiring.stores import kubernetes, state_store

if TYPE_CHECKING:
    from reconciler.cycle.run import Cycle
    from reconciler.cycle.target import Policy, Ports
    from reconciler.settings import Settings


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
    from reconciler.cycle.run import Cycle
    from reconciler.cycle.target import Ports
    from reconciler.rollouts.gating import Gatekeeper

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
    from reconciler.cycle.target import Policy

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
