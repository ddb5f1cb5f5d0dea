"""The registry in memory keeps the promises of the port."""

import pytest
from hypothesis import settings

from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.ports import VMRegistry
from tests.contracts.clock import SetClock
from tests.contracts.registry import ServedContract
from tests.contracts.registry_model import RegistryModel


class TestMemoryRegistry(ServedContract):
    """The contract over memory."""

    @pytest.fixture
    def registry(self, clock: SetClock) -> VMRegistry:
        return MemoryRegistry(clock)


class Model(RegistryModel):
    """The model beside one registry in memory, which all connections share."""

    def connect(self) -> VMRegistry:
        if not hasattr(self, "shared"):
            self.shared = MemoryRegistry(SetClock())
        return self.shared


TestMemoryModel = Model.TestCase
TestMemoryModel.settings = settings(deadline=None, max_examples=40, stateful_step_count=30)
