"""The store in memory keeps the promises of the port."""

import pytest

from reconciler.adapters.memory_store import MemoryStore
from reconciler.ports import Store
from tests.contracts.rollouts import RolloutContract
from tests.contracts.store import StoreContract


class TestMemoryStore(StoreContract, RolloutContract):
    """The contracts over memory."""

    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()

    @pytest.fixture
    def small(self) -> Store:
        return MemoryStore(memories=3)
