"""The embedded cluster as what lets VMs in, for demos and tests."""

from collections.abc import Mapping
from datetime import timedelta

from reconciler.errors import Rejected

#: As kube-apiserver has it.
SHORTEST = timedelta(minutes=10)


class MemoryEnrolment:
    """ConfigMaps, gateways' addresses and service accounts as they were put here; its tokens say what they are for."""

    def __init__(self) -> None:
        self.config_maps: dict[tuple[str, str], Mapping[str, str]] = {}
        self.ingresses: dict[tuple[str, str], str] = {}
        self.accounts: set[tuple[str, str]] = set()
        self._issued = 0

    def config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        try:
            return self.config_maps[namespace, name]
        except KeyError:
            raise Rejected(f'configmaps "{name}" not found', status=404) from None

    def ingress(self, namespace: str, name: str) -> str:
        return self.ingresses.get((namespace, name), "")

    def token(self, namespace: str, account: str, lifetime: timedelta) -> str:
        if (namespace, account) not in self.accounts:
            raise Rejected(f'serviceaccounts "{account}" not found', status=404)
        if lifetime < SHORTEST:
            raise Rejected("may not specify a duration less than 10 minutes", status=422)
        self._issued += 1
        return f"token-{self._issued}.{namespace}.{account}"

    def close(self) -> None:
        """Nothing is kept open."""
