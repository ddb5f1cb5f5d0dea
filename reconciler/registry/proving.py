"""Whether a VM is where it says: the source of its request, or a call back to it.

A call back goes only to addresses that the VM's token allows, to one port that the operator has set, and says nothing: that
somebody accepts a connection there is all that is asked.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

#: Seconds for a call back.
PATIENCE = 3.0


class Proof(StrEnum):
    """What proves an address."""

    SOURCE = "source"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class Prover:
    """Proves addresses by one of the two; `port` is where calls back go."""

    proof: Proof = Proof.SOURCE
    port: int = 0

    async def proved(self, wanted: Sequence[str], source: str, known: str = "") -> Collection[str]:
        """Return which of the wanted addresses are proved; one that is known from before is not called again."""
        if self.proof is Proof.SOURCE:
            return (source,)
        if known in wanted:
            return (known,)
        answers = await asyncio.gather(*(self._answers(address) for address in wanted))
        return [address for address, answered in zip(wanted, answers, strict=True) if answered]

    async def _answers(self, address: str) -> bool:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                _, writer = await asyncio.open_connection(address, self.port)
            writer.close()
            return True
        return False
