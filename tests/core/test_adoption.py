"""Objects that are there already: left alone, adopted by name, given back."""

from typing import Any

import pytest

from reconciler.core.adoption import NOTHING, Adoption, judge_unowned, release
from reconciler.core.changes import ABSENT, Action, Cause, ObjectDiff, State
from reconciler.core.comparison import Subject
from reconciler.core.documents import limited
from reconciler.core.ownership import declared, owned, show, take_over
from reconciler.core.resources import Document, FieldOwner, Key, LiveObject
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.errors import InvalidInput, Severity
from tests.building import document, live, owner, service_entry, wanted, workload_entry, written

KEY = Key("ServiceEntry", "shop", "billing")
ADOPT = "mesh-reconciler.io/adopt"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ENDPOINTS = [{"address": "10.0.0.1"}]


def judged(one: Document, there: LiveObject, adoption: Adoption = NOTHING) -> ObjectDiff:
    """Where an object stands that Git says to be `one`."""
    return judge_unowned(Subject(there.key, wanted(one), wanted(one), there), adoption)


def with_annotation(one: Document, text: str) -> Document:
    """The same with an adopt annotation in Git."""
    return {**one, "metadata": {**one["metadata"], "annotations": {ADOPT: text}}}


def by_hand(one: Document, manager: str = "kubectl-create") -> LiveObject:
    """An object as a person or a tool made it."""
    return live(one, owner(manager, one))


@pytest.mark.parametrize(
    ("texts", "adoption"),
    [
        ([], NOTHING),
        (["all"], Adoption(everything=True)),
        (["ServiceEntry/shop/billing", "Namespace/shop"], Adoption(keys=frozenset({KEY, Key("Namespace", "", "shop")}))),
        (["all", "ServiceEntry shop/billing"], Adoption(everything=True, keys=frozenset({KEY}))),
    ],
)
def test_what_is_adopted_is_read_from_options(texts: list[str], adoption: Adoption) -> None:
    """`all`, or keys as the report writes them."""
    assert Adoption.parse(texts) == adoption


def test_every_wrong_option_is_named() -> None:
    """Not only the first."""
    with pytest.raises(InvalidInput) as caught:
        Adoption.parse(["everything", "a/b/c/d", "all"])
    assert len(caught.value.problems) == 2


@pytest.mark.case("T-14")
def test_an_object_that_is_there_already_is_not_touched() -> None:
    """Not adopted: what differs is shown with its owner, the way in is said, and nothing would be written."""
    found = judged(service_entry(resolution="NONE"), by_hand(service_entry()))
    assert (found.state, found.changes) == (State.NOT_ADOPTED, ())
    assert [(row.path, row.managers) for row in found.fields][-1] == ("spec.resolution", ("kubectl-create",))
    (problem,) = found.problems
    assert "kubectl-create" in problem.message
    assert "--adopt ServiceEntry/shop/billing" in problem.message
    assert problem.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("one", "adoption", "adopted"),
    [
        (service_entry(), Adoption(everything=True), True),
        (service_entry(), Adoption(keys=frozenset({KEY})), True),
        (service_entry(), Adoption(keys=frozenset({Key("ServiceEntry", "shop", "other")})), False),
        (with_annotation(service_entry(), "true"), NOTHING, True),
        (with_annotation(service_entry(), "false"), NOTHING, False),
        (with_annotation(service_entry(), ""), NOTHING, False),
    ],
)
def test_an_adoption_is_declared_by_option_or_in_git(one: Document, adoption: Adoption, adopted: bool) -> None:  # noqa: FBT001
    """All, the key, or the annotation; nothing else."""
    assert judged(one, by_hand(service_entry()), adoption).state is (State.ADOPT if adopted else State.NOT_ADOPTED)


