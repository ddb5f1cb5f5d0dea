"""Istio's test cases as they are kept: an index line and a YAML document each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Beside the project; it stands without them.
SHARED = Path(__file__).resolve().parents[3] / "shared"
CASES = SHARED / "conformance" / "istio-validation"
SAMPLES = SHARED / "conformance" / "istio-samples"
_INDEXES = ("cases.jsonl", "cases-destinationrule.jsonl")


@dataclass(frozen=True, slots=True)
class Case:
    """A document and what Istio says of it.

    `warned` is None where Istio's test does not say and its rules were not followed; `accepted_by_crd` is the verdict of the
    CRD alone.
    """

    path: Path
    name: str
    kind: str
    accepted: bool
    warned: bool | None
    accepted_by_crd: bool

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()


def cases() -> Iterator[Case]:
    """Yield all cases; there are none where the folder is missing."""
    for index in _INDEXES:
        path = CASES / index
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            entry = json.loads(line)
            warned = entry["warn"] if entry["warn"] is not None else entry.get("warn_by_rules")
            accepted = entry["expect"] != "invalid"
            yield Case(CASES / entry["file"], entry["name"], entry["kind"], accepted, warned, entry["crd"] == "accept")


def samples() -> Iterator[Path]:
    """Yield Istio's sample manifests that are plain YAML; there are none where the folder is missing."""
    path = SAMPLES / "files.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        entry = json.loads(line)
        if not entry["templated"] and not entry["pyyaml_error"]:
            yield SAMPLES / entry["file"]
