"""Credentials: texts that only the server can make, each with a counter, so that a copy betrays itself.

The text is ``mrc1.PAYLOAD.SIGNATURE``: base64url of JSON, and of an HMAC-SHA256 (RFC 2104) over form, target and payload.
The keys stay out of the database: who can write there can make no credential. The payload names the agent's workloads too, so
that a registry that has lost its record can take it back from the agents themselves.

A successor is one further and has a nonce of its own, so two copies that rotate alike still part ways: the first that is used
counts, the other one has the right counter and the wrong nonce.
"""

import binascii
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.values import Agent, AgentState

FORM = "mrc1"
#: Bytes of the longest text that is looked at; agents keep as long ones. Numbers in it may grow by so many digits.
LONGEST, GROWTH = 16_384, 256
#: Most workloads of one agent: more would fit neither into its reports nor into the answers to them.
MOST = 128


@dataclass(frozen=True, slots=True)
class Claim:
    """A workload that a credential speaks for, as of one join; `group` where it is a member of one."""

    namespace: str
    name: str
    epoch: int
    group: str = ""

    @property
    def parts(self) -> list[str | int]:
        """What stands in a credential."""
        return [self.namespace, self.name, self.epoch, *([self.group] if self.group else [])]


@dataclass(frozen=True, slots=True)
class Credential:
    """What a credential says. `networks` are where the agent's address may be."""

    agent: str
    counter: int
    nonce: str
    claims: tuple[Claim, ...]
    networks: tuple[str, ...] = ()

    def successor(self, nonce: str, claims: Sequence[Claim], networks: Sequence[str]) -> "Credential":
        """Return the next one."""
        return replace(self, counter=self.counter + 1, nonce=nonce, claims=tuple(claims), networks=tuple(networks))


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and reads the credentials of one target. The first key signs, all of them are good: so keys are exchanged."""

    target: str
    keys: tuple[bytes, ...]

    def text(self, credential: Credential) -> str:
        """Return a credential as the text that its agent keeps."""
        claims = [claim.parts for claim in credential.claims]
        said = [credential.agent, credential.counter, credential.nonce, claims, list(credential.networks)]
        payload = _encoded(json.dumps(said, separators=(",", ":")).encode())
        return f"{FORM}.{payload}.{_encoded(self._mac(self.keys[0], payload))}"

    def check_fits(self, credential: Credential) -> None:
        """Raises Refused where an agent would speak for more workloads than its credential, or its reports, can name."""
        if len(credential.claims) > MOST or len(self.text(credential)) > LONGEST - GROWTH:
            raise Refused(Refusal.CONFLICT, "this VM speaks for as many workloads as one agent can")

    def read(self, text: str) -> Credential:
        """Return what a text says that one of our keys has signed for this target. Raises Refused."""
        form, _, rest = text.partition(".")
        payload, _, signature = rest.partition(".")
        if len(text) > LONGEST or form != FORM or not text.isascii():
            raise unknown()
        try:
            given = _decoded(signature)
            if not any(hmac.compare_digest(given, self._mac(key, payload)) for key in self.keys):
                raise unknown()
            agent, counter, nonce, claims, networks = json.loads(_decoded(payload))
        except (binascii.Error, ValueError) as error:
            raise unknown() from error
        return Credential(agent, counter, nonce, tuple(Claim(*claim) for claim in claims), tuple(networks))

    def _mac(self, key: bytes, payload: str) -> bytes:
        return hmac.digest(key, f"{FORM}.{self.target}.{payload}".encode(), hashlib.sha256)


class Standing(Enum):
    """How a credential stands to the record of its agent."""

    #: The one that was used last.
    CURRENT = auto()
    #: The next one, used for the first time.
    SUCCESSOR = auto()
    #: Superseded by one that was used: two hold what one was given.
    COPIED = auto()
    #: Further than the record: the record is an older one than the agent.
    AHEAD = auto()
    #: Long superseded, or of an agent that may do nothing any more.
    OLD = auto()


def standing(agent: Agent | None, credential: Credential) -> Standing:
    """Hold a credential against the record of its agent."""
    if agent is None:
        return Standing.AHEAD
    if agent.state is AgentState.LOCKED:
        return Standing.COPIED
    if agent.state is not AgentState.ACTIVE:
        return Standing.OLD
    match credential.counter - agent.counter:
        case 0:
            return Standing.CURRENT if credential.nonce == agent.nonce else Standing.COPIED
        case 1:
            return Standing.SUCCESSOR
        case -1:
            return Standing.COPIED
        case ahead if ahead > 0:
            return Standing.AHEAD
        case _:
            return Standing.OLD


def unknown() -> Refused:
    """Return the refusal of a credential that is old, foreign or none."""
    return Refused(Refusal.CREDENTIAL_UNKNOWN, "this credential is not one that is good here: the VM needs a new join token")


def copied() -> Refused:
    """Return the refusal of a credential that two hold."""
    return Refused(
        Refusal.CREDENTIAL_COPIED, "a copy of this VM's credential was used; both lost their rights: it needs a new join token"
    )


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> Any:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
