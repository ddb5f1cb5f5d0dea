"""The checks in memory keep the promises of Consul's."""

import pytest

from reconciler.adapters.memory_witness import MemoryChecks
from tests.contracts.witness import ChecksContract, SetCheck


class TestMemoryChecks(ChecksContract):
    """The contract over the twin."""

    @pytest.fixture
    def witness(self) -> MemoryChecks:
        """The checks."""
        return MemoryChecks()

    @pytest.fixture
    def check(self, witness: MemoryChecks) -> SetCheck:
        """An agent that checks."""
        return witness.check
