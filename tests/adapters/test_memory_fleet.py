"""The store of a fleet in memory keeps the promises of the port."""

import pytest

from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.ports import FleetStore
from tests.contracts.fleet import FleetContract


class TestMemoryFleet(FleetContract):
    """The contract over memory."""

    @pytest.fixture
    def fleet(self) -> FleetStore:
        return MemoryFleet()
