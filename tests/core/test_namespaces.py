"""The deletion of a Namespace: never by itself, never unseen."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.namespaces import Inside, Listing, counting, namespace_guards, override_of
from reconciler.core.plans import GuardCode, Plan
from reconciler.core.resources import Document, Key
from reconciler.core.writes import writes_of
from tests.building import document
from tests.core.meshes import commit, deleting, entry, guards, namespace, plan, pod, there, vm, waves

SHOP = namespace()
NAME = "delete:Namespace/shop"
ACCOUNT = document("ServiceAccount", "billing")
#: What the plan below leaves alone: another namespace, which is also what keeps its deletions from being all that there is.
REST = [namespace("web"), *(document("ServiceAccount", f"a{number}", "web") for number in range(20))]
EVERYWHERE = (
    Inside("", "ServiceAccount", "default"),
    Inside("", "ConfigMap", "kube-root-ca.crt"),
    Inside("", "ConfigMap", "istio-ca-root-cert"),
    Inside("", "Event", "web-1.17"),
    Inside("events.k8s.io", "Event", "web-1.17"),
)
OURS = Inside("", "ServiceAccount", "billing")


def said(listing: Listing | None, *wanted: Document) -> tuple[str, str]:
    """The override and the message of the guard on shop, which goes with an account while Git wants these."""
    writes = writes_of([deleting(SHOP), deleting(ACCOUNT)], there(SHOP, ACCOUNT))
    (guard,) = namespace_guards(writes, commit(*wanted), {"shop": listing} if listing else {})
    assert (guard.code, guard.keys) == (GuardCode.DELETE_NAMESPACE, (Key.of(SHOP),))
    return guard.override, guard.message.rpartition("everything in it: ")[2]


def test_only_what_nobody_misses_may_go() -> None:
    """What the plan deletes itself, what is in every namespace, and records of events are nobody's loss; all else is named."""
    assert said(Listing()) == (NAME, "nothing is in it but what this plan deletes")
    assert said(Listing((*EVERYWHERE, OURS)))[0] == NAME
    foreign = tuple(Inside("", "Secret", f"s{number}") for number in range(7))
    assert said(Listing((*EVERYWHERE, OURS, *foreign))) == (
        "",
        "Secret s0, Secret s1, Secret s2, Secret s3, Secret s4 and 2 more; it can only be deleted by hand",
    )
    assert said(Listing((Inside("apps", "Deployment", "web"),)))[1] == "Deployment.apps web; it can only be deleted by hand"


@pytest.mark.parametrize(
    "like", [Inside("example.com", "ServiceAccount", "billing"), Inside("", "Secret", "default"), Inside("x", "Event", "a")]
)
def test_what_only_looks_like_one_of_these_is_in_the_way(like: Inside) -> None:
    """The same kind of another group, the same name of another kind."""
    assert said(Listing((like,)))[0] == ""


def test_half_a_listing_is_none() -> None:
    """Whatever it holds: nobody knows what else there is."""
    assert said(Listing(unread="secrets is forbidden")) == (
        "",
        "what that is could not be listed (secrets is forbidden); it can only be deleted by hand",
    )


def test_what_git_wants_there_keeps_it() -> None:
    """Also what is not there yet, which no listing shows."""
    assert said(Listing(), entry()) == (
        "",
        "Git wants ServiceEntry shop/billing there; put the Namespace back into Git, or take these out",
    )


def test_a_name_counts_only_after_a_look() -> None:
    """Of the names that were said, that of an unseen Namespace is no override."""
    writes = writes_of([deleting(SHOP)], there(SHOP))
    assert override_of(Key.of(SHOP)) == NAME
    assert said(None) == (NAME, "whoever says its name has that listed first")
    assert counting({NAME, "history:abc"}, writes, {}) == {"history:abc"}
    assert counting({NAME, "history:abc"}, writes, {"shop": Listing()}) == {NAME, "history:abc"}


def leaving(*held: str, listing: Listing | None = None, **options: Any) -> Plan:
    """The plan in which shop leaves Git with its account and a VM; `held` are names that are not said."""
    live = there(SHOP, ACCOUNT, vm("vm1", "10.0.0.1"), *REST)
    listings = {"shop": listing} if listing else {}
    git = commit(*REST)
    names = {NAME, *(guard.override for guard in guards(plan(git, live)) if guard.override)} - set(held)
    return plan(git, live, overrides=names, listings=listings, **options)


def written(made: Plan) -> list[list[str]]:
    """All waves of a plan, unit by unit."""
    return [wave for unit in made.units for wave in waves(unit)]


def test_an_empty_namespace_goes_after_all_that_was_in_it() -> None:
    """With its name said, and seen to be empty."""
    assert written(leaving(listing=Listing(EVERYWHERE)))[-1] == ["delete Namespace/shop"]
    for listing in (None, Listing(unread="no"), Listing((Inside("", "Pod", "p"),))):
        assert "delete Namespace/shop" not in str(written(leaving(listing=listing)))
    assert "delete Namespace/shop" not in str(written(leaving(NAME, listing=Listing())))


def test_a_namespace_waits_for_what_is_held_in_it() -> None:
    """A Pod that runs under the account keeps it, and so the Namespace, although nothing foreign was listed."""
    git, names = commit(*REST), {"overrides": {NAME}, "listings": {"shop": Listing((OURS,))}}
    free = there(SHOP, ACCOUNT, *REST, pods=[pod("p", namespace="web")])
    assert written(plan(git, free, **names)) == [["delete ServiceAccount/billing"], ["delete Namespace/shop"]]
    busy = there(SHOP, ACCOUNT, *REST, pods=[pod("p", service_account="billing")])
    assert written(plan(git, busy, **names)) == []


def test_what_is_found_inside_makes_no_other_plan() -> None:
    """The name is said for what leaves Git: the digest is the same before and after the look."""
    digests = {leaving(listing=one).digest for one in (None, Listing(), Listing(unread="no"), Listing((OURS,)))}
    assert len(digests) == 1
    assert leaving().digest != plan(commit(SHOP, *REST), there(SHOP, ACCOUNT, *REST)).digest
