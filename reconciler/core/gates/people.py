"""Who somebody is to us, by the login with which they speak: a role, and the names that commits have for them."""

from dataclasses import dataclass

from reconciler.core.gates.spec import Role

#: What somebody may do of whom the operator says nothing: whoever speaks can write to the state store.
UNNAMED = Role.OPERATOR


@dataclass(frozen=True, slots=True)
class Person:
    """A person that the operator names. `logins` are ``zoe``, or ``zoe@bastion`` for that host alone.

    `emails` are those by which commits know them.
    """

    name: str
    role: Role = UNNAMED
    logins: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.name, *(f"<{one}>" for one in self.emails)))


@dataclass(frozen=True, slots=True)
class People:
    """All persons that the operator names; no login belongs to two of them."""

    named: tuple[Person, ...] = ()

    def known(self, login: str) -> tuple[str, Role]:
        """Return as whom a login speaks (``Zoë <zoe@example.org>``, or the login itself), and with which role."""
        of = {each: one for one in self.named for each in one.logins}
        found = of.get(login) or of.get(login.partition("@")[0])
        return (str(found), found.role) if found else (login, UNNAMED)

    def lacking(self, role: Role, count: int) -> str:
        """Return why so many persons of a role can never be found, empty where they can."""
        able = sum(one.role.covers(role) for one in self.named)
        if UNNAMED.covers(role) or able >= count:
            return ""
        wanted = f"{count} persons" if count > 1 else "a person"
        has = "nobody" if not able else f"only {able}"
        return f"it asks for {wanted} with role {role}, and {has} has it by the operator's setting `people`"
