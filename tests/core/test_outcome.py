"""What an object is after a write."""

from reconciler.core.changes import Action, Change
from reconciler.core.outcome import outcome
from reconciler.core.resources import Document, Key
from tests.core.meshes import creating, deleting, entry, updating, vm

INLINE, SELECTING = entry(endpoints=["10.0.0.1"]), entry(app="billing")


def test_a_swap_leaves_nothing_of_the_old_form() -> None:
    """What we declared and declare no more is gone."""
    after = outcome(INLINE, updating(INLINE, SELECTING))
    assert after == SELECTING


def test_what_others_say_stays() -> None:
    """Labels and annotations of others, and the status, live through our update."""
    labels = {"labels": {"team": "x"}, "annotations": {"istio.io/connectedAt": "now"}}
    live: Document = {**vm("vm1", "10.0.0.1"), "status": {"conditions": []}}
    live = {**live, "metadata": {**live["metadata"], **labels}}
    after = outcome(live, updating(vm("vm1", "10.0.0.1"), vm("vm1", "10.0.0.2"))) or {}
    assert after["spec"]["address"] == "10.0.0.2"
    assert after["metadata"]["labels"] == {"team": "x"}
    assert after["metadata"]["annotations"] == labels["annotations"]
    assert after["status"] == {"conditions": []}


def test_a_port_that_git_drops_goes_whole() -> None:
    """Beside a co-owner's label, the ports are what Git says."""
    http, grpc = ({"name": name, "number": number, "protocol": "HTTP"} for name, number in (("http", 80), ("grpc", 81)))
    before, wanted = entry(app="billing", ports=[http, grpc]), entry(app="billing", ports=[http | {"targetPort": 8080}])
    live = {**before, "metadata": {**before["metadata"], "labels": {"team": "x"}}}
    after = outcome(live, updating(before, wanted)) or {}
    assert after["spec"] == wanted["spec"]
    assert after["metadata"]["labels"] == {"team": "x"}


def test_a_status_survives_where_nobody_else_says_anything() -> None:
    """The quick way for objects that are all ours keeps it too."""
    live: Document = {**vm("vm1", "10.0.0.1"), "status": {"conditions": [1]}}
    after = outcome(live, updating(vm("vm1", "10.0.0.1"), vm("vm1", "10.0.0.1", weight=9))) or {}
    assert (after["status"], after["spec"]["weight"]) == ({"conditions": [1]}, 9)


def test_creates_deletes_and_hand_overs() -> None:
    """All of it, nothing, and what was there before."""
    key = Key.of(INLINE)
    assert outcome(None, creating(INLINE)) == INLINE
    assert outcome(INLINE, deleting(INLINE)) is None
    assert outcome(INLINE, Change(key, Action.HAND_OVER, INLINE, INLINE, managers=("helm",))) is INLINE
