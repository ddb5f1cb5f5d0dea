"""The forms in which VMs' files are taken to them."""

import base64
import csv
import gzip
import io

import yaml

from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.vms.bundles import PLACE, Form, laid_out
from reconciler.vms.enrolling import Bundle

FILES = {"join.sh": b"#!/bin/sh\n", "join-token": b"mrj1_one", "istio-token": b"eyJ.two.three", "agent": b"\x00\xff"}
ONE = Bundle(EnrolledVM("shop", "billing-1", "billing", "10.0.0.5", "billing", network="vms", locality="=cmd()"), FILES)
TWO = Bundle(EnrolledVM("shop", "billing-2", "billing", "10.0.0.6", "billing"), {"join.sh": b""})


def test_folders() -> None:
    """One for each VM."""
    assert laid_out(Form.DIR, [ONE, TWO]) == {
        **{f"billing-1/{name}": content for name, content in FILES.items()},
        "billing-2/join.sh": b"",
    }


def test_a_table() -> None:
    """A row for each VM with its tokens; free text that a spreadsheet would run is text."""
    (text,) = laid_out(Form.CSV, [ONE, TWO]).values()
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert rows[0] == {
        "namespace": "shop",
        "name": "billing-1",
        "address": "10.0.0.5",
        "workload": "billing",
        "serviceAccount": "billing",
        "network": "vms",
        "locality": "'=cmd()",
        "joinToken": "mrj1_one",
        "istioToken": "eyJ.two.three",
    }
    assert [row["name"] for row in rows] == ["billing-1", "billing-2"]


def test_cloud_init() -> None:
    """User data that writes the very files, for root alone and in memory, and runs the script."""
    found = laid_out(Form.CLOUD_INIT, [ONE, TWO])
    assert found.keys() == {"billing-1.yaml", "billing-2.yaml"}
    text = found["billing-1.yaml"]
    assert text.startswith(b"#cloud-config\n")
    document = yaml.safe_load(text)
    assert document["runcmd"] == [["sh", f"{PLACE}/join.sh"]]
    assert {one["permissions"] for one in document["write_files"]} == {"0600"}
    written = {one["path"]: gzip.decompress(base64.b64decode(one["content"])) for one in document["write_files"]}
    assert written == {f"{PLACE}/{name}": content for name, content in FILES.items()}
    assert laid_out(Form.CLOUD_INIT, [ONE]) == laid_out(Form.CLOUD_INIT, [ONE])


def test_ansible_is_told_where_a_vm_is_by_whoever_knows() -> None:
    """Of a VM that is to join a group nobody knows the address."""
    vm = EnrolledVM("shop", "web-new-1", "web", "", "web", newcomer=True)
    inventory = yaml.safe_load(laid_out(Form.ANSIBLE, [Bundle(vm, {"join-token": b"x"})])["inventory.yaml"])
    assert inventory["reconciler_vms"]["hosts"] == {"web-new-1": {"join_files": "files/web-new-1"}}


def test_ansible() -> None:
    """An inventory that names each VM's folder, and a playbook that shows no token."""
    found = laid_out(Form.ANSIBLE, [ONE, TWO])
    hosts = yaml.safe_load(found["inventory.yaml"])["reconciler_vms"]["hosts"]
    assert hosts["billing-1"] == {"ansible_host": "10.0.0.5", "join_files": "files/billing-1"}
    assert found["files/billing-1/join-token"] == b"mrj1_one"
    (play,) = yaml.safe_load(found["join.yaml"])
    copy, run, remove = play["tasks"]
    assert copy["ansible.builtin.copy"]["src"] == "{{ join_files }}/"
    assert copy["no_log"] is True
    assert copy["diff"] is False
    assert run["ansible.builtin.command"] == f"sh {PLACE}/join.sh"
    assert remove["ansible.builtin.file"] == {"path": PLACE, "state": "absent"}
