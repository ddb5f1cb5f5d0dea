"""What became of a scene: a table of predicted and measured traffic step by step, and everything that is not as promised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.plans import Split
from reconciler.core.rollouts.rollout import Outcome, Rollout
from reconciler.demo.measured import Era, Row
from reconciler.demo.story import Story


@dataclass(frozen=True, slots=True)
class Move:
    """Who came or went in a rollout that is over, and the split that each of its steps had planned."""

    who: str
    rollout: Rollout
    planned: tuple[Split, ...]

    @property
    def undone(self) -> bool:
        return self.rollout.outcome is Outcome.UNDONE

    def rows(self, eras: tuple[Era, ...]) -> Iterator[Row]:
        """Yield each step that came into force."""
        for number, (step, split) in enumerate(zip(self.rollout.way.steps, self.planned, strict=True), 1):
            row = Row.of(f"{self.who}, {number} of {len(self.planned)}", step.exposure, split, eras)
            if self.undone and not row.requests:
                break  # steps come in order: what looks like a later one was met on the way back
            yield row


@dataclass(frozen=True, slots=True)
class Seen:
    """A scene that is over: the split before anything moved, what moved, what was measured.

    `sent` is how many requests there were, `failed` how many failed, by the address that answered.
    """

    story: Story
    before: Split
    moves: tuple[Move, ...]
    eras: tuple[Era, ...]
    sent: int
    failed: Mapping[str, int]

    def rows(self) -> Iterator[Row]:
        """Yield the state before, each step that came into force, and where an undo has led."""
        undone = any(move.undone for move in self.moves)
        back = self.eras[-1:] if undone else ()
        gone = self.eras[: len(self.eras) - len(back)]
        yield Row.of("before", Fraction(0), self.before, gone)
        for move in self.moves:
            yield from move.rows(gone)
        if undone:
            yield Row.of("undone", Fraction(0), self.before, back)

    def faults(self) -> Iterator[str]:
        """Yield a line for everything that is not as promised."""
        for era in self.eras:
            yield from era.faults()
        yield from (f"step {row.step}: Pods got {row.cells()[3]} of the requests" for row in self.rows() if not row.holds)
        for move in self.moves:
            if move.undone is self.story.works:
                should = "succeeded" if self.story.works else "been undone"
                yield f"{move.who}: the rollout should have {should}: {move.rollout.reason}"
        stray = sum(count for address, count in self.failed.items() if address not in self.story.bad)
        if stray:
            yield f"{stray} of {self.sent} requests failed that no bad Pod answered"