@pytest.mark.case("T-14")
@pytest.mark.parametrize("manager", ["kubectl-create", "kubectl-client-side-apply", "kubectl-edit", "somebody"])
def test_an_adoption_is_a_hand_over_and_then_an_update(manager: str) -> None:
    """The hand-over carries live content and the owners' names; the update is what Git says; both carry preconditions."""
    there = by_hand(service_entry(endpoints=ENDPOINTS), manager)
    found = judged(service_entry(endpoints=ENDPOINTS), there, Adoption(everything=True))
    over, update = found.changes
    assert (over.action, over.managers, over.cause) == (Action.HAND_OVER, (manager,), Cause.ADOPTION)
    assert over.before == over.after == there.document
    assert (update.action, update.after, update.cause) == (
        Action.UPDATE,
        wanted(service_entry(endpoints=ENDPOINTS)),
        Cause.ADOPTION,
    )
    assert {(one.uid, one.resource_version) for one in found.changes} == {(there.uid, there.resource_version)}
    assert [row.path for row in found.fields] == ['metadata.labels["mesh-reconciler.io/target"]']
    assert f"co-owned by {manager}" in found.problems[0].message


@pytest.mark.case("T-14")
def test_what_git_lacks_of_the_spec_goes_over_too_and_is_shown() -> None:
    """Else the first owner would keep `endpoints`, and the server would refuse them beside `workloadSelector`."""
    there = by_hand(service_entry(endpoints=ENDPOINTS, exportTo=["."]))
    found = judged(service_entry(workloadSelector={"labels": {"app": "a"}}), there, Adoption(everything=True))
    over = found.changes[0]
    assert over.after is not None
    taken = {show(path) for path in declared(over.after)}
    assert {"spec.endpoints", "spec.exportTo", "spec.hosts"} <= taken
    lost = [(row.path, row.wanted) for row in found.fields if row.wanted is ABSENT]
    assert lost == [("spec.endpoints", ABSENT), ("spec.exportTo", ABSENT)]
    assert "spec.endpoints, spec.exportTo" in found.problems[0].message


def test_labels_and_annotations_that_git_does_not_name_stay_with_their_owner() -> None:
    """Other people's labels are none of our business, also on objects that we adopt."""
    one = service_entry(labels={"team": "red", "app": "a"})
    found = judged(service_entry(labels={"app": "b"}), by_hand(one), Adoption(everything=True))
    over = found.changes[0]
    assert over.after is not None
    assert over.after["metadata"]["labels"] == {"app": "a"}


def test_the_copy_that_kubectl_keeps_goes_and_is_written_nowhere() -> None:
    """Left behind, it would make a later `kubectl apply` remove fields of ours without a word."""
    metadata = {**service_entry()["metadata"], "annotations": {LAST_APPLIED: "secret", "team": "red"}}
    there = by_hand({**service_entry(), "metadata": metadata}, "kubectl-client-side-apply")
    found = judged(service_entry(), there, Adoption(everything=True))
    over, update = found.changes
    assert over.after is not None
    assert over.after["metadata"]["annotations"] == {LAST_APPLIED: ""}
    assert LAST_APPLIED not in update.after["metadata"].get("annotations", {})  # type: ignore[index]
    assert "secret" not in repr((over.after, over.fields, found.fields, found.problems))


def test_what_nobody_owns_is_not_taken() -> None:
    """A Namespace's finalizers are the server's doing; a Namespace and an account are more than what Git says of them."""
    there = live(
        document("Namespace", "shop", "", labels={"kubernetes.io/metadata.name": "shop"}, spec={"finalizers": ["kubernetes"]}),
        owner("kubectl-create", document("Namespace", "shop", "", labels={"kubernetes.io/metadata.name": "shop"})),
    )
    found = judged(document("Namespace", "shop", ""), there, Adoption(everything=True))
    assert [change.action for change in found.changes] == [Action.UPDATE]


def test_an_object_without_any_owner_gets_one() -> None:
    """A restore may lose managedFields; without a hand-over the server would invent an owner of everything."""
    found = judged(service_entry(), live(service_entry()), Adoption(everything=True))
    over = found.changes[0]
    assert (over.action, over.managers, over.after) == (Action.HAND_OVER, (), service_entry())


