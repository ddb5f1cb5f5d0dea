"""The process that `apart` starts: CRDs and documents come in as JSON, what is said against each document goes out."""

import json
import resource
import sys

from reconciler.adapters.schemas_crd.schemas import CrdSchemas

#: Bytes of private memory.
_MEMORY = 2 * 1024**3


def main() -> None:
    """Answer one question."""
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    question = json.load(sys.stdin.buffer)
    schemas = CrdSchemas(question["crds"], question["source"])
    said = [
        [[problem.code, problem.message, problem.severity, problem.field] for problem in problems]
        for problems in schemas.judge(question["documents"])
    ]
    json.dump(said, sys.stdout)


main()
