"""From the bytes of Git to a `DesiredState`: strict YAML, typed manifests, and every problem at once with its place.

What belongs here: text, YAML, the shape of documents, what a commit says as a whole. What must not be known here: where bytes
come from, what is live, what a plan is. pydantic and the YAML parser are imported only by `parsing` and what is below it, so
that a run which finds everything in its cache never loads them.

`parse_file` reads one file, `ParsedFile` is what a cache keeps of it, `load` puts the files of a commit together.
"""

from reconciler.core.manifests.commit import load
from reconciler.core.manifests.parsed import FORMAT, ParsedFile

__all__ = ["FORMAT", "ParsedFile", "load", "parse_file"]


def parse_file(path: str, blob: str, data: bytes, *, rendered: bool = False) -> ParsedFile:
    """Read one file. Any bytes whatever end in manifests or problems, never in an exception.

    `rendered`: the bytes are kustomize's output for the kustomization file `path`; problems then name the origin files.
    """
    from reconciler.core.manifests.parsing import parse

    return parse(path, blob, data, rendered=rendered)
