"""Steps that persons let go on, by whoever they are to the process that runs the target; and what is told of it."""

from __future__ import annotations

import pytest

from reconciler.core.gates.people import People, Person
from reconciler.core.gates.spec import Role
from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Command, Word
from reconciler.cycle.status import read_status
from reconciler.reports.logged import Log
from tests.cycle.test_rollouts import STEPS, Rolled, policy, vm
from tests.worlds import mixed

ADMINS = People(
    (Person("Zoë", Role.ADMIN, ("zoe",), ("zoe@example.org",)), Person("Bob", Role.ADMIN, ("bob", "bob-root@bastion")))
)


def rolling(people: People, *asked: str, approval: bool = False) -> Rolled:
    """A rollout in its first step, whose gates a process with these people judges."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1), vm(2)))
    gates = [{"name": "sign-off", "approval": {"role": "admin", "count": 2}}]
    rolled.policy = policy(steps=[{**step, "gates": list(asked), "approval": approval} for step in STEPS], gates=gates)
    rolled.cycle.authority.release()
    rolled.cycle = rolled.process("people:1", people=people)
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    return rolled


def approve(rolled: Rolled, login: str) -> None:
    """Somebody approves of the step, and a look carries it out."""
    one, at = rolled.newest, rolled.world.clock.now()
    rolled.world.store.rollouts.say(Command(f"{login}{at}", one.id, Word.APPROVE, login, "", at, digest=one.digest))
    rolled.look()


def status(rolled: Rolled) -> list[tuple[str, str]]:
    """What `status` says."""
    return read_status("test", rolled.world.store, rolled.world.lease(), rolled.world.clock.now()).rows()


def test_a_role_is_what_the_process_that_runs_the_target_says() -> None:
    """Two logins of one person are one, operators do not count, two admins are enough."""
    rolled = rolling(ADMINS, "sign-off")
    for login in ("eve@laptop", "bob@laptop", "bob-root@bastion"):
        approve(rolled, login)
    assert {(one.by, one.role) for one in rolled.newest.approvals} == {("eve@laptop", "operator"), ("Bob", "admin")}
    for _ in range(10):
        rolled.look()
    assert (rolled.newest.phase, rolled.newest.step) == (Phase.SOAKING, 0)
    approve(rolled, "zoe@bastion")
    rolled.until(Phase.SOAKING, 1)


def test_a_plan_says_before_the_first_step_which_gate_nobody_could_pass() -> None:
    """With the setting that is missing."""
    rolled = Rolled()
    rolled.policy = policy(gates=[{"name": "sign-off", "approval": {"role": "admin"}}])
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.commit(*mixed(vm(1), vm(2), vm(3)))
    (seen,) = rolled.looker.run("plan", write=False).rollouts
    assert (
        "gate sign-off can never pass: it asks for a person with role admin, and nobody has it by the operator's setting "
        "`people`" in seen.notes
    )


def test_a_gate_that_nobody_could_pass_waits_for_the_operator_and_hears_approvals() -> None:
    """It pauses nothing: who is named and approves once more lets it go on."""
    rolled = rolling(People(), "sign-off")
    approve(rolled, "bob@bastion")
    assert [one.by for one in rolled.newest.approvals] == ["bob@bastion"]
    rolled.world.pass_time(hours=2)
    (seen,) = rolled.look().rollouts
    assert seen.phase is Phase.SOAKING
    assert any("bob@bastion does not count: admin is asked for" in text and "`people`" in text for text in seen.waits)


@pytest.mark.parametrize("who", [None, "eve@laptop"])
def test_an_approval_that_is_awaited_is_told_once(who: str | None) -> None:
    """With the plan to approve; where somebody has done so in vain, with why."""
    rolled = rolling(People((Person("Eve", Role.VIEWER, ("eve",)),)), approval=True)
    if who:
        approve(rolled, who)
    (seen,) = rolled.look().rollouts
    about = [text for text in seen.waits if "approv" in text]
    if who:
        needs = "needs 1 approval by a person with role operator"
        assert about == [f"approval: wait, approval: Eve does not count: operator is asked for ({needs})"]
    else:
        assert about == [f"a person must approve what comes next (plan {rolled.newest.plan})"]


def test_a_rollout_that_somebody_paused_is_told_once_and_status_says_why() -> None:
    """Not with each pass; and no guard has refused anything."""
    rolled, log = rolling(People()), Log()
    rolled.say(Word.PAUSE)
    first = [line.text for line in log.news(rolled.look())]
    assert any("A person must decide: shop/billing is paused: pause by eve: tired." in text for text in first)
    assert not any("A person must decide" in line.text for line in log.news(rolled.look()))
    rows = dict(status(rolled))
    assert "stopped" in rows["last run"]
    assert rows["because"] == "shop/billing is paused: pause by eve: tired"
