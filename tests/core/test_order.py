"""What comes before what, and its mirror."""

from hypothesis import given, settings

from reconciler.core.changes import Change
from reconciler.core.edges import Edges
from reconciler.core.order import RANK, edges, place, why_after
from reconciler.core.resources import Document, Key
from reconciler.core.writes import writes_of
from tests.building import document, observed
from tests.core.meshes import approved, commit, creating, deleting, entry, namespace, record, route, rule, there, updating, vm
from tests.core.test_plan_properties import meshes

HOST = "billing.internal"
VM = vm("vm1", "10.0.0.1", serviceAccount="billing")
ALL = [
    namespace(),
    document("ServiceAccount", "billing"),
    document("AuthorizationPolicy", "allow", spec={"selector": {"matchLabels": {"app": "billing"}}}),
    record(VM),
    document("WorkloadGroup", "vms", spec={"template": {"serviceAccount": "billing"}}),
    VM,
    entry(app="billing"),
    rule(subsets={"v1": {"v": "1"}}),
    route(to=[(HOST, "v1", 100)]),
]


def pairs(changes: list[Change], live: list[Document]) -> set[tuple[str, str]]:
    """Kinds of what comes first and what comes then."""
    writes = writes_of(changes, there(*live))
    return {(writes[one.first].key.kind, writes[one.then].key.kind) for one in edges(writes).all}


def test_ranks_are_the_order_of_the_law() -> None:
    """Each kind of a full service stands after all that it builds on, and removal is the exact mirror."""
    adding = [place(Key.of(one).kind, 0) for one in ALL]
    assert adding == sorted(adding)
    removing = [place(Key.of(one).kind, 1) for one in ALL]
    assert removing == sorted(removing, reverse=True)
    assert max(adding) < min(removing)
    assert RANK["Gateway"] < RANK["VirtualService"]


def test_edges_of_adding_are_mirrored_by_those_of_removing() -> None:
    """Whatever comes first when a service is made goes last when it goes."""
    made = pairs([creating(one) for one in ALL], [])
    gone = pairs([deleting(one) for one in ALL], ALL)
    assert gone == {(then, first) for first, then in made}
    assert {
        ("Namespace", "WorkloadEntry"),
        ("ServiceAccount", "WorkloadEntry"),
        ("AuthorizationPolicy", "WorkloadEntry"),
        ("VirtualMachine", "WorkloadEntry"),
        ("WorkloadEntry", "ServiceEntry"),
        ("ServiceEntry", "VirtualService"),
        ("DestinationRule", "VirtualService"),
    } <= made


@settings(max_examples=60, deadline=None)
@given(before=meshes(), after=meshes())
def test_removing_mirrors_adding_for_any_mesh(before: list[Document], after: list[Document]) -> None:
    """Making one mesh of another and going back: every edge turns round, and neither way goes in circles by creates alone."""
    old, new = ({Key.of(one): one for one in each} for each in (before, after))
    there_and_back = []
    for one, other in ((old, new), (new, old)):
        changes = [creating(other[key]) for key in other.keys() - one.keys()]
        changes += [deleting(one[key]) for key in one.keys() - other.keys()]
        changes += [updating(one[key], other[key]) for key in one.keys() & other.keys() if one[key] != other[key]]
        writes = writes_of(changes, there(*one.values()))
        there_and_back.append({(writes[each.first].key, writes[each.then].key) for each in edges(writes).all})
    assert there_and_back[1] == {(then, first) for first, then in there_and_back[0]}


@settings(max_examples=60, deadline=None)
@given(mesh=meshes())
def test_a_mesh_is_made_and_removed_without_circles(mesh: list[Document]) -> None:
    """Only creates, or only deletes, always have an order."""
    for changes, live in (([creating(one) for one in mesh], []), ([deleting(one) for one in mesh], mesh)):
        assert edges(writes_of(changes, there(*live))).in_circles(len(changes)) == set()


def test_a_policy_is_waited_for_and_never_needed() -> None:
    """A workload goes after its policy, and without it where the policy is held."""
    writes = writes_of([creating(ALL[2]), creating(VM)], observed())
    (edge,) = edges(writes).all
    assert (edge.first, edge.then, edge.strong) == (0, 1, False)
    assert Edges([edge]).held_with([0]) == {0}


def test_the_root_namespaces_policies_bind_everywhere() -> None:
    """Which namespace that is can be told."""
    strict = document("PeerAuthentication", "strict", "infra")
    writes = writes_of([creating(VM), creating(strict)], observed())
    assert [(one.first, one.then) for one in edges(writes, root_namespace="infra").all] == [(1, 0)]
    assert edges(writes).all == ()


def test_a_selector_waits_only_for_what_it_newly_picks() -> None:
    """A VM that joins a service which picks its label already waits for nobody, nor does the service wait for it."""
    selecting = entry(app="billing")
    labelled = {**selecting, "metadata": {**selecting["metadata"], "labels": {"a": "b"}}}
    new = vm("vm2", "10.0.0.2")
    assert pairs([updating(selecting, labelled), creating(new)], [selecting]) == set()
    inline = entry(endpoints=["10.0.0.1"])
    assert pairs([updating(inline, selecting), creating(new)], [inline]) == {("WorkloadEntry", "ServiceEntry")}


def test_why_after_says_what_a_change_waits_for() -> None:
    """With the reason, and nothing for what waits for nobody."""
    plan = approved(commit(*ALL), there())
    why = why_after(plan, Key("VirtualService", "shop", "billing"))
    assert (Key("DestinationRule", "shop", "billing"), f"subset v1 of {HOST} must be there first") in why
    assert (Key("Namespace", "", "shop"), "namespace shop must be there first") in why
    assert why_after(plan, Key("Namespace", "", "shop")) == ()
    plan = approved(commit(namespace()), there(*ALL))
    assert (Key("VirtualService", "shop", "billing"), f"host {HOST} is used until then") in why_after(
        plan, Key("ServiceEntry", "shop", "billing")
    )
