"""Who somebody is by the login with which they speak."""

import pytest

from reconciler.core.gates.people import People, Person
from reconciler.core.gates.reading import Library, gate_of
from reconciler.core.gates.spec import Approve, Role

ZOE = Person("Zoë", Role.ADMIN, ("zoe", "ohm@bastion"), ("zoe@example.org", "z@home.example"))
BOB = Person("Bob", Role.VIEWER, ("bob@bastion",))
PEOPLE = People((ZOE, BOB))


@pytest.mark.parametrize(
    ("login", "known"),
    [
        ("zoe@bastion", ("Zoë <zoe@example.org> <z@home.example>", Role.ADMIN)),
        ("zoe@elsewhere", ("Zoë <zoe@example.org> <z@home.example>", Role.ADMIN)),
        ("ohm@bastion", ("Zoë <zoe@example.org> <z@home.example>", Role.ADMIN)),
        ("ohm@elsewhere", ("ohm@elsewhere", Role.OPERATOR)),
        ("bob@bastion", ("Bob", Role.VIEWER)),
        ("eve@bastion", ("eve@bastion", Role.OPERATOR)),
    ],
)
def test_a_login_is_a_person_where_the_operator_says_so(login: str, known: tuple[str, Role]) -> None:
    """On every host, or on the one that is named; everybody else speaks for themselves, as an operator."""
    assert PEOPLE.known(login) == known


def test_the_host_that_is_named_comes_first() -> None:
    """The same login may be another person there."""
    other = Person("Other Zoe", logins=("zoe@lab",))
    assert People((ZOE, other)).known("zoe@lab") == ("Other Zoe", Role.OPERATOR)


def test_a_gate_that_nobody_could_pass_says_so() -> None:
    """With what is missing, and where; what everybody may do needs no names."""
    admin, two = ({"name": "a", "approval": {"role": "admin", "count": count}} for count in (1, 2))
    assert gate_of(admin, Library(people=PEOPLE)).ask == Approve(role=Role.ADMIN)
    assert gate_of(admin, Library()).ask == Approve(
        role=Role.ADMIN, lacking="it asks for a person with role admin, and nobody has it by the operator's setting `people`"
    )
    assert gate_of(two, Library(people=PEOPLE)).ask == Approve(
        role=Role.ADMIN,
        count=2,
        lacking="it asks for 2 persons with role admin, and only 1 has it by the operator's setting `people`",
    )
    assert gate_of({"name": "a", "approval": {"count": 3}}, Library()).ask == Approve(count=3)
