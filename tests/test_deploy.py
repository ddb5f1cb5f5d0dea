"""What `deploy/` sets up for the VM registry fits together, and fits the settings."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.settings import Settings
from reconciler.wiring import command_of

FOLDER = Path(__file__).parents[1] / "deploy" / "kubernetes-registry"


@pytest.fixture(scope="module")
def rendered() -> dict[str, dict[str, Any]]:
    """All objects, by kind; the ones that there is only one of."""
    kubectl = command_of("kubectl")
    assert kubectl is not None
    done = subprocess.run([kubectl, "kustomize", FOLDER], capture_output=True, text=True, check=True, timeout=30)
    return {one["kind"]: one for one in yaml.safe_load_all(done.stdout)}


def test_agents_reach_the_port_that_the_server_listens_at(rendered: dict[str, dict[str, Any]]) -> None:
    """Service, network policy, probes and settings name one port; the rest of the network policy stands."""
    (container,) = rendered["Deployment"]["spec"]["template"]["spec"]["containers"]
    listen = next(one["value"] for one in container["env"] if one["name"].endswith("LISTEN"))
    port = int(listen.rpartition(":")[2])
    policy = rendered["NetworkPolicy"]["spec"]
    assert [one["targetPort"] for one in rendered["Service"]["spec"]["ports"]] == [port]
    assert [one["port"] for rule in policy["ingress"] for one in rule["ports"]] == [port]
    assert {container[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")} == {port}
    assert policy["egress"]
    assert (
        rendered["Service"]["spec"]["selector"].items()
        <= rendered["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    )


def test_variables_are_settings_and_files_are_mounted(
    rendered: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each variable sets what it names; each file is in a volume of a secret."""
    (container,) = rendered["Deployment"]["spec"]["template"]["spec"]["containers"]
    for one in container["env"]:
        if one["name"] != "RECONCILER_CONFIG":
            monkeypatch.setenv(one["name"], one["value"])
    own = Settings().registry_server
    assert own.in_serve
    mounts = [Path(one["mountPath"]) for one in container["volumeMounts"]]
    for file in (own.certificate_file, own.certificate_key_file, own.key_file, own.operator_token_file):
        assert file is not None
        assert file.parent in mounts
