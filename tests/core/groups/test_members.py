"""The members of groups as values: bounds, the template, and what is the same from one look to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.fleet.membership import member_key
from reconciler.core.fleet.values import Token
from reconciler.core.groups.autogroup import AutoGroup, Said
from reconciler.core.groups.joins import Gone, Join
from reconciler.core.groups.judging import Standing
from reconciler.core.groups.marks import origin_of
from reconciler.core.groups.members import Groups
from reconciler.core.health.states import states_of_page
from reconciler.core.kinds import OURS, VIRTUAL_MACHINE
from reconciler.core.resources import DesiredState, Key, LiveObject, Manifest, ObservedState
from reconciler.errors import Place
from tests.building import REVISION, document
from tests.joining import auto_group
from tests.vms.scene import page

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
texts = st.text("abcdefghijklmnopqrstuvwxyz0123456789./-", max_size=20)


def git(*documents: Any) -> DesiredState:
    """A commit of these documents."""
    manifests = {Key.of(one): Manifest(Key.of(one), one, Place("mesh.yaml", line)) for line, one in enumerate(documents, 1)}
    return DesiredState(REVISION, manifests)


def record(number: int, **said: Any) -> LiveObject:
    """The record of a member that joined, is well, and has nothing beside its join."""
    address = f"10.0.0.{number}"
    join = Join(**{"group": "web", "at": NOON, "epoch": 1, "address": address, "service_account": "web", **said})
    metadata = {"name": f"web-10-0-0-{number}", "namespace": "shop"}
    spec = {"group": join.group, "joined": join.document}
    status = {"health": "healthy", "address": address, "lastSeen": "2026-03-01T12:00:00.000Z"}
    parts = {"apiVersion": f"{OURS}/v1alpha1", "kind": VIRTUAL_MACHINE, "metadata": metadata, "spec": spec, "status": status}
    return LiveObject(Key.of(parts), parts, "uid", "1")


def observed(*records: LiveObject) -> ObservedState:
    """Both stores, with nothing in the cluster."""
    return ObservedState({}, {one.key: one for one in records}, served=True)


def test_a_group_takes_so_many_and_no_more() -> None:
    """Who was there first stays; the others are named."""
    found = Groups("test", timedelta(0), most=2).of(git(auto_group()), observed(*(record(n) for n in (1, 2, 3))), NOON)
    assert [one.standing for one in found.members] == [Standing.IN, Standing.IN, Standing.REFUSED]
    assert found.members[2].why == "its group has as many members as one may have"
    assert len([key for key in found.desired.manifests if key.kind == "WorkloadEntry"]) == 2


def test_what_says_the_same_is_the_very_same() -> None:
    """A pass goes by that; without a group and without a join it is Git's own value."""
    groups, commit, seen = Groups("test", timedelta(0)), git(auto_group()), observed(record(1))
    first = groups.of(commit, seen, NOON).desired
    assert groups.of(commit, observed(record(1)), NOON + timedelta(hours=1)).desired is first
    assert groups.of(commit, observed(record(1), record(2)), NOON).desired is not first
    plain = git(auto_group(networks=None))
    assert groups.of(plain, observed(), NOON).desired is plain


@given(st.builds(Said, st.just("2026-03-01T12:00:00Z"), st.just("10.0.0.7"), texts, texts))
def test_only_name_address_network_and_locality_come_from_a_join(said: Said) -> None:
    """Whatever a VM says; where the template grants network or locality, not even these."""
    group = AutoGroup.of(Manifest(Key("WorkloadGroup", "shop", "web"), auto_group(template={"network": "vpc"}), Place("a", 1)))
    assert group
    spec = group.entry("web-1", said).document["spec"]
    own = {name: spec.pop(name) for name in ("address", "network", "locality") if name in spec}
    assert own == {"address": "10.0.0.7", "network": "vpc", **({"locality": said.locality} if said.locality else {})}
    assert spec == {"serviceAccount": "web", "ports": {"http": 8080}}
    assert group.overruled(said) == ("network" if said.network not in ("", "vpc") else "")


def test_our_own_annotations_are_not_the_template_s_to_give() -> None:
    """Or a group could exempt its VMs from the registry, or pass them off as Git's."""
    ours = {f"{OURS}/registry": "none", f"{OURS}/joined": "", "example.org/team": "web"}
    spec = {"template": {}, "metadata": {"annotations": ours}}
    parts = document("WorkloadGroup", "web", annotations={f"{OURS}/autoRegister": "true"}, spec=spec)
    group = AutoGroup.of(Manifest(Key.of(parts), parts, Place("a", 1)))
    assert group
    annotations = group.entry("web-1", Said("2026-03-01T12:00:00Z", "10.0.0.7")).document["metadata"]["annotations"]
    assert annotations == {
        "example.org/team": "web",
        "proxy.istio.io/health-checks-enabled": "true",
        f"{OURS}/group": "web",
        f"{OURS}/joined": "2026-03-01T12:00:00Z",
    }


@given(
    st.builds(
        Join,
        st.just("web"),
        st.integers(0, 10**6).map(lambda seconds: NOON + timedelta(seconds=seconds)),
        st.integers(1, 10**6),
        st.ip_addresses().map(str),
        texts,
        texts,
        texts,
        st.none() | st.sampled_from(Gone),
        st.none() | st.just(NOON),
    )
)
def test_a_join_is_read_as_it_was_written(join: Join) -> None:
    """By the server into a record, by the reconciler out of it."""
    parts = {"spec": {"group": join.group, "joined": join.document}}
    assert Join.of(LiveObject(Key(VIRTUAL_MACHINE, "shop", "x"), parts)) == join


GOOD = {"at": "2026-03-01T12:00:00Z", "epoch": 1, "address": "10.0.0.1", "serviceAccount": "web"}


@pytest.mark.parametrize(
    "said", [[], "x", 1, {}, {**GOOD, "at": "today"}, {**GOOD, "address": "vm"}, {**GOOD, "epoch": []}, {**GOOD, "gone": "up"}]
)
def test_a_join_that_makes_no_sense_is_none(said: Any) -> None:
    """It is not concluded from, and nobody chokes on it."""
    made = record(1)
    odd = replace(made, document={**made.document, "spec": {"group": "web", "joined": said}})
    assert Join.of(odd) is None
    found = Groups("test", timedelta(0)).of(git(auto_group()), observed(odd), NOON)
    assert [one.standing for one in found.members] == [Standing.WAITING]
    assert not found.desired.machines
    assert origin_of(odd.document) is None or said


def test_nobody_but_our_own_server_verifies_a_join() -> None:
    """In a catalog that others write to, too, a record that tells of one tells nothing."""
    unserved = replace(observed(record(1)), served=False)
    commit = git(auto_group())
    assert Groups("test", timedelta(0)).of(commit, unserved, NOON).desired is commit


@given(st.ip_addresses())
def test_every_address_makes_a_name(address: Any) -> None:
    """One that the registry takes, and another one for each address."""
    token = Token("t", "d", "shop", "", NOON, NOON, group="web")
    name = member_key(token, str(address)).name
    back = name.removeprefix("web-")
    assert ip_address(back.replace("-", "." if address.version == 4 else ":")) == address


def test_the_account_of_a_member_is_told_with_its_group() -> None:
    """Istio's `default` is no other identity than none."""
    told = list(states_of_page({**page("web-10-0-0-1"), "serviceAccount": "default"}, record(1)))
    assert told == []
