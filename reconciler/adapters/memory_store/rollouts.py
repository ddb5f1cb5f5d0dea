"""The rollouts of the store in memory."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.core.rollouts.records import Change, Evidence, Refusal
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.seen import Command, Hold
from reconciler.errors import Conflict


@dataclass(slots=True)
class MemoryRollouts:
    """Rollouts in the order in which they were first stored; `lock` is that of the store."""

    lock: AbstractContextManager[object]
    _rollouts: dict[str, Rollout] = field(default_factory=dict)
    _evidence: dict[str, list[Evidence]] = field(default_factory=dict)
    _pieces: int = 0
    _commands: dict[str, Command] = field(default_factory=dict)
    _handled: set[str] = field(default_factory=set)
    _refusals: dict[tuple[str, str], Refusal] = field(default_factory=dict)
    _holds: dict[str, Hold] = field(default_factory=dict)

    def standing(self) -> tuple[Rollout, ...]:
        with self.lock:
            return tuple(one for one in self._rollouts.values() if one.stands)

    def get(self, rollout: str) -> Rollout | None:
        return self._rollouts.get(rollout)

    def history(self, limit: int = 20, *, before: str = "", unit: str = "") -> list[Rollout]:
        with self.lock:
            ids = list(self._rollouts)
            older = ids[: ids.index(before)] if before in self._rollouts else [] if before else ids
            found = [self._rollouts[one] for one in reversed(older) if not unit or self._rollouts[one].unit == unit]
            return found[:limit]

    def save(self, changes: Sequence[Change]) -> tuple[Rollout, ...]:
        with self.lock:
            self._check(changes)
            return tuple(self._keep(change) for change in changes)

    def say(self, command: Command) -> bool:
        with self.lock:
            return self._commands.setdefault(command.id, command) is command

    def commands(self) -> tuple[Command, ...]:
        with self.lock:
            return tuple(one for one in self._commands.values() if one.id not in self._handled)

    def evidence(self, rollout: str, *, after: int = 0, limit: int = 1_000) -> list[Evidence]:
        with self.lock:
            return [one for one in self._evidence.get(rollout, ()) if one.id > after][:limit]

    def refusals(self) -> tuple[Refusal, ...]:
        with self.lock:
            return tuple(one for _, one in sorted(self._refusals.items()))

    def hold(self, hold: Hold) -> None:
        with self.lock:
            self._holds[hold.unit] = hold

    def unhold(self, unit: str) -> bool:
        with self.lock:
            return self._holds.pop(unit, None) is not None

    def holds(self) -> tuple[Hold, ...]:
        with self.lock:
            return tuple(one for _, one in sorted(self._holds.items()))

    def forget(self, before: datetime) -> None:
        """Drop rollouts that ended before then, with what belongs to them, but not those to which a person may say `retry`."""
        old = {one.id for one in self._rollouts.values() if not one.stands and one.ended and one.ended < before}
        gone = old - {one.rollout for one in self._refusals.values()}
        for rollout in gone:
            del self._rollouts[rollout]
            self._evidence.pop(rollout, None)
        self._commands = {one.id: one for one in self._commands.values() if one.rollout not in gone}
        self._handled &= self._commands.keys()
        self._holds = {unit: hold for unit, hold in self._holds.items() if hold.until >= before}

    def _check(self, changes: Sequence[Change]) -> None:
        handled = set(self._handled)
        for change in changes:
            known = self._rollouts.get(change.rollout.id)
            if change.rollout.turn != (known.turn if known else 0):
                raise Conflict(f"rollout {change.rollout.id} was stored by somebody else meanwhile")
            for command in change.handled:
                if command in handled or command not in self._commands:
                    raise Conflict(f"command {command} was handled by somebody else meanwhile")
                handled.add(command)

    def _keep(self, change: Change) -> Rollout:
        rollout = replace(change.rollout, turn=change.rollout.turn + 1)
        self._rollouts[rollout.id] = rollout
        for one in change.evidence:
            self._pieces += 1
            self._evidence.setdefault(rollout.id, []).append(replace(one, id=self._pieces))
        self._handled.update(change.handled)
        if change.refusal:
            self._refusals[change.refusal.unit, change.refusal.content] = change.refusal
        if change.forgiven:
            self._refusals.pop((rollout.unit, rollout.content), None)
        return rollout
