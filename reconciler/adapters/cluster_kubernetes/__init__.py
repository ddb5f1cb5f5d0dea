"""The Kubernetes API server as a store of mesh objects, over raw requests of the official client.

What belongs here: HTTP, credentials, retries, versions of kinds, lists, watches, the writes that a store promises. What must
not be known here: why something is written, units, plans, Git, the VM registry.

    settings     which cluster, as whom, how patient
    credentials  kubeconfig or service account -> the client's configuration
    answers      what an answer means: a document or one of our errors
    api          requests: one pool, one retry policy
    resources    what is read, and under which version it is served
    decode       documents -> our values
    listing      complete lists of one kind
    reading      one-shot reads of everything
    inside       all that a namespace holds, of every kind
    collection   the watched copy of one collection
    mirror       all copies together, and the snapshots of them
    watching     what keeps it true: list, watch, resume, list again
    watches      all of these
    writes       apply, delete, hand over; unknown outcomes are read back
    cluster      the port
"""

from reconciler.adapters.cluster_kubernetes.api import KubernetesApi
from reconciler.adapters.cluster_kubernetes.cluster import KubernetesCluster
from reconciler.adapters.cluster_kubernetes.settings import KubernetesSettings, Patience

__all__ = ["KubernetesApi", "KubernetesCluster", "KubernetesSettings", "Patience"]
