"""Objects that are there already and that we do not own: left alone, or taken over by name, and given back by `release`.

Law: before the hand-over no field of an adopted object is changed or removed. The hand-over itself changes who owns fields and
nothing else (`metadata.generation` does not move); the update that follows is one write, and it may remove fields, such as
`endpoints` in favour of `workloadSelector`. Without it the first owner would keep them, and the server would refuse the
object with both, even when forced.

A hand-over takes from the other managers
- the fields that Git declares and the live object has;
- the rest of what they hold under `spec` of Istio's kinds: a manifest in Git is the whole spec, so what it lacks goes with
  the update, and the report shows it before;
- kubectl's copy of the manifest that it applied last. Left behind, it would make a later `kubectl apply` delete, without a
  word, fields that are ours by then. Without it kubectl warns, and adds nothing that the file does not hold.
Labels and annotations that Git does not name stay with their owners.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from reconciler.core.changes import Action, Cause, Change, ObjectDiff, State
from reconciler.core.columns import rows
from reconciler.core.comparison import Comparison, Subject, compare, managers_of
from reconciler.core.documents import limited
from reconciler.core.kinds import MANAGED
from reconciler.core.ownership import Path, declared, encode, hand_back, owned, show
from reconciler.core.resources import Document, FieldOwner, Key, LiveObject
from reconciler.core.standing import Code, problem, spelled
from reconciler.core.tools import Tool, is_registered_by_istiod, tools_of
from reconciler.core.wanted import ADOPT_ANNOTATION, FIELD_MANAGER, LAST_APPLIED, TARGET_LABEL, marked_for
from reconciler.errors import InvalidInput, Problem, SetupCode, Severity

_LAST_APPLIED_PATH: Path = ("metadata", "annotations", LAST_APPLIED)


@dataclass(frozen=True, slots=True)
class Adoption:
    """What a person adopts with this run: everything that no other tool holds, and these objects, whoever holds them."""

    everything: bool = False
    keys: frozenset[Key] = frozenset()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Read the values of ``--adopt``: ``all`` or ``Kind/namespace/name``. Raises InvalidInput naming all others."""
        keys, wrong = set(), []
        chosen = list(texts)
        for text in chosen:
            try:
                keys.update([Key.parse(text)] if text != "all" else [])
            except ValueError:
                wrong.append(Problem(SetupCode.OPTION, f"--adopt {text[:80]!r}: write `all` or `Kind/namespace/name`"))
        if wrong:
            raise InvalidInput(wrong)
        return cls("all" in chosen, frozenset(keys))

    def covers(self, key: Key, wanted: Document, tools: Iterable[str] = ()) -> bool:
        """Tell whether the object is adopted, here or by the annotation in Git, from all of these tools.

        The annotation says ``true`` for an object that no tool holds, or names the tools.
        """
        text = (wanted["metadata"].get("annotations") or {}).get(ADOPT_ANNOTATION, "")
        named = frozenset(text.replace(",", " ").split()) - {"false"}
        held = frozenset(tools)
        return key in self.keys or (bool(named) and held <= named) or (self.everything and not held)


NOTHING = Adoption()


def judge_unowned(subject: Subject, adoption: Adoption) -> ObjectDiff:
    """Return where an object stands that Git wants, that is live, and that does not carry our ownership for this target."""
    wanted, live = subject.wanted, subject.live
    comparison = compare(wanted, live)
    if is_registered_by_istiod(live):
        return _left(subject, comparison, State.FOREIGN_TOOL, Code.REGISTERED_BY_ISTIOD, _REGISTERED)
    tools = tools_of(live)
    target = marked_for(live.labels)
    other = {f"target:{target}"} if target and target != marked_for(wanted["metadata"]["labels"]) else set()
    if adoption.covers(subject.key, wanted, {tool.name for tool, _ in tools} | other):
        return adopt(subject, comparison)
    if other:
        return _left(subject, comparison, State.FOREIGN_TOOL, Code.OTHER_TARGET, _other_target(subject.key, target))
    if tools:
        return _left(subject, comparison, State.FOREIGN_TOOL, Code.FOREIGN_TOOL, _foreign(subject.key, tools))
    owners = ", ".join(sorted({owner.manager for owner in live.owners if not owner.subresource})) or "an unknown writer"
    message = (
        f"is there already, made by {owners}, and is not touched: adopt it with `--adopt {spelled(subject.key)}`, "
        f'or with the annotation {ADOPT_ANNOTATION}: "true" in Git'
    )
    return _left(subject, comparison, State.NOT_ADOPTED, Code.NOT_ADOPTED, message)


