"""Settings -> ports: the only package that names adapters. Each is imported only when it is needed.

So are the settings and the cycle: `check` does without both, and is sooner there.
"""

from reconciler.wiring.gates import discovery, embedded_metrics, hook, library, metrics
from reconciler.wiring.offline import Offline, offline, parse_cache
from reconciler.wiring.registry import (
    fleet_office,
    in_consul,
    join_tokens,
    registry_server,
    registry_url,
    vm_registry,
    witnesses,
)
from reconciler.wiring.sources import command_of, crd_file, git, schemas, system_clock, working_copy_watch
from reconciler.wiring.stores import embedded_cluster, enrolment, kubernetes, state_store
from reconciler.wiring.target import Target, assembled, holder, open_target, policy

__all__ = [
    "Offline",
    "Target",
    "assembled",
    "command_of",
    "crd_file",
    "discovery",
    "embedded_cluster",
    "embedded_metrics",
    "enrolment",
    "fleet_office",
    "git",
    "holder",
    "hook",
    "in_consul",
    "join_tokens",
    "kubernetes",
    "library",
    "metrics",
    "offline",
    "open_target",
    "parse_cache",
    "policy",
    "registry_server",
    "registry_url",
    "schemas",
    "state_store",
    "system_clock",
    "vm_registry",
    "witnesses",
    "working_copy_watch",
]
