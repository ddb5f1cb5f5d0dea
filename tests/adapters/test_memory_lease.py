"""The lease in memory keeps the promises of the real one."""

import pytest

from reconciler.adapters.memory_lease import Leases, MemoryLease
from tests.contracts.lease import LeaseContract, Views


class TestMemoryLease(LeaseContract):
    """The contract, in memory."""

    @pytest.fixture
    def view(self) -> Views:
        leases = Leases()
        return lambda clock: MemoryLease(leases, "shop", clock.monotonic)
