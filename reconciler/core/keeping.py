"""What is not deleted although Git has dropped it, and what is not written into a namespace that is not there."""

from collections.abc import Iterator, Sequence

from reconciler.core.changes import Action
from reconciler.core.edges import Write
from reconciler.core.needs import uses
from reconciler.core.plans import Guard, GuardCode
from reconciler.core.resources import DesiredState, Key, ObservedState, StoreName


def used_accounts(writes: Sequence[Write], desired: DesiredState, observed: ObservedState) -> Iterator[Guard]:
    """Yield a guard for each ServiceAccount that would go while a Pod, or an object that stays, runs under it."""
    for write in writes:
        if write.key.kind == "ServiceAccount" and write.change.action is Action.DELETE:
            users = sorted(_users(write.key, desired, observed))
            if users:
                more = f" and {len(users) - 1} more" if len(users) > 1 else ""
                message = f"{write.key} is gone from Git and stays, since {users[0]}{more} runs under it"
                yield Guard(GuardCode.ACCOUNT_IN_USE, message, keys=(write.key,))


def _users(account: Key, desired: DesiredState, observed: ObservedState) -> Iterator[str]:
    for pod in observed.pods:
        if pod.namespace == account.namespace and (pod.service_account or "default") == account.name:
            yield f"Pod {pod.namespace}/{pod.name}"
    token = ("account", account.namespace, account.name)
    for key, manifest in desired.manifests.items():
        if key.namespace == account.namespace and token in uses(manifest.document):
            yield str(key)


def missing_namespaces(writes: Sequence[Write], observed: ObservedState) -> Iterator[Guard]:
    """Yield a guard for each namespace that cannot be written to: it is not there and Git does not make it, or it is going."""
    namespaces = {key.name: live for key, live in observed.objects.items() if key.kind == "Namespace"}
    if not namespaces or "" in observed.unread:
        return  # they are not read here, so nothing is known
    made = {write.key.name for write in writes if write.key.kind == "Namespace" and write.change.action is Action.CREATE}
    blocked: dict[str, list[Key]] = {}
    for write in writes:
        key = write.key
        live = namespaces.get(key.namespace)
        if key.namespace and key.store is StoreName.CLUSTER and (live.deleting if live else key.namespace not in made):
            blocked.setdefault(key.namespace, []).append(key)
    for namespace, keys in sorted(blocked.items()):
        state = "is being deleted" if namespace in namespaces else "does not exist and is not in Git"
        yield Guard(GuardCode.NAMESPACE, f"the namespace {namespace} {state}", keys=tuple(keys))
