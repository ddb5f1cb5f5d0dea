"""The loop: join or report, take in the answer, wait; leave in the end."""

from __future__ import annotations

import logging
import random
import signal
import time

from reconciler.agent.bell import Bell
from reconciler.agent.conversation import LEAST, Answer, Fate, Standing, Step, after_join, after_report
from reconciler.agent.registry import Registry
from reconciler.agent.vault import Token, Vault
from reconciler.agent.watching import Watches

log = logging.getLogger("agent")

#: Seconds between two looks for a join token.
LOOK = 5.0


class Agent:
    """Works until a signal other than a change rings the bell. `leave`: whether SIGTERM takes the VM out of the mesh."""

    def __init__(self, registry: Registry, vault: Vault, watches: Watches, bell: Bell, *, leave: bool) -> None:
        self._registry, self._vault, self._watches, self._bell, self._leaves = registry, vault, watches, bell, leave
        self._standing = Standing(vault.credential())
        self._complaint = ""

    def run(self) -> None:
        """Report until a signal comes, then leave where that was SIGTERM."""
        number = 0
        if not self._standing.credential and self._token() is None:
            log.warning("no credential and no join token yet; waiting for one (`reconciler vm token`)")
        while not number:
            number = self._wait(self._turn())
        if number == signal.SIGTERM and self._leaves:
            self._leave()

    def _turn(self) -> Step:
        """Have one exchange with the registry and take in what it answers."""
        token = self._token()
        standing = self._standing
        if token is not None:
            answer = self._registry.join(token.text, "" if standing.refused else standing.credential)
            step = after_join(standing, answer)
        elif standing.credential:
            answer = self._registry.report(self._watches.reports(), standing.credential)
            step = after_report(standing, answer)
        else:
            return Step(standing, LOOK, LOOK)
        for level, text in step.said:
            log.log(level, "%s", text)
        self._take_in(step, answer)
        if token is not None:
            self._done_with(token, step.token)
        return step

    def _take_in(self, step: Step, answer: Answer) -> None:
        """Store a successor, then use it. Where it cannot be stored, the one that stands goes on being good."""
        self._standing = step.standing
        if step.successor:
            try:
                self._vault.keep(step.successor)
            except OSError as error:
                log.error("the new credential cannot be stored: %s", error.strerror)
                if answer.status != 201:
                    return
            self._standing = self._standing._replace(credential=step.successor)
        if answer.status in (200, 201):
            self._watches.follow(step.standing.workloads)

    def _done_with(self, token: Token, fate: Fate) -> None:
        try:
            if fate is Fate.SPENT:
                self._vault.spend(token.path)
            elif fate is Fate.USELESS:
                self._vault.set_aside(token.path)
        except OSError as error:
            log.error("the used token %s is still there: %s", token.path, error.strerror)

    def _token(self) -> Token | None:
        try:
            return self._vault.token()
        except OSError as error:
            if self._complaint != str(error.strerror):
                self._complaint = str(error.strerror)
                log.error("a join token cannot be read: %s", self._complaint)
            return None

    def _wait(self, step: Step) -> int:
        """Wait until it is time for the next exchange; returns the number of a signal that came, 0 without one."""
        now = time.monotonic()
        until = now + random.uniform(step.earliest, step.latest)  # noqa: S311 - jitter is no secret
        while (left := until - time.monotonic()) > 0:
            rings = self._bell.heard(min(left, LOOK))
            number = max(rings, default=0)
            if number:
                return number
            if step.calm and (rings or self._token() is not None):
                until = min(until, now + LEAST)
        return 0

    def _leave(self) -> None:
        if not self._standing.credential or self._standing.refused:
            return
        answer = self._registry.leave(self._standing.credential)
        if answer.status == 204:
            log.info("left the mesh; this credential still counts for coming back")
        else:
            log.warning("the registry was not told that this VM leaves: %s", answer)
