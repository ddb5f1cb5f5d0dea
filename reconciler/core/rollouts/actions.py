"""What `machine.advance` wants done or kept. Whoever carries it out saves the rollout, with all of these, first."""

from dataclasses import dataclass

from reconciler.core.resources import Revision
from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Command, Word
from reconciler.core.rollouts.table import Event


@dataclass(frozen=True, slots=True)
class Begun:
    """A rollout has begun, for this commit."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Moved:
    """A transition was made, at this step: the record that says which step passed when, and why it went elsewhere."""

    happening: Event | Word
    source: Phase
    target: Phase
    step: int
    reason: str


@dataclass(frozen=True, slots=True)
class PlanBack:
    """Find a way from where the unit stands to where it stood after step `goal` (-1: the origin), and call `set_out`."""

    goal: int
    at_once: bool


@dataclass(frozen=True, slots=True)
class Refuse:
    """Keep in mind that this content has failed: it is not tried again until it changes, or a person says so."""

    reason: str


@dataclass(frozen=True, slots=True)
class Forgive:
    """A person said so: the content may be tried again, as a new attempt with a record of its own."""


@dataclass(frozen=True, slots=True)
class Call:
    """Call a person: it does not go on by itself, or has lacked for too long what it needs to do so."""

    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A command was handled. `done`: it had its effect; otherwise `why` says why not."""

    command: Command
    done: bool
    why: str = ""


Action = Begun | Moved | PlanBack | Refuse | Forgive | Call | Answered
