"""Bringing VMs in, over the embedded cluster and registry."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import yaml

from reconciler.adapters.memory_cluster import MemoryCluster
from reconciler.adapters.memory_enrolment import MemoryEnrolment
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.core.kinds import OURS, VIRTUAL_MACHINE
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.errors import InvalidInput, Rejected
from reconciler.vms.agent_file import agent_file
from reconciler.vms.enrolling import Bundle, Enroller, Order, find_group, find_vm, newcomers, vm_key
from tests.contracts.clock import SetClock

ORDER = Order("https://registry.example.org:8443", ca=b"-----BEGIN CERTIFICATE-----\n")
ISTIOS = {"cluster.env", "mesh.yaml", "root-cert.pem", "istio-token", "hosts"}
OURS_TOO = {"agent.json", "registry-ca.pem", "reconciler-agent.pyz", "reconciler-agent.service", "join.sh", "join-token"}


@dataclass
class Site:
    """An embedded mesh with a group of two VMs and one VM without a group."""

    clock: SetClock = field(default_factory=SetClock)
    enrolment: MemoryEnrolment = field(default_factory=MemoryEnrolment)

    def __post_init__(self) -> None:
        self.registry = MemoryRegistry(self.clock)
        self.cluster = MemoryCluster(self.clock, FIELD_MANAGER)
        self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        self.add_group(template={"serviceAccount": "billing"}, probe={"tcpSocket": {"port": 8080}})
        self.add_vm("billing-2", address="10.0.0.6", group="billing")
        self.add_vm("billing-1", address="10.0.0.5", group="billing")
        self.add_vm("alone", address="10.0.0.7", serviceAccount="billing")
        self.enrolment.config_maps |= {
            ("istio-system", "istio"): {"mesh": "trustDomain: td"},
            ("istio-system", "istio-sidecar-injector"): {"values": '{"global": {"multiCluster": {"clusterName": "east"}}}'},
            ("shop", "istio-ca-root-cert"): {"root-cert.pem": "ROOT\n"},
        }
        self.enrolment.ingresses["istio-system", "istio-eastwestgateway"] = "192.0.2.7"
        self.enrolment.accounts.add(("shop", "billing"))

    def add_group(self, **spec: Any) -> None:
        """Put the WorkloadGroup into the cluster."""
        metadata = {"name": "billing", "namespace": "shop"}
        self.cluster.apply(
            {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadGroup", "metadata": metadata, "spec": spec}
        )

    def add_vm(self, name: str, **spec: str) -> None:
        """Put a record into the registry."""
        metadata = {"name": name, "namespace": "shop"}
        self.registry.put({"apiVersion": f"{OURS}/v1alpha1", "kind": VIRTUAL_MACHINE, "metadata": metadata, "spec": spec})

    def bundle(
        self, name: str = "billing-1", order: Order = ORDER, token: Callable[[EnrolledVM], str] = lambda vm: f"join-{vm.name}"
    ) -> Bundle:
        """Put the bundle of a VM together."""
        return Enroller(self.enrolment, order, token).bundle(find_vm(vm_key("shop", name), self.registry, self.cluster))


@pytest.fixture
def site() -> Site:
    """A mesh with VMs to bring in."""
    return Site()


def test_an_agent_is_told_where_its_certificate_is(site: Site) -> None:
    """Where the registry's server asks for one; half of it is refused."""
    own = ("/etc/vm/vm.pem", "/etc/vm/vm.key")
    files = site.bundle(order=replace(ORDER, certificate=own)).files
    assert (config := json.loads(files["agent.json"]))["certFile"] == own[0]
    assert config["keyFile"] == own[1]
    with pytest.raises(InvalidInput, match="one needs the other"):
        site.bundle(order=replace(ORDER, certificate=("/etc/vm/vm.pem", "")))


def test_the_files_of_a_vm(site: Site) -> None:
    """Istio's five and ours; the tokens are those of this VM."""
    files = site.bundle().files
    assert files.keys() == ISTIOS | OURS_TOO
    assert files["istio-token"] == b"token-1.shop.billing"
    assert files["join-token"] == b"join-billing-1"
    assert files["root-cert.pem"] == b"ROOT\n"
    assert files["hosts"] == b"192.0.2.7 istiod.istio-system.svc\n"
    assert b"ISTIO_META_CLUSTER_ID='east'\n" in files["cluster.env"]
    mesh = yaml.safe_load(files["mesh.yaml"])["defaultConfig"]
    assert (mesh["proxyMetadata"]["TRUST_DOMAIN"], mesh["readinessProbe"]) == ("td", {"tcpSocket": {"port": 8080}})
    assert json.loads(files["agent.json"]) == {"server": ORDER.server, "caFile": "/etc/reconciler-agent/registry-ca.pem"}
    assert files["registry-ca.pem"] == ORDER.ca
    assert files["reconciler-agent.pyz"] == agent_file()


def test_what_may_be_left_out(site: Site) -> None:
    """No authorities, no join token."""
    files = site.bundle(order=replace(ORDER, ca=b""), token=lambda _: "").files
    assert files.keys() == ISTIOS | OURS_TOO - {"registry-ca.pem", "join-token"}
    assert json.loads(files["agent.json"]) == {"server": ORDER.server}


def test_a_vm_without_a_group(site: Site) -> None:
    """It comes in under its own name."""
    assert b"ISTIO_SERVICE='alone.shop'\n" in site.bundle("alone").files["cluster.env"]


