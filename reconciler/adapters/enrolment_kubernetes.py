"""What the API server gives to a VM that is to join: ConfigMaps, a gateway's address, tokens of service accounts."""

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

from reconciler.core.resources import Document
from reconciler.errors import Rejected, Unavailable

#: Who accepts a VM's token: istiod's CA, and nobody else.
AUDIENCE = "istio-ca"


class Api(Protocol):
    """Who can send requests to the API server; the cluster adapter's `KubernetesApi` does."""

    def read(self, path: str) -> Document: ...

    def write(self, method: str, path: str, body: Any) -> Document: ...

    def close(self) -> None: ...


class KubernetesEnrolment:
    """`ports.Enrolment`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        data: Mapping[str, str] = self._api.read(f"/api/v1/namespaces/{namespace}/configmaps/{name}").get("data") or {}
        return data

    def ingress(self, namespace: str, name: str) -> str:
        """Return the load balancer's address, else the first external one; a load balancer's name is no address."""
        try:
            service = self._api.read(f"/api/v1/namespaces/{namespace}/services/{name}")
        except Rejected as error:
            if error.status != 404:
                raise
            return ""
        balancers = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        found = [one.get("ip", "") for one in balancers[:1]] or (service["spec"].get("externalIPs") or [])[:1]
        with suppress(ValueError):
            return str(ipaddress.ip_address(found[0])) if found else ""
        return ""

    def token(self, namespace: str, account: str, lifetime: timedelta) -> str:
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [AUDIENCE], "expirationSeconds": int(lifetime.total_seconds())},
        }
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        token = self._api.write("POST", path, request).get("status", {}).get("token")
        if not isinstance(token, str) or not token:
            raise Unavailable(f"the API server gave no token for the service account {namespace}/{account}")
        return token

    def close(self) -> None:
        self._api.close()
