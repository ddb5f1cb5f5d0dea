"""Who comes in by which door: where a request comes from, the secret that it shows, how often it may ask."""

import hmac
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request

from reconciler.core.fleet.addresses import address_of, is_inside, source_of
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.ports import Clock
from reconciler.registry.limits import Buckets


@dataclass(frozen=True, slots=True)
class DoorRules:
    """`proxies` are networks whose X-Forwarded-For is believed, `operators` those that operators may come from."""

    operator_token: str
    proxies: tuple[str, ...] = ()
    operators: tuple[str, ...] = ("127.0.0.0/8", "::1/128")


class Doors:
    """What requests must show. Whoever fails too often waits, from wherever he tries next."""

    def __init__(self, rules: DoorRules, clock: Clock, heartbeat: timedelta) -> None:
        self._rules, self._clock = rules, clock
        # Some beats more than in time are let through, no flood of them; ten failures are typing errors, more are guesses.
        self._beats = Buckets(rate=4 / heartbeat.total_seconds(), burst=10)
        self._failures = Buckets(rate=1 / 6, burst=10)

    def source(self, request: Request) -> str:
        """Return the address that a request comes from."""
        peer = request.client.host if request.client else ""
        return source_of(peer, ",".join(request.headers.getlist("x-forwarded-for")), self._rules.proxies)

    @contextmanager
    def counting_failures(self, source: str) -> Iterator[None]:
        """Count what is refused for want of a right. Raises Refused for who has failed too often."""
        now = self._clock.monotonic()
        _wait(self._failures.wait(source, now))
        try:
            yield
        except Refused as error:
            if error.status == 401:
                self._failures.take(source, now)
            raise

    def beat(self, credential: str) -> None:
        """Count a heartbeat. Raises Refused for too many."""
        now = self._clock.monotonic()
        _wait(self._beats.wait(hash(credential), now))
        self._beats.take(hash(credential), now)

    async def operator(self, request: Request) -> str:
        """Return the operator's name for the audit log. Raises Refused for everybody else."""
        source = self.source(request)
        address = address_of(source)
        with self.counting_failures(source):
            shown = bearer(request).encode("utf-8", "replace")
            good = hmac.compare_digest(shown, self._rules.operator_token.encode())
            if not good or address is None or not is_inside(address, self._rules.operators):
                raise Refused(
                    Refusal.OPERATORS_ONLY, "this needs the operator's token, from a network that operators come from"
                )
        return f"operator@{source}"


def bearer(request: Request) -> str:
    """Return the secret that a request shows, empty where it shows none."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _wait(seconds: float) -> None:
    if seconds > 0:
        raise Refused(Refusal.TOO_MANY, "too many requests", retry_after=timedelta(seconds=math.ceil(seconds)))
