"""Approval as a gate."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.gates.judging import judge
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.spec import Approve, Gate, Role
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.rollouts.values import Approval
from tests.core.gates.scenes import NOON, scene


def given(by: str = "ann", role: str = "operator", digest: str = "d1", before: timedelta = timedelta(0)) -> Approval:
    """Return an approval given so long before noon."""
    return Approval(by, role, "looks good", NOON - before, digest)


def asked(ask: Approve, *approvals: Approval, **values: Any) -> Verdict:
    """Return what the gate says at noon."""
    moment = scene(timedelta(0), approvals=approvals, **values)
    return judge(Gate("approval", ask), moment, Memory(), {})[0]


def test_one_approval_passes() -> None:
    """Without one it waits, and says for whom."""
    assert asked(Approve(), given()) == Verdict.passing("approved by ann")
    assert asked(Approve()) == Verdict.waiting(
        Reason.APPROVAL, "nobody has approved yet", needs="1 approval by a person with role operator"
    )


def test_it_does_not_need_the_step_to_be_in_force() -> None:
    """A person may say yes before."""
    assert asked(Approve(), given(), in_force=None).passes


@pytest.mark.parametrize(
    ("approval", "why"),
    [
        (given(digest="d2"), "it was for another plan"),
        (given(digest=""), "it was for another plan"),
        (given(role="viewer"), "operator is asked for"),
        (given(role="root"), "operator is asked for"),
        (given(before=timedelta(hours=25)), "it has expired"),
        (given(before=-timedelta(hours=1)), "it is dated in the future"),
    ],
)
def test_what_does_not_count_is_named(approval: Approval, why: str) -> None:
    """Bound to the digest, to a role, and to a time."""
    verdict = asked(Approve(), approval)
    assert (verdict.reason, verdict.says) == (Reason.APPROVAL, f"ann does not count: {why}")


def test_an_admin_may_do_what_an_operator_may() -> None:
    """And not the other way round."""
    assert asked(Approve(role=Role.OPERATOR), given(role="admin")).passes
    assert not asked(Approve(role=Role.ADMIN), given(role="operator")).passes


def test_several_persons_are_several_persons() -> None:
    """One who says yes twice is still one, in whatever spelling."""
    ask = Approve(count=2)
    verdict = asked(ask, given(), given(), given(" Ann "))
    assert verdict.needs == "1 approval by a person with role operator"
    assert asked(ask, given(), given("bob")) == Verdict.passing("approved by ann, bob")


def test_one_user_on_two_hosts_is_one_person() -> None:
    """And so is a person whose addresses have changed since."""
    ask = Approve(count=2)
    assert not asked(ask, given("ann@bastion"), given("ann@laptop")).passes
    assert not asked(ask, given("Ann Lee <a@example.org>"), given("Ann Lee <lee@example.org>")).passes
    assert asked(ask, given("ann@bastion"), given("bob@bastion")).passes


@pytest.mark.parametrize(
    "by",
    ["Zoë <zoe@example.org>", "zoë", "ZOE@example.org", "zoe", "zoe@bastion", "Dr Ohm <z@home.example> <zoe@example.org>"],
)
def test_the_author_of_the_commit_does_not_count_where_the_policy_says_so(by: str) -> None:
    """By any name that the commit has for them."""
    author = "Zoë <zoe@example.org>"
    assert asked(Approve(), given(by), author=author).passes
    assert "is the author of the commit" in asked(Approve(not_author=True), given(by), author=author).says
    assert asked(Approve(not_author=True), given("bob"), author=author).passes


def test_a_commit_without_author_excludes_nobody() -> None:
    """An empty name is no person."""
    assert asked(Approve(not_author=True), given("bob"), author="").passes
