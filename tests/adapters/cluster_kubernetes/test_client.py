"""The official client comes without what it does not need here, and gets it where it needs it after all."""

import subprocess
import sys

_PROGRAM = """
import sys
from reconciler.adapters.cluster_kubernetes.client import kube_config
print(sorted({"requests", "websocket"} & sys.modules.keys()))
session = kube_config.OAuth2Session(client_id="me", auto_refresh_url="https://login.example/token")
print(session.client_id, type(session).__module__)
"""


def test_what_it_brings_for_others_is_loaded_when_it_is_used() -> None:
    """In a process of its own, since other tests load all of it."""
    ended = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["[]", "me requests_oauthlib.oauth2_session"]
