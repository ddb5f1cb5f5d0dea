"""Join tokens from the registry's server, over its operators' interface."""

from collections.abc import Sequence
from datetime import timedelta

from reconciler.adapters.outbound.operators import OperatorLine, OperatorSettings, issued
from reconciler.core.enrolment.vm import EnrolledVM


class HttpJoinTokens:
    """`ports.JoinTokens`."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Raises InvalidInput as `OperatorLine` does."""
        self._line = OperatorLine(settings)

    def issue(self, vm: EnrolledVM, networks: Sequence[str], lifetime: timedelta) -> str:
        return issued(self._line, vm.joins_as, vm.service_account, networks, lifetime)

    def close(self) -> None:
        """Nothing is kept open."""
