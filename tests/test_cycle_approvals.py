"""Steps that persons let go on, by whoever they are to the process that runs the target."""

from __future__ import annotations

from reconciler.core.gates.people import People, Person
from reconciler.core.gates.spec import Role
from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Command, Word
from tests.test_cycle_rollouts import STEPS, Rolled, policy, vm
from tests.worlds import mixed

ADMINS = People(
    (Person("Zoë", Role.ADMIN, ("zoe",), ("zoe@example.org",)), Person("Bob", Role.ADMIN, ("bob", "bob-root@bastion")))
)


def rolling(people: People, *asked: str) -> Rolled:
    """A rollout in its first step, whose gates a process with these people judges."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1), vm(2)))
    gates = [{"name": "sign-off", "approval": {"role": "admin", "count": 2}}]
    rolled.policy = policy(steps=[{**step, "gates": list(asked)} for step in STEPS], gates=gates)
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
