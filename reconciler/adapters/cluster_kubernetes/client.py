"""The official client, without what it brings for others: web sockets into Pods, and a login that kubeconfigs hardly ever name.

Both come with HTTP libraries of their own, which take 5 MB and a quarter of the time that its import takes. To be imported late
itself: it is the largest library of ours.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_STREAM, _OAUTH = "kubernetes.stream", "requests_oauthlib"


def _put_off() -> None:
    if _STREAM not in sys.modules:
        sys.modules[_STREAM] = ModuleType(_STREAM)
    if _OAUTH not in sys.modules:
        sys.modules[_OAUTH] = stand_in = ModuleType(_OAUTH)
        vars(stand_in)["OAuth2Session"] = _session


def _session(*args: Any, **options: Any) -> Any:
    """Make a session of the real library, for a kubeconfig with an OpenID Connect provider whose token is over."""
    sys.modules.pop(_OAUTH, None)
    return import_module(_OAUTH).OAuth2Session(*args, **options)


_put_off()

from kubernetes.client import ApiClient, Configuration  # noqa: E402 - what it imports has to be put off first
from kubernetes.client.exceptions import ApiException  # noqa: E402
from kubernetes.config import ConfigException, incluster_config, kube_config  # noqa: E402

__all__ = ["ApiClient", "ApiException", "ConfigException", "Configuration", "incluster_config", "kube_config"]
