"""What lets VMs in, on a real API server."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesSettings
from reconciler.adapters.enrolment_kubernetes import KubernetesEnrolment
from tests.contracts.enrolment import HOUR, EnrolmentContract
from tests.real.apiserver import ApiServer
from tests.real.kube import Kube


@dataclass
class World:
    """A namespace of the API server."""

    namespace: str
    kube: Kube
    enrolment: KubernetesEnrolment

    def add(self, kind: str, name: str, **content: Any) -> None:
        """Create an object of the core group."""
        metadata = {"namespace": self.namespace, "name": name}
        self.kube.create({"apiVersion": "v1", "kind": kind, "metadata": metadata, **content})

    def add_config_map(self, name: str, data: Mapping[str, str]) -> None:
        self.add("ConfigMap", name, data=dict(data))

    def add_ingress(self, name: str, address: str) -> None:
        self.add("Service", name, spec={"ports": [{"port": 15012}], "externalIPs": [address]})

    def add_account(self, name: str) -> None:
        self.add("ServiceAccount", name)

    def balance(self, name: str, ingress: list[dict[str, str]]) -> None:
        """Say where a load balancer in front of a Service is, as its controller does."""
        path = f"/api/v1/namespaces/{self.namespace}/services/{name}/status"
        self.kube.request("PATCH", path, {"status": {"loadBalancer": {"ingress": ingress}}}, "application/merge-patch+json")


@pytest.fixture
def world(api_server: ApiServer, namespace: str) -> Iterator[World]:
    """A namespace for this test alone."""
    enrolment = KubernetesEnrolment(KubernetesApi(KubernetesSettings(api_server.kubeconfig)))
    yield World(namespace, api_server.kube, enrolment)
    enrolment.close()


class TestKubernetesEnrolment(EnrolmentContract):
    """The contract, on kube-apiserver."""


def test_a_token_is_good_for_istios_ca_alone(world: World) -> None:
    """Audience, account and lifetime stand in it; the API server itself does not accept it."""
    world.add_account("billing")
    token = world.enrolment.token(world.namespace, "billing", HOUR)
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims["aud"] == ["istio-ca"]
    assert claims["sub"] == f"system:serviceaccount:{world.namespace}:billing"
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == HOUR


def test_a_load_balancer_comes_first(world: World) -> None:
    """Its address, not the external one beside it; where it has a name only, nothing is guessed."""
    world.add("Service", "gateway", spec={"type": "LoadBalancer", "ports": [{"port": 15012}], "externalIPs": ["192.0.2.7"]})
    world.balance("gateway", [{"ip": "192.0.2.8"}])
    assert world.enrolment.ingress(world.namespace, "gateway") == "192.0.2.8"
    world.balance("gateway", [{"hostname": "gateway.example.org"}])
    assert world.enrolment.ingress(world.namespace, "gateway") == ""