def test_commands_are_allowed_where_the_probe_is_one(site: Site) -> None:
    """And nowhere else."""
    site.add_group(template={"serviceAccount": "billing"}, probe={"exec": {"command": ["true"]}})
    assert json.loads(site.bundle().files["agent.json"])["allowExec"] is True


def test_a_group(site: Site) -> None:
    """All its VMs in name order, and no other."""
    found = find_group("shop", "billing", site.registry, site.cluster)
    assert [(vm.name, vm.workload) for vm in found] == [("billing-1", "billing"), ("billing-2", "billing")]
    with pytest.raises(InvalidInput, match="no record of a VM in the group shop/ledger"):
        find_group("shop", "ledger", site.registry, site.cluster)


def test_new_vms_of_a_group_that_lets_them_join(site: Site) -> None:
    """So many bundles that differ in their tokens alone: to the group, whose networks are known."""
    metadata = {"name": "web", "namespace": "shop", "annotations": {f"{OURS}/autoRegister": "10.0.0.0/24"}}
    spec = {"metadata": {"labels": {"app": "web"}}, "template": {"serviceAccount": "billing", "ports": {"http": 8080}}}
    group = {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadGroup", "metadata": metadata, "spec": spec}
    site.cluster.apply(group)
    vms = newcomers("shop", "web", 2, site.cluster)
    assert {one.networks for one in vms} == {("10.0.0.0/24",)}
    assert [(one.name, one.address, str(one.joins_as)) for one in vms] == [
        ("web-new-1", "", "WorkloadGroup shop/web"),
        ("web-new-2", "", "WorkloadGroup shop/web"),
    ]
    files = Enroller(site.enrolment, ORDER, lambda vm: f"join-{vm.name}").bundle(vms[1]).files
    assert files["join-token"] == b"join-web-new-2"
    assert b"ISTIO_META_WORKLOAD_NAME='web'\n" in files["cluster.env"]
    assert b"AUTO_REGISTER" not in files["cluster.env"]
    with pytest.raises(InvalidInput, match="lets no new VM join"):
        newcomers("shop", "billing", 1, site.cluster)
    with pytest.raises(InvalidInput, match="shop/none is not in the cluster"):
        newcomers("shop", "none", 1, site.cluster)


def test_a_revision_has_its_own_objects(site: Site) -> None:
    """ConfigMaps, hosts and CA go by its name."""
    site.enrolment.config_maps["istio-system", "istio-canary"] = {"mesh": "trustDomain: other"}
    files = site.bundle(order=replace(ORDER, revision="canary", cluster="west", ingress="192.0.2.9")).files
    assert files["hosts"] == b"192.0.2.9 istiod-canary.istio-system.svc\n"
    assert {b"TRUST_DOMAIN='other'", b"ISTIO_META_CLUSTER_ID='west'"} <= set(files["cluster.env"].splitlines())


def test_what_all_vms_share_is_fetched_once(site: Site) -> None:
    """Later VMs of a call see the mesh that the first one saw; tokens are new for each."""
    enroller = Enroller(site.enrolment, ORDER, lambda _: "")
    first, second = find_group("shop", "billing", site.registry, site.cluster)
    one = enroller.bundle(first).files
    site.enrolment.config_maps.clear()
    two = enroller.bundle(second).files
    assert one["mesh.yaml"] == two["mesh.yaml"]
    assert one["istio-token"] != two["istio-token"]
    assert not enroller.unreachable


def test_nobody_knows_where_istiod_is(site: Site) -> None:
    """Then `hosts` is empty, as istioctl leaves it, and the caller can say so."""
    site.enrolment.ingresses.clear()
    enroller = Enroller(site.enrolment, ORDER, lambda _: "")
    vm = find_vm(vm_key("shop", "alone"), site.registry, site.cluster)
    assert enroller.bundle(vm).files["hosts"] == b""
    assert enroller.unreachable


def test_vms_that_nobody_knows(site: Site) -> None:
    """Git comes first: what has no record has no identity to join with."""
    with pytest.raises(InvalidInput, match=r"no record of the VM shop/nobody.*apply"):
        site.bundle("nobody")
    site.add_vm("ledger-1", address="10.0.0.8", group="ledger")
    with pytest.raises(InvalidInput, match="WorkloadGroup shop/ledger is not in the cluster"):
        site.bundle("ledger-1")


@pytest.mark.parametrize(
    "missing", [("istio-system", "istio"), ("istio-system", "istio-sidecar-injector"), ("shop", "istio-ca-root-cert")]
)
def test_a_cluster_without_istio(site: Site, missing: tuple[str, str]) -> None:
    """What is missing is named, and no token is made for nothing."""
    del site.enrolment.config_maps[missing]
    issued: list[EnrolledVM] = []

    def issue(vm: EnrolledVM) -> str:
        issued.append(vm)
        return "token"

    with pytest.raises(InvalidInput, match=f"ConfigMap {missing[0]}/{missing[1]}"):
        site.bundle(token=issue)
    assert issued == []


def test_an_account_that_is_not_there(site: Site) -> None:
    """The API server says so; the VM's tokens are made for nobody else."""
    site.enrolment.accounts.clear()
    with pytest.raises(Rejected, match="serviceaccounts"):
        site.bundle()
    with pytest.raises(Rejected, match="10 minutes"):
        Site().bundle(order=replace(ORDER, lifetime=timedelta(minutes=1)))


def test_a_url_that_agents_would_refuse(site: Site) -> None:
    """It is refused here, where a person can still correct it."""
    with pytest.raises(InvalidInput, match="must be https"):
        site.bundle(order=replace(ORDER, server="http://registry.example.org"))
