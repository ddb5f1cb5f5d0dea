"""What every cluster that lets VMs in promises."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

import pytest

from reconciler.errors import Rejected
from reconciler.ports import Enrolment

HOUR = timedelta(hours=1)


class EnrolmentWorld(Protocol):
    """A cluster with a namespace, and the hands of whoever fills it."""

    namespace: str

    @property
    def enrolment(self) -> Enrolment:
        """What is under test."""
        ...

    def add_config_map(self, name: str, data: Mapping[str, str]) -> None:
        """Put a ConfigMap there."""

    def add_ingress(self, name: str, address: str) -> None:
        """Put a Service there that is reached at an address."""

    def add_account(self, name: str) -> None:
        """Put a service account there."""


class EnrolmentContract:
    """Derive from it and give a fixture `world`."""

    def test_config_maps(self, world: EnrolmentWorld) -> None:
        """Their data as it is; one that is not there is said to be so."""
        world.add_config_map("istio", {"mesh": "trustDomain: here\n", "other": ""})
        assert world.enrolment.config_map(world.namespace, "istio") == {"mesh": "trustDomain: here\n", "other": ""}
        with pytest.raises(Rejected, match="istio-canary") as caught:
            world.enrolment.config_map(world.namespace, "istio-canary")
        assert caught.value.status == 404

    def test_the_address_of_a_gateway(self, world: EnrolmentWorld) -> None:
        """Empty where the gateway is not there: not every mesh has one."""
        world.add_ingress("istio-eastwestgateway", "192.0.2.7")
        assert world.enrolment.ingress(world.namespace, "istio-eastwestgateway") == "192.0.2.7"
        assert world.enrolment.ingress(world.namespace, "other") == ""

    def test_tokens(self, world: EnrolmentWorld) -> None:
        """A new one each time, for an account that is there, for ten minutes at least."""
        world.add_account("billing")
        first, second = (world.enrolment.token(world.namespace, "billing", HOUR) for _ in range(2))
        assert first
        assert first != second
        with pytest.raises(Rejected, match="ledger") as caught:
            world.enrolment.token(world.namespace, "ledger", HOUR)
        assert caught.value.status == 404
        with pytest.raises(Rejected, match="10 minutes"):
            world.enrolment.token(world.namespace, "billing", timedelta(minutes=9))
