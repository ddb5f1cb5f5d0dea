"""What `ports.Witness` promises of Consul's checks, over the twin in memory and over a real Consul."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

import pytest

from reconciler.core.health.sources import Source
from reconciler.core.health.witnesses import Patient
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Key
from reconciler.ports import Witness
from tests.waiting import SOON, becomes

#: Lets a check at an address have a status: `check(address, name, status, service="")`.
SetCheck = Callable[..., None]


def vm(address: str, service: str = "") -> Patient:
    """A VM at an address."""
    return Patient(Key(VIRTUAL_MACHINE, "shop", "vm-1"), address, Source.CONSUL, None, service)


def said(witness: Witness, patient: Patient) -> tuple[str, str]:
    """Health and reason of a VM, empty where nothing is known."""
    found = witness.testify([patient]).get(patient.key)
    return (found.health.value, found.reason) if found else ("", "")


class ChecksContract:
    """Wants the fixtures `witness` and `check`."""

    @pytest.fixture
    def address(self) -> str:
        """An address that no other test has."""
        return f"fd00:1::{secrets.randbelow(60_000) + 1:x}"

    def test_the_worst_check_counts_and_a_warning_is_no_illness(self, witness: Witness, check: SetCheck, address: str) -> None:
        """Of an address without checks nothing is known; the reason names the check."""
        patient = vm(address)
        assert said(witness, patient) == ("", "")
        assert witness.testify([]) == {}
        check(address, "serfHealth", "passing")
        assert said(witness, patient) == ("healthy", "Consul's checks pass")
        check(address, "disk", "critical")
        health, reason = said(witness, patient)
        assert (health, "Consul's check disk" in reason) == ("unhealthy", True)
        check(address, "disk", "warning")
        assert said(witness, patient)[0] == "healthy"

    def test_a_service_counts_with_its_node_and_without_its_neighbours(
        self, witness: Witness, check: SetCheck, address: str
    ) -> None:
        """Where a VM runs several; of a service without a check nothing is known, whatever the node is like."""
        billing = vm(address, "billing")
        check(address, "serfHealth", "passing")
        assert said(witness, billing) == ("", "")
        check(address, "web", "passing", "billing")
        check(address, "cron", "critical", "reports")
        assert (said(witness, billing)[0], said(witness, vm(address))[0]) == ("healthy", "unhealthy")
        check(address, "serfHealth", "critical")
        assert said(witness, billing)[0] == "unhealthy"

    def test_a_subscriber_hears_of_a_change(self, witness: Witness, check: SetCheck, address: str) -> None:
        """What it asks then is answered as things are now."""
        told = threading.Event()
        witness.subscribe(told.set)
        assert said(witness, vm(address)) == ("", "")
        check(address, "serfHealth", "passing")
        assert told.wait(SOON)
        assert becomes(lambda: said(witness, vm(address))[0] == "healthy")
        told.clear()
        check(address, "serfHealth", "critical")
        assert told.wait(SOON)
        assert becomes(lambda: said(witness, vm(address))[0] == "unhealthy")