@pytest.mark.case("T-14")
def test_the_hand_over_leaves_nothing_of_these_fields_with_the_first_owner() -> None:
    """Only then can the update remove them."""
    there = by_hand(service_entry(endpoints=ENDPOINTS))
    over = judged(service_entry(workloadSelector={"labels": {"app": "a"}}), there, Adoption(everything=True)).changes[0]
    assert over.after is not None
    owners = take_over(there.owners, over.managers, declared(over.after), FIELD_MANAGER)
    assert [entry.manager for entry in owners] == [FIELD_MANAGER]
    assert limited(there.document, owned(owners[0])) == there.document


def test_status_entries_are_no_owners() -> None:
    """Istiod writes status; it is never named in an adoption."""
    one = service_entry()
    there = live(one, owner("kubectl-create", one), owner("pilot-discovery", one, subresource="status"))
    assert judged(one, there, Adoption(everything=True)).changes[0].managers == ("kubectl-create",)


ARGO = {"annotations": {"argocd.argoproj.io/tracking-id": "mesh:networking.istio.io/ServiceEntry:shop/billing"}}


@pytest.mark.parametrize(
    ("git", "adoption", "adopted"),
    [
        ("", NOTHING, False),
        ("", Adoption(everything=True), False),
        ("true", NOTHING, False),
        ("flux", NOTHING, False),
        ("", Adoption(keys=frozenset({KEY})), True),
        ("argo-cd", NOTHING, True),
        ("flux, argo-cd", NOTHING, True),
    ],
)
def test_an_object_of_another_tool_is_adopted_by_name_only(git: str, adoption: Adoption, adopted: bool) -> None:  # noqa: FBT001
    """`all` and `true` mean what people made by hand; a tool would write it back, so it must be named."""
    there = by_hand({**service_entry(), "metadata": {**service_entry()["metadata"], **ARGO}}, "argocd-controller")
    one = with_annotation(service_entry(), git) if git else service_entry()
    found = judged(one, there, adoption)
    assert found.state is (State.ADOPT if adopted else State.FOREIGN_TOOL)
    if not adopted:
        assert found.changes == ()
        assert "argo-cd (annotation argocd.argoproj.io/tracking-id)" in found.problems[0].message
        assert "Prune=false" in found.problems[0].message


def test_an_object_of_another_target_is_taken_over_by_name_only() -> None:
    """Two targets in one cluster share the field manager; the mark tells them apart."""
    content = service_entry(labels={"mesh-reconciler.io/target": "other"})
    there = live(content, owner(FIELD_MANAGER, content, "Apply"))
    left = judged(service_entry(), there, Adoption(everything=True))
    assert (left.state, left.changes) == (State.FOREIGN_TOOL, ())
    assert "target other" in left.problems[0].message
    taken = judged(service_entry(), there, Adoption(keys=frozenset({KEY})))
    assert [change.action for change in taken.changes] == [Action.UPDATE]


@pytest.mark.parametrize("adoption", [NOTHING, Adoption(everything=True), Adoption(keys=frozenset({Key.of(workload_entry())}))])
def test_what_istiod_registered_is_never_adopted(adoption: Adoption) -> None:
    """Istiod deletes it when the VM leaves; two owners of its life would fight."""
    one = document("WorkloadEntry", "vm1", annotations={"istio.io/autoRegistrationGroup": "g"}, spec={"address": "10.0.0.1"})
    found = judged(workload_entry(), by_hand(one, "pilot-discovery"), adoption)
    assert (found.state, found.changes) == (State.FOREIGN_TOOL, ())


@pytest.mark.parametrize("others", [(), (FieldOwner("hand", "Apply", '{"f:spec":{"f:hosts":{}}}', "networking.istio.io/v1"),)])
def test_release_names_the_manager_and_takes_only_our_mark_away(others: Any) -> None:
    """What was ours is the other's, as it stands; the mark's label goes with its ownership."""
    there = written(service_entry(), *others)
    given = release(there, "hand")
    assert given.drop_labels == ("mesh-reconciler.io/target",)
    (entry,) = given.owners
    assert (entry.manager, entry.operation) == ("hand", "Apply")
    assert owned(entry) == owned(there.owners[0]) - {("metadata", "labels", "mesh-reconciler.io/target")}
