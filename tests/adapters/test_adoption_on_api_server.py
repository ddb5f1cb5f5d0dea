"""Adoption and release on a real API server: who made the object does not matter, what is taken over does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.core.adoption import Adoption, release
from reconciler.core.changes import Action, State
from reconciler.core.comparison import managers_of, our_entry
from reconciler.core.resources import Document, Key
from reconciler.core.wanted import LAST_APPLIED
from tests.adapters.hands import Hands
from tests.building import document, service_entry, workload_entry
from tests.real.apiserver import ApiServer
from tests.real.kube import Kube, Refused
from tests.real.kubectl import Kubectl

ENDPOINTS = [{"address": "10.0.0.1", "ports": {"http": 8080}}]
SELECTOR = {"labels": {"app": "billing"}}


@pytest.fixture
def hands(api_server: ApiServer, namespace: str) -> Iterator[Hands]:
    """The reconciler's hands in a namespace of its own."""
    mine = Hands(api_server.kubeconfig, namespace)
    yield mine
    mine.cluster.close()


def inline(namespace: str) -> Document:
    """The old form: endpoints in the ServiceEntry."""
    return _within(service_entry(endpoints=ENDPOINTS), namespace)


def selecting(namespace: str) -> Document:
    """The new form: WorkloadEntries picked by a selector."""
    return _within(service_entry(workloadSelector=SELECTOR), namespace)


def _within(one: Document, namespace: str) -> Document:
    return {**one, "metadata": {**one["metadata"], "namespace": namespace}}


Maker = Callable[[Kube, Kubectl, Document, Path], None]


def kubectl_create(kube: Kube, kubectl: Kubectl, one: Document, scratch: Path) -> None:
    """A person, imperatively."""
    kubectl("create", "-f", "-", stdin=json.dumps(one))


def kubectl_apply(kube: Kube, kubectl: Kubectl, one: Document, scratch: Path) -> None:
    """A person or a pipeline, the old way: with a copy of the manifest in an annotation."""
    kubectl("apply", "-f", "-", stdin=json.dumps(one))


def kubectl_edit(kube: Kube, kubectl: Kubectl, one: Document, scratch: Path) -> None:
    """Made with other endpoints, then corrected in an editor: two owners."""
    other = {**one, "spec": {**one["spec"], "endpoints": [{**ENDPOINTS[0], "address": "10.9.9.9"}]}}
    kubectl("create", "-f", "-", stdin=json.dumps(other))
    editor = scratch / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/10.9.9.9/10.0.0.1/ "$1"\n', encoding="utf-8")
    editor.chmod(0o755)
    kubectl("edit", "serviceentry", one["metadata"]["name"], env={"EDITOR": str(editor)})


def kubectl_apply_server_side(kube: Kube, kubectl: Kubectl, one: Document, scratch: Path) -> None:
    """A person or a pipeline, the new way."""
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(one))


def made_by(manager: str) -> Maker:
    """A tool that creates and updates."""

    def make(kube: Kube, kubectl: Kubectl, one: Document, scratch: Path) -> None:
        kube.create(one, manager)

    return make


def applied_by(manager: str) -> Maker:
    """A tool that applies server-side."""

    def make(kube: Kube, kubectl: Kubectl, one: Document, scratch: Path) -> None:
        kube.apply(one, manager, force=True)

    return make


def older_version(kube: Kube, kubectl: Kubectl, one: Document, scratch: Path) -> None:
    """Somebody who still writes v1alpha3."""
    kube.create({**one, "apiVersion": "networking.istio.io/v1alpha3"}, "old-script")


MAKERS = {
    "kubectl create": (kubectl_create, State.NOT_ADOPTED),
    "kubectl apply": (kubectl_apply, State.NOT_ADOPTED),
    "kubectl edit": (kubectl_edit, State.NOT_ADOPTED),
    "kubectl apply --server-side": (kubectl_apply_server_side, State.NOT_ADOPTED),
    "v1alpha3": (older_version, State.NOT_ADOPTED),
    **{
        f"{manager} {how}": (make(manager), State.FOREIGN_TOOL)
        for manager in ("helm", "argocd-controller", "kustomize-controller")
        for how, make in (("update", made_by), ("apply", applied_by))
    },
}


