"""Where the API server is and who we are to it: a kubeconfig, or the service account of the Pod we run in.

A kubeconfig can name a program to run (`exec`, `auth-provider`); that is refused unless the operator allows it. Messages of
the client's own loader quote the file, secrets included, so none of them is passed on.
"""

import logging
import os
from pathlib import Path
from typing import Any

import yaml

from reconciler.adapters.cluster_kubernetes.settings import KubernetesSettings
from reconciler.errors import InvalidInput, SetupCode, Unavailable

log = logging.getLogger(__name__)

DEFAULT_KUBECONFIG = Path("~/.kube/config")
RUNS_PROGRAMS = ("exec", "auth-provider")
#: Connections that the pool keeps beyond those of requests; more watches than that work too, but reconnect when renewed.
WATCHES = 32


def load(settings: KubernetesSettings) -> Any:
    """Return a fresh `kubernetes.client.Configuration`. Raises InvalidInput for what a person must change.

    Raises Unavailable where the credentials cannot be had at the moment, such as a credential program that failed.
    """
    from reconciler.adapters.cluster_kubernetes.client import Configuration

    configuration = Configuration()
    paths = _kubeconfig_paths(settings)
    if paths:
        _load_kubeconfig(configuration, paths, settings)
    else:
        _load_service_account(configuration)
    configuration.retries = False  # retries are ours: urllib3's know nothing of what a write may have done
    configuration.connection_pool_maxsize = settings.concurrency + WATCHES
    configuration.keep_alive = True
    if not configuration.verify_ssl:
        log.warning("the certificate of %s is NOT verified, as the kubeconfig asks", configuration.host)
    return configuration


def _kubeconfig_paths(settings: KubernetesSettings) -> list[Path]:
    if settings.kubeconfig is not None:
        if not settings.kubeconfig.expanduser().is_file():
            raise InvalidInput(
                f"there is no kubeconfig at {settings.kubeconfig}; check --kubeconfig", code=SetupCode.NO_KUBECONFIG
            )
        return [settings.kubeconfig.expanduser()]
    named = [Path(name).expanduser() for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    return [path for path in named or [DEFAULT_KUBECONFIG.expanduser()] if path.is_file()]


def _load_kubeconfig(configuration: Any, paths: list[Path], settings: KubernetesSettings) -> None:
    from reconciler.adapters.cluster_kubernetes.client import ConfigException, kube_config

    loading: Any = kube_config  # it ships no types
    shown = ", ".join(map(str, paths))
    try:
        merged = loading.KubeConfigMerger(os.pathsep.join(map(str, paths))).config
        context = merged["contexts"].get_with_name(settings.context or merged["current-context"])["context"]
        user = merged["users"].get_with_name(context["user"])["user"] if "user" in context else {}
        programs = [stanza for stanza in RUNS_PROGRAMS if stanza in user]
        if programs and not settings.allow_exec:
            message = f"{shown}: credentials would come from a program that the kubeconfig names ({programs[0]})"
            raise InvalidInput(
                f"{message}; use a token or a certificate, or allow it with allow_exec", code=SetupCode.KUBECONFIG_PROGRAM
            )
        loading.KubeConfigLoader(merged, active_context=settings.context or None).load_and_set(configuration)
    except (ConfigException, yaml.YAMLError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{shown}: context {settings.context or '(current)'!r} is not there or incomplete ({type(error).__name__})"
        raise InvalidInput(f"{message}; check it with `kubectl config view`", code=SetupCode.KUBECONFIG) from None
    if programs and not configuration.api_key and not configuration.cert_file:
        raise Unavailable(f"{shown}: the program that the kubeconfig names gave no credentials")


def _load_service_account(configuration: Any) -> None:
    from reconciler.adapters.cluster_kubernetes.client import ConfigException, incluster_config

    loading: Any = incluster_config  # it ships no types
    try:
        loading.load_incluster_config(client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise InvalidInput(
            "no cluster is configured: give --kubeconfig, set KUBECONFIG, or run in a Pod with a service account",
            code=SetupCode.NO_CLUSTER,
        ) from error
