"""What rolls out together."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.changes import Action, Change, ObjectDiff, State
from reconciler.core.resources import DesiredState, Document, Key, ObservedState
from reconciler.core.units import Cutter, Unit, by_key, cut
from tests.building import document, live, observed
from tests.core.meshes import commit, differences, entry, in_namespace, namespace, pod, record, route, rule, service, there, vm

HOST, LEDGER = "billing.internal", "ledger.internal"
BILLING = [entry(app="billing"), vm("vm1", "10.0.0.1"), vm("vm2", "10.0.0.2")]
LEDGERS = [entry("ledger", app="ledger"), vm("ledger1", "10.0.1.1", app="ledger")]


def units(git: DesiredState, seen: ObservedState | None = None) -> dict[str, Unit]:
    """The units by name."""
    found = there() if seen is None else seen
    return {one.name: one for one in cut(git, found, differences(git, found))}


def names(unit: Unit) -> list[str]:
    """What a unit holds."""
    return [f"{key.kind}/{key.name}" for key in unit.keys]


def test_a_service_and_its_vms_are_one_unit_named_after_its_service_entry() -> None:
    """Records go with their VMs; other services are units of their own."""
    found = units(commit(*BILLING, record(BILLING[1]), *LEDGERS))
    assert list(found) == ["shop/billing", "shop/ledger"]
    assert names(found["shop/billing"]) == [
        "VirtualMachine/vm1",
        "WorkloadEntry/vm1",
        "WorkloadEntry/vm2",
        "ServiceEntry/billing",
    ]
    assert found["shop/billing"].services == (("shop", HOST),)


def test_what_was_selected_before_belongs_as_much_as_what_will_be() -> None:
    """A selector that moves from one VM to another binds both; so does a VM that moves between two services."""
    seen = there(entry(app="old"), vm("vm1", "10.0.0.1", app="old"), vm("vm2", "10.0.0.2", app="new"))
    moved = commit(entry(app="new"), vm("vm1", "10.0.0.1", app="old"), vm("vm2", "10.0.0.2", app="new"))
    assert names(units(moved, seen)["shop/billing"]) == ["WorkloadEntry/vm1", "WorkloadEntry/vm2", "ServiceEntry/billing"]
    mesh = [*BILLING, *LEDGERS]
    relabelled = commit(*BILLING[:2], vm("vm2", "10.0.0.2", app="ledger"), *LEDGERS)
    assert list(units(relabelled, there(*mesh))) == ["shop/billing"]


def test_one_host_in_one_namespace_is_one_unit() -> None:
    """In another namespace it is another service."""
    twin = entry("twin", endpoints=["10.0.0.9"], hosts=[HOST])
    assert list(units(commit(*BILLING, twin, in_namespace(twin, "pay")))) == ["pay/twin", "shop/billing"]


def test_a_kubernetes_service_binds_what_it_selects() -> None:
    """Two VMs behind one Service are one unit, also without a ServiceEntry, or with one that has the Service's host."""
    vms = [vm("vm1", "10.0.0.1"), vm("vm2", "10.0.0.2")]
    seen = there(services=[service()])
    assert [names(one) for one in units(commit(*vms), seen).values()] == [["WorkloadEntry/vm1", "WorkloadEntry/vm2"]]
    same = entry("web", endpoints=["10.0.0.9"], hosts=["web.shop.svc.cluster.local"])
    assert list(units(commit(*vms, same), seen)) == ["shop/web"]
    assert len(units(commit(*vms))) == 2


def test_an_object_of_others_binds_and_is_not_ours() -> None:
    """A live ServiceEntry that Git does not know makes one unit of the VMs that it picks."""
    git = commit(vm("vm1", "10.0.0.1"), vm("vm2", "10.0.0.2"))
    (found,) = units(git, there(entry(app="billing"))).values()
    assert names(found) == ["WorkloadEntry/vm1", "WorkloadEntry/vm2", "ServiceEntry/billing"]  # ours by its mark: it goes
    seen = there(entry(app="billing"))
    foreign = dict(seen.objects)
    assert [one.name for one in cut(git, ObservedState(foreign), ())] == ["shop/billing"]
    (found,) = cut(git, ObservedState(foreign), ())
    assert found.context == (Key("ServiceEntry", "shop", "billing"),)


