"""The port `Schemas` in this process: OpenAPI schemas by jsonschema-rs, rules by Google's CEL.

Kinds are compiled when they are first asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

from jsonschema_rs import Draft202012Validator

from reconciler.adapters.schemas_crd import errors, structure
from reconciler.adapters.schemas_crd.codes import Code
from reconciler.adapters.schemas_crd.definitions import digest_of, group_kind, origin_of, schema_of, usable
from reconciler.adapters.schemas_crd.translate import translate
from reconciler.core.resources import Document
from reconciler.errors import Problem, Severity


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One version of one kind, ready to judge documents."""

    schema: Document
    validator: Draft202012Validator
    node: structure.Node | None

    @classmethod
    def of(cls, schema: Document) -> "_Compiled":
        return cls(schema, Draft202012Validator(translate(schema)), structure.build(schema))

    def problems(self, document: Document) -> tuple[Problem, ...]:
        seen: Any = structure.without_nulls(document, self.schema) if structure.has_null(document) else document
        found = list(self.validator.iter_errors(seen))
        result = [problem for error in found for problem in errors.problems(error)]
        if self.node:
            result += structure.problems(self.node, seen, with_rules=not any(map(errors.is_blocking, found)))
        return tuple(result)


class CrdSchemas:
    """Judges documents by CRDs. `source` says where these came from; safe to use from several threads."""

    def __init__(self, documents: Iterable[Document], source: str) -> None:
        self._usable = usable(documents)
        self._crds = {key: crd for crd in self._usable if (key := group_kind(crd))}
        self._origin = origin_of(self._usable, source)
        self._compiled: dict[tuple[str, str, str], _Compiled | None] = {}
        self._lock = Lock()

    @property
    def origin(self) -> str:
        return self._origin

    @cached_property
    def id(self) -> str:
        # A process that only answers is never asked for it, and it takes a while.
        return digest_of(self._usable, self._origin)

    def judge(self, documents: Sequence[Document]) -> Iterator[tuple[Problem, ...]]:
        return map(self.problems, documents)

    def problems(self, document: Document) -> tuple[Problem, ...]:
        """Return what the CRD of a document's kind says against it."""
        group, slash, version = str(document.get("apiVersion", "")).rpartition("/")
        kind = str(document.get("kind", ""))
        if not self._crds or not slash:
            return ()
        if (group, kind) not in self._crds:
            return self._missing(group, kind)
        compiled = self._compile(group, kind, version)
        if compiled is None:
            message = f"the CRD of {kind} serves no version with a schema: repair it"
            return (Problem(Code.NOT_SERVED.value, message, Severity.WARNING, field="apiVersion"),)
        return compiled.problems(document)

    def _missing(self, group: str, kind: str) -> tuple[Problem, ...]:
        if not group.endswith("istio.io"):
            return ()
        message = f"{self._origin} has no CRD for {kind}, so it was checked without one: install or give Istio's CRDs"
        return (Problem(Code.NO_CRD.value, message, Severity.WARNING, field="kind"),)

    def _compile(self, group: str, kind: str, version: str) -> _Compiled | None:
        key = (group, kind, version)
        with self._lock:
            if key not in self._compiled:
                schema = schema_of(self._crds[group, kind], version)
                self._compiled[key] = _Compiled.of(schema) if schema else None
            return self._compiled[key]
