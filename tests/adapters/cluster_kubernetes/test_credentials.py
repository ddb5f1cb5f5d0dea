"""Kubeconfigs: what is accepted, what is refused, and that no secret gets into a message."""

import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.adapters.cluster_kubernetes import KubernetesSettings, credentials
from reconciler.errors import InvalidInput, Unavailable

SECRET = "hunter2-very-secret"


def kubeconfig(path: Path, user: dict[str, Any], **more: Any) -> Path:
    """Write a kubeconfig with one context, `here`, and another one whose user runs a program."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [
            {"name": "here", "context": {"cluster": "c", "user": "u"}},
            {"name": "there", "context": {"cluster": "c", "user": "runs"}},
        ],
        "users": [{"name": "u", "user": user}, {"name": "runs", "user": {"exec": {"command": "aws"}}}],
        **more,
    }
    path.write_text(yaml.safe_dump(document))
    return path


def refusal(settings: KubernetesSettings) -> str:
    """Why it is refused, everything that a log could print included."""
    with pytest.raises(InvalidInput) as caught:
        credentials.load(settings)
    return "".join(traceback.format_exception(caught.value))


def test_a_token_and_the_limits_are_taken_over(tmp_path: Path) -> None:
    """No retries below ours, and room for as many connections as requests at once."""
    path = kubeconfig(tmp_path / "config", {"token": SECRET})
    configuration = credentials.load(KubernetesSettings(path, concurrency=7))
    assert configuration.auth_settings()["BearerToken"]["value"] == f"Bearer {SECRET}"
    assert configuration.host == "https://127.0.0.1:1"
    assert configuration.retries is False
    assert configuration.connection_pool_maxsize >= 7
    assert configuration.verify_ssl


@pytest.mark.parametrize("stanza", [{"exec": {"command": "touch", "args": ["ran"]}}, {"auth-provider": {"name": "gcp"}}])
def test_programs_are_refused_unless_allowed(tmp_path: Path, stanza: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming a program in a kubeconfig runs nothing; the message says what to do."""
    monkeypatch.chdir(tmp_path)
    path = kubeconfig(tmp_path / "config", {**stanza, "token": SECRET})
    told = refusal(KubernetesSettings(path))
    assert "allow_exec" in told
    assert next(iter(stanza)) in told
    assert SECRET not in told
    assert not (tmp_path / "ran").exists()


def test_the_chosen_context_decides(tmp_path: Path) -> None:
    """Another context's program does no harm to ours, and the other way round."""
    path = kubeconfig(tmp_path / "config", {"token": SECRET})
    assert "MR0403" in refusal(KubernetesSettings(path, context="there"))
    assert "nowhere" in refusal(KubernetesSettings(path, context="nowhere"))


def test_an_allowed_program_that_fails_is_no_anonymous_access(tmp_path: Path) -> None:
    """Without credentials nothing is asked."""
    program = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never"}
    path = kubeconfig(tmp_path / "config", {"exec": program})
    with pytest.raises(Unavailable, match="gave no credentials"):
        credentials.load(KubernetesSettings(path, allow_exec=True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [" + SECRET,
        "- " + SECRET,
        "users: " + SECRET,
        "contexts: [{name: here, context: {}}]\ncurrent-context: here\nusers: []\nclusters: []\ntoken: " + SECRET,
        "contexts: [{name: here, context: {user: u, cluster: c}}]\ncurrent-context: here\n"
        "clusters: []\nusers: [{name: u, user: {token: " + SECRET + "}}]",
        "contexts: [{name: here, context: {user: u, cluster: c}}]\ncurrent-context: here\n"
        "clusters: [{name: c, cluster: {server: https://x, certificate-authority: /not/there}}]\n"
        "users: [{name: u, user: {tokenFile: /not/" + SECRET + "}}]",
    ],
)
def test_a_broken_kubeconfig_is_named_and_never_quoted(tmp_path: Path, text: str) -> None:
    """The client's own messages quote the file, tokens included; ours name the file and the context only."""
    path = tmp_path / "config"
    path.write_text(text)
    told = refusal(KubernetesSettings(path))
    assert str(path) in told
    assert SECRET not in told.replace("/not/" + SECRET, "")


def test_a_missing_kubeconfig_and_no_cluster_at_all_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says what to set."""
    assert "MR0401" in refusal(KubernetesSettings(tmp_path / "nothing"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert "KUBECONFIG" in refusal(KubernetesSettings())
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", {"token": SECRET})))
    assert credentials.load(KubernetesSettings()).host == "https://127.0.0.1:1"