@pytest.fixture(params=list(MAKERS.values()), ids=list(MAKERS))
def made(request: pytest.FixtureRequest, api_server: ApiServer, kubectl: Kubectl, namespace: str, tmp_path: Path) -> State:
    """An object made by each of them; its state before anybody adopts it."""
    make, state = request.param
    make(api_server.kube, kubectl.within(namespace), inline(namespace), tmp_path)
    return State(state)


@pytest.mark.case("T-14")
def test_an_object_of_others_is_adopted_unchanged_and_then_swapped(hands: Hands, made: State, namespace: str) -> None:
    """Untouched until named; the hand-over moves nothing; the swap is one write; each second look finds nothing."""
    before, name = hands.live(inline(namespace)), Adoption(keys=frozenset({Key.of(inline(namespace))}))
    assert [one.state for one in hands.look(inline(namespace))] == [made]
    assert hands.write(inline(namespace)) == []
    assert hands.live(inline(namespace)) == before

    over, update = hands.write(inline(namespace), adoption=name)
    adopted = hands.live(inline(namespace))
    assert (over.action, update.action) == (Action.HAND_OVER, Action.UPDATE)
    assert (adopted.document["spec"], adopted.generation) == (before.document["spec"], before.generation)
    assert managers_of(adopted, ("spec",)) == ()
    assert LAST_APPLIED not in adopted.annotations
    assert hands.look(inline(namespace)) == ()

    assert [change.action for change in hands.write(selecting(namespace))] == [Action.UPDATE]
    swapped = hands.live(inline(namespace))
    assert swapped.document["spec"] == selecting(namespace)["spec"]
    assert swapped.generation == before.generation + 1
    assert hands.look(selecting(namespace)) == ()


@pytest.mark.case("T-14")
def test_an_object_of_others_is_adopted_in_its_new_form_at_once(hands: Hands, made: State, namespace: str) -> None:
    """Git holds the selector already: what the first owner has beside it goes in the one update after the hand-over."""
    before, name = hands.live(inline(namespace)), Adoption(keys=frozenset({Key.of(inline(namespace))}))
    hands.write(selecting(namespace), adoption=name)
    after = hands.live(inline(namespace))
    assert (after.document["spec"], after.generation) == (selecting(namespace)["spec"], before.generation + 1)
    assert hands.look(selecting(namespace)) == ()
    # And back: nothing of the selector is left behind by an owner of the empty map around it.
    hands.write(inline(namespace))
    assert hands.live(inline(namespace)).document["spec"] == inline(namespace)["spec"]


