"""The embedded cluster as what lets VMs in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from reconciler.adapters.memory_enrolment import MemoryEnrolment
from tests.contracts.enrolment import EnrolmentContract, EnrolmentWorld


@dataclass
class World:
    """A cluster in memory."""

    namespace: str = "shop"
    enrolment: MemoryEnrolment = field(default_factory=MemoryEnrolment)

    def add_config_map(self, name: str, data: Mapping[str, str]) -> None:
        self.enrolment.config_maps[self.namespace, name] = data

    def add_ingress(self, name: str, address: str) -> None:
        self.enrolment.ingresses[self.namespace, name] = address

    def add_account(self, name: str) -> None:
        self.enrolment.accounts.add((self.namespace, name))


@pytest.fixture
def world() -> EnrolmentWorld:
    """An empty cluster."""
    return World()


class TestMemoryEnrolment(EnrolmentContract):
    """The contract, in memory."""
