"""Connections that `units` does not show by itself."""

from reconciler.core.links import Links, policy_targets
from reconciler.core.resources import Document, Key
from tests.building import document
from tests.core.meshes import entry, route, there, vm


def links(*documents: Document) -> Links:
    """The links between documents, nothing else being there."""
    return Links({Key.of(one): (one,) for one in documents}, there())


def test_an_object_that_nothing_binds_has_no_home() -> None:
    """A Namespace, a Gateway, an unused account, a policy for all."""
    kinds = [document("Namespace", "shop", ""), document("Gateway", "g"), document("ServiceAccount", "a")]
    kinds.append(document("PeerAuthentication", "p", spec={}))
    found = links(*kinds)
    assert [found.homes(Key.of(one)) for one in kinds] == [set(), set(), set(), set()]


def test_a_route_sees_its_own_namespaces_service_first() -> None:
    """The same host elsewhere is another service, which the route does not touch."""
    here, elsewhere = entry(endpoints=["10.0.0.1"]), entry(endpoints=["10.0.0.2"], namespace="pay")
    leading = route(to=[("billing.internal", "", 100)])
    found = links(here, elsewhere, leading)
    assert found.homes(Key.of(leading)) == found.homes(Key.of(here))
    from_afar = route(to=[("billing.internal", "", 100)], namespace="other")
    found = links(here, elsewhere, from_afar)
    assert found.homes(Key.of(from_afar)) == found.homes(Key.of(here)) | found.homes(Key.of(elsewhere))


def test_records_are_at_home_with_their_workloads() -> None:
    """By name."""
    one = vm("vm1", "10.0.0.1")
    found = links(entry(app="billing"), one)
    assert found.homes(Key("VirtualMachine", "shop", "vm1")) == found.homes(Key.of(one)) == found.homes(Key.of(entry()))


def test_targets_of_policies_come_in_two_spellings() -> None:
    """One or several."""
    one, many = {"name": "a"}, [{"name": "b"}, {"name": "c"}]
    assert policy_targets(document("AuthorizationPolicy", "p", spec={"targetRef": one})) == [one]
    assert policy_targets(document("AuthorizationPolicy", "p", spec={"targetRefs": many})) == many
    assert policy_targets(document("AuthorizationPolicy", "p")) == []
