"""Join tokens from the registry's server, over its operators' interface."""

from collections.abc import Sequence
from datetime import timedelta

from reconciler.adapters.outbound.operators import OperatorLine, OperatorSettings
from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.errors import Unavailable


class HttpJoinTokens:
    """`ports.JoinTokens`."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Raises InvalidInput as `OperatorLine` does."""
        self._line = OperatorLine(settings)

    def issue(self, vm: EnrolledVM, networks: Sequence[str], lifetime: timedelta) -> str:
        body = {
            "namespace": vm.namespace,
            "name": vm.name,
            "serviceAccount": vm.service_account,
            "addresses": list(networks),
            "ttl": lifetime.total_seconds(),
        }
        token = self._line.ask("POST", "/v1/tokens", body, f"make a join token for {vm}").get("token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise Unavailable("the registry's server answered without a join token; is it one?")
        return token

    def close(self) -> None:
        """Nothing is kept open."""
