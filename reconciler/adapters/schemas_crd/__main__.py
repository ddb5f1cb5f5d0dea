"""The process that `apart` starts: CRDs, their source and documents in, what is said of each document out, as JSON."""

import json
import resource
import sys

from reconciler.adapters.schemas_crd.schemas import CrdSchemas

#: Bytes of private memory.
_MEMORY = 2 * 1024**3


def main() -> None:
    """Answer one question."""
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    crds, source, documents = map(json.loads, sys.stdin.buffer)
    schemas = CrdSchemas(crds, source)
    said = [
        [[problem.code, problem.message, problem.severity, problem.field] for problem in problems]
        for problems in schemas.judge(documents)
    ]
    json.dump(said, sys.stdout)


main()
