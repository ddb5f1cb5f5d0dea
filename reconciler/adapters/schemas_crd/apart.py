"""The port `Schemas` in a process of its own, started when there is something to judge and ended when it has answered.

Judging needs 20 MB of libraries, for moments between which hours may pass. It also lets what comes from Git reach a lot of
native code: here that has a deadline, a bound of memory, and none of our secrets.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence

from reconciler.adapters.schemas_crd.definitions import digest_of, origin_of, usable
from reconciler.core.resources import Document
from reconciler.errors import Problem, Severity, Unavailable

#: Seconds that the process has, and more for each document. A thousand documents take half a second.
LONGEST = 60.0
_EACH = 0.05
#: Names of variables that Python needs to start as we were started.
_STARTS = ("PYTHON", "LD_LIBRARY_PATH", "LANG", "LC_")


class SchemasApart:
    """Judges documents by CRDs as `CrdSchemas` does. `source` says where these came from, `longest` is in seconds."""

    def __init__(self, documents: Iterable[Document], source: str, longest: float = LONGEST) -> None:
        crds = usable(documents)
        self._source, self._longest = source, longest
        self._origin = origin_of(crds, source)
        self._id = digest_of(crds, self._origin)
        # As text they take a fifth of the memory.
        self._crds = _line(crds) if crds else b""

    @property
    def origin(self) -> str:
        return self._origin

    @property
    def id(self) -> str:
        return self._id

    def judge(self, documents: Sequence[Document]) -> list[tuple[Problem, ...]]:
        if not documents or not self._crds:
            return [()] * len(documents)
        question = self._crds + _line(self._source) + _line(documents)
        said = json.loads(self._asked(question, self._longest + _EACH * len(documents)))
        return [tuple(Problem(code, text, Severity(weight), field=field) for code, text, weight, field in one) for one in said]

    @staticmethod
    def _asked(question: bytes, longest: float) -> bytes:
        # Without -P, Python would look for our own package in the folder that we were started in, which may be a checkout.
        command = [sys.executable, "-P", "-m", "reconciler.adapters.schemas_crd"]
        environment = {name: value for name, value in os.environ.items() if name.startswith(_STARTS)}
        try:
            ended = subprocess.run(
                command,
                input=question,
                capture_output=True,
                env=environment,
                timeout=longest,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"the check against the CRDs took longer than {longest:.0f} s and was ended") from None
        except OSError as error:
            raise Unavailable(f"the check against the CRDs could not be started: {error.strerror}") from error
        if ended.returncode != 0:
            last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise Unavailable(f"the check against the CRDs ended with status {ended.returncode}: {last or 'it said nothing'}")
        return ended.stdout


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=str).encode() + b"\n"
