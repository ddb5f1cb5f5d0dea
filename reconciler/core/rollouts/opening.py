"""How the picture of who is an endpoint changes on a TRAFFIC leg: one write that lets newcomers in, one that lets others go.

Between the two a ServiceEntry picks old and new endpoints alike, since shares can only move between endpoints that are there.
`endpoints` and `workloadSelector` exclude each other, so a list is replaced by a selector in one write, at one end of the leg.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.resources import Document


class Form(StrEnum):
    """How a ServiceEntry's endpoints change. Both lists: their union serves between. MOVED: no selector picks both sides."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    COMMON = "common"
    LISTS = "lists"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Opening:
    """One ServiceEntry on its leg: before, between and after. `between` is None for LISTS, whose endpoints depend on shares."""

    form: Form
    before: Document
    between: Document | None
    after: Document

    @property
    def opens(self) -> bool:
        """Whether newcomers are let in by a write to the ServiceEntry."""
        return self.form in (Form.WIDER, Form.COMMON, Form.MOVED)

    @property
    def closes(self) -> bool:
        """Whether others are let go by a write to the ServiceEntry."""
        return self.form in (Form.NARROWER, Form.COMMON, Form.LISTS)

    @property
    def selectors(self) -> tuple[Mapping[str, str] | None, Mapping[str, str] | None]:
        """The labels that select endpoints before and after."""
        return selector_of(self.before), selector_of(self.after)


def opening(before: Document, after: Document) -> Opening:
    """Return how one ServiceEntry gets from one document to the other, which differ in endpoints or selector at most."""
    old, new = selector_of(before), selector_of(after)
    if old is None and new is None:
        form = Form.SAME if before["spec"].get("endpoints") == after["spec"].get("endpoints") else Form.LISTS
        return Opening(form, before, after if form is Form.SAME else None, after)
    if old is None:
        return Opening(Form.WIDER, before, after, after)
    if new is None:
        return Opening(Form.NARROWER, before, before, after)
    if old == new:
        return Opening(Form.SAME, before, after, after)
    if new.items() <= old.items():
        return Opening(Form.WIDER, before, after, after)
    if old.items() <= new.items():
        return Opening(Form.NARROWER, before, before, after)
    common = dict(old.items() & new.items())
    if not common:
        return Opening(Form.MOVED, before, after, after)
    between = {**before, "spec": {**before["spec"], "workloadSelector": {"labels": dict(sorted(common.items()))}}}
    return Opening(Form.COMMON, before, between, after)


def selector_of(document: Document) -> Mapping[str, str] | None:
    """Return the labels by which a ServiceEntry selects, None where it lists its endpoints."""
    selector = document["spec"].get("workloadSelector")
    return None if selector is None else selector.get("labels") or {}
