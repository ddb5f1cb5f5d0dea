"""What comes before what, in one table and one rule, mirrored for removal; and why.

Writes of one rank go together, lower ranks first; what is taken away goes after all that is added, higher ranks first. Between
single writes there are edges, where one provides what the other uses (`needs`) or, mirrored, ceases to provide what the other
ceases to use. Ranks are what is preferred, edges are never broken.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from reconciler.core.changes import Action
from reconciler.core.edges import Edge, Edges, Write
from reconciler.core.istio import ServiceEntry, WorkloadEntry, workloads_of_policy
from reconciler.core.needs import POLICIES, Token, policy, provides, spelled, uses
from reconciler.core.plans import Plan
from reconciler.core.resources import Document, Key
from reconciler.core.selection import LabelIndex

_ORDER = (
    ("Namespace",),
    ("ServiceAccount",),
    (*sorted(POLICIES), "Telemetry", "ProxyConfig"),
    ("VirtualMachine",),
    ("WorkloadGroup",),
    ("WorkloadEntry",),
    ("ServiceEntry",),
    ("DestinationRule",),
    ("Gateway", "Sidecar"),
    ("VirtualService",),
)
#: Where each kind stands when things are added.
RANK: Mapping[str, int] = {kind: rank for rank, kinds in enumerate(_ORDER) for kind in kinds}


def edges(writes: Sequence[Write], *, root_namespace: str = "istio-system") -> Edges:
    """Return all edges between writes, which are numbered from 0 in the order given.

    `root_namespace` is Istio's: its policies bind workloads everywhere.
    """
    found = list(_in_sequence(writes))
    begins, ends = _moves(writes, provides)
    uses_from, uses_until = _moves(writes, uses)
    _add_picks(writes, root_namespace, uses_from, uses_until)
    for token, providers in begins.items():
        users = uses_from.get(token, ())
        strong = token[0] != "policy"
        text = f"{spelled(token)} must be there first"
        found += [Edge(one, user, text, strong=strong) for one in providers for user in users if one != user]
    for token, providers in ends.items():
        users = uses_until.get(token, ())
        text = f"{spelled(token)} is used until then"
        found += [Edge(user, one, text, removal=True) for one in providers for user in users if one != user]
    return Edges(found)


def place(kind: str, phase: int) -> tuple[int, int]:
    """Return where writes of a kind stand in the order: phase, and rank forwards or backwards."""
    return (phase, -RANK[kind] if phase else RANK[kind])


def why_after(plan: Plan, key: Key) -> tuple[tuple[Key, str], ...]:
    """Return which objects come before this one, each with the reason."""
    return plan.why.get(key, ())


def reasons(writes: Sequence[Write], edges: Edges) -> dict[Key, tuple[tuple[Key, str], ...]]:
    """Return for each object which others come before it, and why; what `why_after` reads."""
    why: dict[Key, dict[tuple[Key, str], None]] = defaultdict(dict)
    for edge in edges.all:
        first, then = writes[edge.first].key, writes[edge.then].key
        if first != then:
            why[then][first, edge.reason] = None
    return {key: tuple(sorted(before)) for key, before in why.items()}


def _in_sequence(writes: Sequence[Write]) -> Iterator[Edge]:
    last: dict[Key, int] = {}
    for write in writes:
        if write.key in last:
            yield Edge(last[write.key], write.number, "an object's own writes keep their order")
        last[write.key] = write.number


_Users = dict[Token, list[int]]


def _moves(writes: Sequence[Write], tokens_of: Callable[[Document], Iterator[Token]]) -> tuple[_Users, _Users]:
    """Return the writes by the tokens that they bring, and by those that they take away."""
    brought: _Users = defaultdict(list)
    taken: _Users = defaultdict(list)
    for write in writes:
        before = set(tokens_of(write.before)) if write.before else set()
        after = set(tokens_of(write.after)) if write.after else set()
        for token in after - before:
            brought[token].append(write.number)
        for token in before - after:
            taken[token].append(write.number)
    return brought, taken


def _add_picks(writes: Sequence[Write], root_namespace: str, uses_from: _Users, uses_until: _Users) -> None:
    """Add what is used by labels: WorkloadEntries by the ServiceEntries that pick them, policies by the workloads they bind.

    Only what comes into being or goes matters: whoever was picked before and is after needs no other order.
    """
    for action, users in ((Action.CREATE, uses_from), (Action.DELETE, uses_until)):
        moving = [write for write in writes if write.change.action is action]
        workloads = _labelled(write for write in moving if write.key.kind == "WorkloadEntry")
        for write in writes:
            if write.key.kind == "ServiceEntry":
                there, not_there = (write.after, write.before) if action is Action.CREATE else (write.before, write.after)
                for one in sorted(_picks(there, workloads) - _picks(not_there, workloads)):
                    users["workload", write.key.namespace, one.name].append(write.number)
        for write in moving:
            if write.key.kind in POLICIES:
                users[policy(write.key)] += [one.number for one in _bound(write, root_namespace, workloads)]


_Workloads = LabelIndex[Write]


def _labelled(writes: Iterable[Write]) -> _Workloads:
    documents = ((write, write.after or write.before) for write in writes)
    workloads = ((write, WorkloadEntry.of(document).endpoint.selectable) for write, document in documents if document)
    return LabelIndex((write.key.namespace, labels, write) for write, labels in workloads)


def _picks(document: Document | None, workloads: _Workloads) -> set[Key]:
    entry = ServiceEntry.of(document) if document else None
    if entry is None:
        return set()
    return {write.key for write in workloads.picked(entry.key.namespace, entry.selector)}


def _bound(policy: Write, root_namespace: str, workloads: _Workloads) -> list[Write]:
    """Return the writes of workloads that a policy binds: by label, all of its namespace, all of the mesh."""
    document = policy.after or policy.before
    selector = workloads_of_policy(document) if document else None
    namespaces = workloads.namespaces() if policy.key.namespace == root_namespace else [policy.key.namespace]
    found = [workloads.picked(one, selector) if selector else workloads.of(one) for one in namespaces]
    return [write for each in found for write in each]