def test_rules_and_routes_belong_where_all_their_hosts_do() -> None:
    """A route over two services is a unit of its own between them; what others know of it, they know as context."""
    alone = route(to=[(HOST, "v1", 100)])
    both = route("split", to=[(HOST, "", 50), (LEDGER, "", 50)], hosts=["front.internal"])
    found = units(commit(*BILLING, *LEDGERS, rule(subsets={"v1": {}}), alone, both))
    assert names(found["shop/billing"])[-2:] == ["DestinationRule/billing", "VirtualService/billing"]
    assert found["VirtualService shop/split"].touches == ("shop/billing", "shop/ledger")
    assert Key("VirtualService", "shop", "split") in found["shop/ledger"].context


def test_a_route_to_a_host_that_is_no_unit_stays_with_the_others() -> None:
    """A plain Kubernetes Service, or a gateway's own host, says nothing about where the route belongs."""
    one = route(to=[(HOST, "", 50), ("web.shop.svc.cluster.local", "", 50)], hosts=["www.example.com", "*"])
    assert "VirtualService/billing" in names(units(commit(*BILLING, one))["shop/billing"])


def test_rules_and_routes_for_a_host_that_nobody_serves_here_belong_together() -> None:
    """They are named after the rule; a rule for a pattern reaches every service below it."""
    loose = [rule("r", "gone.example.com", {"v1": {}}), route("v", to=[("gone.example.com", "v1", 100)])]
    assert [names(one) for one in units(commit(*loose)).values()] == [["DestinationRule/r", "VirtualService/v"]]
    wide = units(commit(*BILLING, *LEDGERS, rule("wide", "*.internal")))
    assert wide["DestinationRule shop/wide"].touches == ("shop/billing", "shop/ledger")


def test_policies_belong_to_the_one_unit_whose_workloads_they_hit() -> None:
    """By VMs, by Pods, or by name; those for two units or for all are the base's."""

    def policy(name: str, **spec: object) -> Document:
        return document("AuthorizationPolicy", name, spec=spec)

    by_label = policy("vms", selector={"matchLabels": {"app": "billing"}})
    by_pod = policy("pods", selector={"matchLabels": {"tier": "web"}})
    by_name = policy("named", targetRefs=[{"kind": "ServiceEntry", "group": "networking.istio.io", "name": "ledger"}])
    for_all, for_both = policy("all"), policy("both", selector={"matchLabels": {"platform": "vm"}})
    mesh = [BILLING[0], vm("vm1", "10.0.0.1", labels={"platform": "vm"}), *LEDGERS[:1]]
    mesh.append(vm("ledger1", "10.0.1.1", app="ledger", labels={"platform": "vm"}))
    seen = there(pods=[pod("p1", labels={"tier": "web"})])
    found = units(commit(*mesh, by_label, by_pod, by_name, for_all, for_both), seen)
    homes = {key.name: name for name, one in found.items() for key in one.keys if key.kind == "AuthorizationPolicy"}
    assert homes == {
        "vms": "shop/billing",
        "pods": "shop/billing",
        "named": "shop/ledger",
        "all": "base shop",
        "both": "base shop",
    }


def test_accounts_belong_to_the_one_unit_that_uses_them() -> None:
    """Shared and unused ones, and Namespaces, are the base of their namespace."""
    accounts = [document("ServiceAccount", name) for name in ("own", "shared", "unused")]
    mesh = [entry(app="billing"), vm("vm1", "10.0.0.1", serviceAccount="own"), vm("vm2", "10.0.0.2", serviceAccount="shared")]
    mesh += [entry("ledger", endpoints=[{"address": "10.0.0.9", "serviceAccount": "shared"}])]
    found = units(commit(namespace(), *accounts, *mesh))
    assert list(found) == ["base shop", "shop/billing", "shop/ledger"]
    assert names(found["base shop"]) == ["Namespace/shop", "ServiceAccount/shared", "ServiceAccount/unused"]
    assert found["base shop"].base


