"""The VM registry in Consul's catalog, by its HTTP API (https://developer.hashicorp.com/consul/api-docs).

A record is a node that no agent stands behind, ``mesh-reconciler.TARGET.NAMESPACE.NAME``, with our mark and the record in its
meta; its epoch is the node's ModifyIndex. What a VM reports is one check on that node; all other checks are read only.

    entries     records <-> nodes and checks, as values
    api         requests: one retry policy, limits, errors translated
    watch       a blocking query that is asked again and again
    registry    the port
    checks      another port: the checks of agents alone, for VMs whose records are in another registry
"""

from reconciler.adapters.registry_consul.api import ConsulSettings
from reconciler.adapters.registry_consul.checks import ConsulChecks
from reconciler.adapters.registry_consul.registry import ConsulRegistry

__all__ = ["ConsulChecks", "ConsulRegistry", "ConsulSettings"]