def adopt(subject: Subject, comparison: Comparison) -> ObjectDiff:
    """Return the hand-over (where anybody holds anything) and the update that make an object ours."""
    taken = frozenset(_taken(subject, comparison))
    lost = tuple(path for path in sorted(taken, key=show) if path not in comparison.declared)
    fields = rows(subject, [*comparison.differing, *comparison.removed, *lost])
    update = Change(
        subject.key,
        Action.UPDATE,
        before=limited(subject.live.document, comparison.declared | comparison.ours | taken),
        after=subject.wanted,
        fields=fields,
        cause=Cause.ADOPTION,
        uid=subject.live.uid,
        resource_version=subject.live.resource_version,
        place=subject.place,
    )
    handed = [hand_over(subject, taken, Cause.ADOPTION)] if taken else []
    problems = [_taken_over(subject, handed[0], lost)] if handed and handed[0].managers else []
    return ObjectDiff(subject.key, State.ADOPT, fields, (*handed, update), tuple(problems), subject.place)


def hand_over(subject: Subject, paths: frozenset[Path], cause: Cause) -> Change:
    """Return the change that makes these live fields ours, whoever holds them now."""
    live = subject.live
    content = limited(live.document, paths)
    if _LAST_APPLIED_PATH in paths:
        content["metadata"]["annotations"][LAST_APPLIED] = ""  # who owns it matters; what it holds must get into no journal
    return Change(
        subject.key,
        Action.HAND_OVER,
        before=content,
        after=content,
        fields=rows(subject, sorted(paths, key=show)),
        cause=cause,
        uid=live.uid,
        resource_version=live.resource_version,
        managers=tuple(sorted({manager for path in paths for manager in managers_of(live, path)})),
        place=subject.place,
    )


def _taken(subject: Subject, comparison: Comparison) -> Iterator[Path]:
    """Yield the live fields that a hand-over takes: see the head of this module."""
    live = subject.live
    held = any(not owner.subresource for owner in live.owners)
    whole_spec = bool(MANAGED[subject.key.kind].group)
    for path in declared(live.document):
        wanted = path in comparison.declared
        others = path == _LAST_APPLIED_PATH or (whole_spec and path[0] == "spec")
        if path not in comparison.ours and (wanted or others) and (managers_of(live, path) or (wanted and not held)):
            yield path


def _left(subject: Subject, comparison: Comparison, state: State, code: Code, message: str) -> ObjectDiff:
    return ObjectDiff(
        subject.key,
        state,
        rows(subject, comparison.differing),
        problems=(problem(code, message, subject.key, subject.place),),
        place=subject.place,
    )


_REGISTERED = (
    "was registered by istiod when its VM connected, and istiod deletes it again: give the one in Git another name, "
    "or take the VM out of auto-registration"
)


def _foreign(key: Key, tools: tuple[tuple[Tool, str], ...]) -> str:
    who = " and ".join(f"{tool.name} ({mark})" for tool, mark in tools)
    ways = " ".join(f"To take the object out of {tool.name}: {tool.way_out}." for tool, _ in tools)
    names = ",".join(tool.name for tool, _ in tools)
    return (
        f"is held by {who} and is not touched. {ways} Then, or to share it knowingly, adopt it by name with "
        f"`--adopt {spelled(key)}`, or with the annotation {ADOPT_ANNOTATION}: {names} in Git"
    )


def _other_target(key: Key, target: str) -> str:
    return (
        f"belongs to the target {target} of another mesh-reconciler and is not touched: release it there, "
        f"or take it over with `--adopt {spelled(key)}`"
    )


def _taken_over(subject: Subject, change: Change, lost: tuple[Path, ...]) -> Problem:
    owners = ", ".join(change.managers)
    goes = f"; what Git does not hold goes with the update: {', '.join(map(show, lost))}" if lost else ""
    message = f"co-owned by {owners}: adoption first takes {len(change.fields)} fields over, changing none of them{goes}"
    return problem(Code.TAKEN_OVER, message, subject.key, subject.place, severity=Severity.INFO)


@dataclass(frozen=True, slots=True)
class Released:
    """What `Cluster.set_owners` gets so that an object stays exactly as it is and is no longer ours."""

    owners: tuple[FieldOwner, ...]
    drop_labels: tuple[str, ...] = (TARGET_LABEL,)


def release(live: LiveObject, manager: str) -> Released:
    """Give our fields to a manager named by a person; labels, annotations and spec stay, our mark goes."""
    mark: Path = ("metadata", "labels", TARGET_LABEL)
    fields = [(owner, owned(owner)) for owner in hand_back(live.owners, FIELD_MANAGER, manager)]
    return Released(tuple(replace(owner, fields=encode(held - {mark})) if mark in held else owner for owner, held in fields))
