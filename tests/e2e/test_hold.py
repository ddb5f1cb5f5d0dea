"""A hold as somebody has it who works on a service by hand, on a real API server."""

from __future__ import annotations

import json

import pytest

from tests.e2e.manifests import billing
from tests.e2e.site import NETWORKING, Site


@pytest.mark.timeout(120)
@pytest.mark.parametrize("form", ["terminal", "json"])
def test_a_hold_ends_with_what_was_done_by_hand(site: Site, form: str) -> None:
    """Field by field, with who did it by the API server's managedFields; as JSON nothing else stands on standard output."""
    service = f"{site.namespace}/billing"
    site.repository.commit(billing(site.namespace))
    site.reconciler("apply", "--yes", code=0)
    site.reconciler("hold", service, "--for", "2h", code=0)
    name = {"namespace": site.namespace, "name": "billing-vm-2"}
    site.kube.patch(
        {"apiVersion": NETWORKING, "kind": "WorkloadEntry", "metadata": name}, {"spec": {"weight": 99}}, manager="kubectl-edit"
    )
    ended = site.reconciler("hold", service, "--end", "-o", form, code=0)
    last = f"{service} is held no more"
    if form == "json":
        (one,) = json.loads(ended.out)["differences"]
        (row,) = one["fields"]
        found = (one["name"], row["path"], row["cluster"], row["managers"])
        assert found == ("billing-vm-2", "spec.weight", 99, ["kubectl-edit"])
        assert last in ended.err
    else:
        shown = " ".join(ended.out.split())
        assert f"WorkloadEntry {site.namespace}/billing-vm-2" in shown, ended
        assert "spec.weight Git 10 last written 10 cluster 99" in shown, ended
        assert "kubectl-edit" in shown, ended
        assert shown.endswith(last), ended
    assert "was not held" in site.reconciler("hold", service, "--end", code=0).out