def test_without_the_hand_over_the_server_refuses_the_swap(
    hands: Hands, api_server: ApiServer, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    """Why it is there: applying over the first owner, even forced, leaves it its endpoints."""
    kubectl_create(api_server.kube, kubectl.within(namespace), inline(namespace), tmp_path)
    for force in (False, True):
        with pytest.raises(Refused, match="only one of WorkloadSelector or Endpoints"):
            api_server.kube.apply(selecting(namespace), "mesh-reconciler", force=force)


@pytest.mark.case("T-14")
def test_an_old_manifest_applied_again_by_kubectl_brings_no_endpoints_back(
    hands: Hands, api_server: ApiServer, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    """Its own copy is gone: kubectl warns, sends the endpoints again, and the server refuses both together."""
    kubectl_apply(api_server.kube, kubectl.within(namespace), inline(namespace), tmp_path)
    hands.write(selecting(namespace), adoption=Adoption(everything=True))
    again = kubectl.within(namespace)("apply", "-f", "-", stdin=json.dumps(inline(namespace)), check=False)
    assert again.returncode != 0
    assert "missing the kubectl.kubernetes.io/last-applied-configuration annotation" in again.stderr
    assert "only one of WorkloadSelector or Endpoints" in again.stderr
    assert hands.live(inline(namespace)).document["spec"] == selecting(namespace)["spec"]


def test_a_smaller_manifest_applied_by_kubectl_removes_nothing_of_ours(
    hands: Hands, api_server: ApiServer, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    """With its copy left in place, kubectl would delete the field that its new file lacks, ours or not."""
    one = _within(service_entry(endpoints=ENDPOINTS, exportTo=["."]), namespace)
    kubectl_apply(api_server.kube, kubectl.within(namespace), one, tmp_path)
    hands.write(one, adoption=Adoption(everything=True))
    kubectl.within(namespace)("apply", "-f", "-", stdin=json.dumps(inline(namespace)))
    assert hands.live(one).document["spec"]["exportTo"] == ["."]


def test_adoption_leaves_foreign_labels_alone(
    hands: Hands, api_server: ApiServer, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    """Labels that Git does not name stay, with their owner."""
    one = _within(service_entry(labels={"team": "red"}, endpoints=ENDPOINTS), namespace)
    kubectl_create(api_server.kube, kubectl.within(namespace), one, tmp_path)
    hands.write(inline(namespace), adoption=Adoption(everything=True))
    after = hands.live(one)
    assert after.labels == {"team": "red", "mesh-reconciler.io/target": "test"}
    assert managers_of(after, ("metadata", "labels", "team")) == ("kubectl-create",)


def test_core_kinds_are_adopted_for_what_git_says_of_them(hands: Hands, api_server: ApiServer, namespace: str) -> None:
    """A Namespace's finalizers and own label, an account's pull secrets stay as they are."""
    account = _within(document("ServiceAccount", "vm"), namespace)
    api_server.kube.create({**account, "imagePullSecrets": [{"name": "registry"}]}, "kubectl-create")
    space = document("Namespace", namespace, "", labels={"istio-injection": "enabled"})
    hands.write(account, space, adoption=Adoption(everything=True))
    assert hands.live(account).document["imagePullSecrets"] == [{"name": "registry"}]
    assert hands.live(space).document["spec"] == {"finalizers": ["kubernetes"]}
    assert hands.live(space).labels["kubernetes.io/metadata.name"] == namespace
    assert hands.look(account, space) == ()


def test_an_object_without_managed_fields_is_adopted_and_swapped(hands: Hands, api_server: ApiServer, namespace: str) -> None:
    """A restore may have lost them; the server would make up an owner of everything at the first apply."""
    api_server.kube.create(inline(namespace), "restore")
    api_server.kube.patch(inline(namespace), {"metadata": {"managedFields": [{}]}})
    assert hands.live(inline(namespace)).owners == ()
    hands.write(inline(namespace), adoption=Adoption(everything=True))
    assert [owner.manager for owner in hands.live(inline(namespace)).owners] == ["mesh-reconciler"]
    hands.write(selecting(namespace))
    assert hands.live(inline(namespace)).document["spec"] == selecting(namespace)["spec"]


def test_a_released_object_is_as_it_was_and_somebody_elses(hands: Hands, api_server: ApiServer, namespace: str) -> None:
    """Ownership goes to the named manager, the mark goes; spec and generation stay, and the new owner may go on at once."""
    hands.write(inline(namespace))
    ours = hands.live(inline(namespace))
    given = release(ours, "kubectl")
    released = hands.cluster.set_owners(
        ours.key, given.owners, uid=ours.uid, resource_version=ours.resource_version, drop_labels=given.drop_labels
    )
    assert our_entry(released) is None
    assert (released.document["spec"], released.generation) == (ours.document["spec"], ours.generation)
    assert "mesh-reconciler.io/target" not in released.labels
    api_server.kube.apply(selecting(namespace), "kubectl")
    assert hands.live(inline(namespace)).document["spec"] == selecting(namespace)["spec"]
    # To us it is an object like any other by now.
    assert [one.state for one in hands.look(selecting(namespace))] == [State.NOT_ADOPTED]


def test_a_registered_workload_entry_is_neither_adopted_nor_deleted(
    hands: Hands, api_server: ApiServer, namespace: str
) -> None:
    """Even named, even in the inventory: its life is istiod's."""
    one = _within(workload_entry(), namespace)
    registered = {**one, "metadata": {**one["metadata"], "annotations": {"istio.io/autoRegistrationGroup": "vms"}}}
    api_server.kube.create(registered, "pilot-discovery")
    key = Key.of(one)
    assert [each.state for each in hands.look(one, adoption=Adoption(keys=frozenset({key})))] == [State.FOREIGN_TOOL]
    hands.inventory = frozenset({key})
    assert hands.look() == ()