def test_a_group_belongs_to_whoever_would_pick_its_vms() -> None:
    """By its template's labels, or by the entries that it owns."""
    group = document("WorkloadGroup", "vms", spec={"metadata": {"labels": {"app": "billing"}}, "template": {}})
    assert "WorkloadGroup/vms" in names(units(commit(*BILLING, group))["shop/billing"])
    owned = vm("auto1", "10.0.0.7")
    owned["metadata"]["annotations"] = {"istio.io/autoRegistrationGroup": "other"}
    other = document("WorkloadGroup", "other", spec={"template": {}})
    assert "WorkloadGroup/other" in names(units(commit(BILLING[0], other), observed(live(owned)))["shop/billing"])


def test_what_no_service_binds_is_named_by_its_kind() -> None:
    """A VM that nobody selects is alone with its record."""
    lone = vm("spare", "10.0.0.9", app="nobody")
    found = units(commit(lone, record(lone)))
    assert {name: names(one) for name, one in found.items()} == {
        "WorkloadEntry shop/spare": ["VirtualMachine/spare", "WorkloadEntry/spare"]
    }


def test_all_rollout_policies_of_a_component_are_known() -> None:
    """Also when they name different ServiceEntries of it."""
    twin = entry("twin", endpoints=["10.0.0.9"], hosts=[HOST])
    policies = [
        {
            "apiVersion": "mesh-reconciler.io/v1alpha1",
            "kind": "RolloutPolicy",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"serviceEntry": name},
        }
        for name in ("twin", "billing")
    ]
    found = units(commit(*BILLING, twin, policies=policies))
    assert [key.name for key in found["shop/billing"].policies] == ["billing", "twin"]


def test_names_do_not_depend_on_the_order_of_git_or_on_other_units() -> None:
    """Turned round, and with a unit more, everything is called the same."""
    git = [*BILLING, *LEDGERS, vm("spare", "10.0.0.9", app="nobody"), namespace()]
    forth, back = units(commit(*git)), units(commit(*reversed(git), entry("aaa", endpoints=["10.0.5.5"])))
    assert forth == {name: one for name, one in back.items() if name != "shop/aaa"}


def test_every_object_of_ours_is_in_exactly_one_unit() -> None:
    """`by_key` finds it there."""
    git = commit(*BILLING, *LEDGERS, namespace(), rule(), route(to=[(HOST, "", 1), (LEDGER, "", 1)]))
    found = cut(git, there(), differences(git, there()))
    keys = [key for one in found for key in one.keys]
    assert sorted(keys) == sorted(git.manifests)
    assert set(by_key(found)) == set(keys)


def test_a_cut_is_remembered_for_as_long_as_nothing_of_it_changes() -> None:
    """Another commit, other stores, something else that differs or is to come: each is cut anew, and as `cut` does."""
    cutter = Cutter()
    git, wider = commit(*BILLING), commit(*BILLING, *LEDGERS)
    empty, seen = there(), there(*BILLING)
    extra = ObjectDiff(Key("WorkloadEntry", "shop", "vm9"), State.CREATE, changes=(_creation("10.0.0.9"),))
    moved = replace(extra, changes=(_creation("10.0.0.9", app="ledger"),))
    for asked in ((git, empty, ()), (wider, empty, ()), (wider, seen, ()), (wider, seen, (extra,)), (wider, seen, (moved,))):
        found = cutter.cut(*asked)
        assert found == cut(*asked)
        assert cutter.cut(*asked) is found


def _creation(address: str, app: str = "billing") -> Change:
    after = vm("vm9", address, app=app)
    return Change(Key.of(after), Action.CREATE, before=None, after=after)
