"""The files of VMs in the form in which somebody takes them there: folders, cloud-init, Ansible, a table.

Each form is a tree of files, by path; all of them hold secrets, so that they are written by `private` alone.
"""

import base64
import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import yaml

from reconciler.vms.enrolling import ISTIO_TOKEN, JOIN_TOKEN, Bundle

#: Where files are put on a VM until `join.sh` has taken them: in memory, so that tokens are gone after a restart.
PLACE = "/run/reconciler-join"
_COLUMNS = ("namespace", "name", "address", "workload", "serviceAccount", "network", "locality", "joinToken", "istioToken")


class Form(StrEnum):
    """How the files of several VMs are laid out."""

    DIR = "dir"
    CSV = "csv"
    CLOUD_INIT = "cloud-init"
    ANSIBLE = "ansible"


def laid_out(form: Form, bundles: Sequence[Bundle]) -> Mapping[str, bytes]:
    """Return the files of a form, by relative path. Names of VMs must differ, as they do within a namespace."""
    match form:
        case Form.DIR:
            return {f"{one.vm.name}/{name}": content for one in bundles for name, content in one.files.items()}
        case Form.CSV:
            return {"vms.csv": _table(bundles)}
        case Form.CLOUD_INIT:
            return {f"{one.vm.name}.yaml": _cloud_config(one) for one in bundles}
        case Form.ANSIBLE:
            folders = {f"files/{path}": content for path, content in laid_out(Form.DIR, bundles).items()}
            return {"inventory.yaml": _inventory(bundles), "join.yaml": _PLAYBOOK, **folders}


def _table(bundles: Sequence[Bundle]) -> bytes:
    """Return the VMs with their tokens, for what makes its own files."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for one in bundles:
        vm, tokens = one.vm, [one.files.get(name, b"").decode() for name in (JOIN_TOKEN, ISTIO_TOKEN)]
        known = [vm.namespace, vm.name, vm.address, vm.workload, vm.service_account, vm.network, vm.locality]
        rows.writerow(map(_cell, [*known, *tokens]))
    return text.getvalue().encode()


def _cell(value: str) -> str:
    """Keep a spreadsheet from running what somebody wrote into a free text."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _cloud_config(bundle: Bundle) -> bytes:
    """Return user data: the files, packed, and the command that takes them."""
    files = [
        {
            "path": f"{PLACE}/{name}",
            "owner": "root:root",
            "permissions": "0600",
            "encoding": "gz+b64",
            "content": base64.b64encode(gzip.compress(content, mtime=0)).decode(),
        }
        for name, content in bundle.files.items()
    ]
    return b"#cloud-config\n" + _yaml({"write_files": files, "runcmd": [["sh", f"{PLACE}/join.sh"]]})


def _inventory(bundles: Sequence[Bundle]) -> bytes:
    hosts = {one.vm.name: {**_reached(one), "join_files": f"files/{one.vm.name}"} for one in bundles}
    return _yaml({"reconciler_vms": {"hosts": hosts}})


def _reached(bundle: Bundle) -> dict[str, str]:
    """Return how a VM is reached: of one whose address nobody knows yet, whoever uses the inventory says it."""
    return {"ansible_host": bundle.vm.address} if bundle.vm.address else {}


def _yaml(document: Any) -> bytes:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120).encode()


_PLAYBOOK = f"""\
# ansible-playbook -i inventory.yaml join.yaml
- hosts: reconciler_vms
  become: true
  tasks:
    - name: Copy what the VM needs to join
      ansible.builtin.copy:
        src: "{{{{ join_files }}}}/"
        dest: {PLACE}/
        owner: root
        mode: "0600"
        directory_mode: "0700"
      diff: false
      no_log: true
    - name: Join
      ansible.builtin.command: sh {PLACE}/join.sh
    - name: Leave no copy
      ansible.builtin.file:
        path: {PLACE}
        state: absent
""".encode()
