"""Where both stores differ from what is wanted now: compared locally, settled by dry-run, explained by the store."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from reconciler.core.causes import explain
from reconciler.core.changes import ObjectDiff
from reconciler.core.diff import Differ
from reconciler.core.health.opting import withheld
from reconciler.core.owned import Rules
from reconciler.core.resources import EMPTY, DesiredState, Document, Key, ObservedState
from reconciler.core.rollouts.values import Documents
from reconciler.core.settling import dry_run_of, judgement, question, refused, settle
from reconciler.core.wanted import overlaid, wanted_now
from reconciler.errors import Conflict, Rejected
from reconciler.ports import Cluster, Store


@dataclass(slots=True)
class Decider:
    """Compares, pass after pass; an unchanged object is compared once, and the server is asked once about each difference.

    Without `asks` it is never asked, and the local comparison is the last word: a dry-run is a request to write.
    """

    cluster: Cluster
    store: Store
    workers: int
    asks: bool = True
    _differ: Differ = field(default_factory=Differ, init=False)
    _git: tuple[DesiredState, str, dict[Key, Document]] | None = field(default=None, init=False)
    _wanted: tuple[Mapping[Key, Document], Documents, Mapping[Key, Document]] = field(default=({}, {}, {}), init=False)
    _later: tuple[Mapping[Key, Document], Documents, Mapping[Key, Document]] = field(default=({}, {}, {}), init=False)

    def differences(
        self,
        desired: DesiredState,
        observed: ObservedState,
        inventory: Collection[Key],
        crd_generations: Mapping[str, int],
        rules: Rules,
        rolling: Documents = EMPTY,
    ) -> tuple[ObjectDiff, ...]:
        """Return every object that is not in sync with what is wanted now. Raises Unavailable.

        `inventory` is what the store says is ours; `rolling` is what rollouts want of their objects at this moment (None:
        absent), whatever Git says.
        """
        wanted = self._opted(self._wanted_now(self.git(desired, rules.target), rolling), observed)
        found = self._differ.diff(desired, wanted, observed, rules, inventory)
        settled = [one for one in self._settled(found, observed, crd_generations) if one is not None]
        if not settled:
            return ()
        # Naming the object is the decision of a person that a fight waits for.
        fights = {key: what for key, what in self.store.fights().items() if key not in rules.adoption.keys}
        written = self.store.written([one.key for one in settled if one.key in inventory])
        return explain(settled, written, fights)

    def git(self, desired: DesiredState, target: str) -> Mapping[Key, Document]:
        """Return what Git wants of every object, in the form in which it is written."""
        if self._git is None or self._git[0] is not desired or self._git[1] != target:
            last = (self._git[0], self._git[2]) if self._git and self._git[1] == target else None
            self._git = (desired, target, wanted_now(desired, target, last))
        return self._git[2]

    def _wanted_now(self, git: Mapping[Key, Document], rolling: Documents) -> Mapping[Key, Document]:
        """Return the very same value as before where nothing of it has changed: comparing goes by that."""
        if self._wanted[0] is not git or self._wanted[1] != rolling:
            self._wanted = (git, rolling, overlaid(git, rolling) if rolling else git)
        return self._wanted[2]

    def _opted(self, wanted: Mapping[Key, Document], observed: ObservedState) -> Mapping[Key, Document]:
        """Return what is wanted with the opt-in of VMs to health withheld where it must wait; likewise the very same value."""
        later = withheld(wanted, observed)
        if not later:
            return wanted
        if self._later[0] is not wanted or self._later[1] != later:
            self._later = (wanted, later, overlaid(wanted, later))
        return self._later[2]

    def _settled(
        self, found: Sequence[ObjectDiff], observed: ObservedState, crd_generations: Mapping[str, int]
    ) -> list[ObjectDiff | None]:
        """Ask the server what it makes of each update, unless the same question was answered before."""
        questions = {
            one.key: question(document, observed.objects[one.key], crd_generations.get(one.key.kind, 0))
            for one in found
            if self.asks and (document := dry_run_of(one)) is not None
        }
        known = self.store.recall_all(questions.values()) if questions else {}
        unknown = [one for one in found if one.key in questions and questions[one.key] not in known]
        answers: dict[Key, Document | Rejected] = {}
        if unknown:
            with ThreadPoolExecutor(self.workers, thread_name_prefix="dry-run") as pool:
                answers = dict(
                    zip((one.key for one in unknown), pool.map(lambda one: self._ask(one, observed), unknown), strict=True)
                )
            self.store.remember_all({questions[key]: answer for key, answer in answers.items() if isinstance(answer, dict)})
        return [_judged(one, answers.get(one.key) or known.get(questions.get(one.key, ""))) for one in found]

    def _ask(self, one: ObjectDiff, observed: ObservedState) -> Document | Rejected:
        live, document = observed.objects[one.key], dry_run_of(one)
        try:
            return judgement(one, live, self.cluster.dry_run(document or {}))
        except Conflict as conflict:
            return judgement(one, live, conflict)
        except Rejected as rejected:
            return rejected


def _judged(one: ObjectDiff, answer: Document | Rejected | None) -> ObjectDiff | None:
    match answer:
        case None:
            return one
        case Rejected():
            return refused(one, answer)
        case _:
            return settle(one, answer)
