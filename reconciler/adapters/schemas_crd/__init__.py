"""The port `Schemas` on CRDs: their OpenAPI schemas by jsonschema-rs, their rules by Google's CEL.

What the API server checks when an object is created: types and bounds, unknown fields, lists that are sets or maps, CEL rules
(those that compare with an earlier state aside). Kinds are compiled when they are first asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from jsonschema_rs import Draft202012Validator

from reconciler.adapters.schemas_crd import errors, structure
from reconciler.adapters.schemas_crd.codes import Code
from reconciler.adapters.schemas_crd.definitions import definitions, group_kind, istio_version, read_crds, schema_of
from reconciler.adapters.schemas_crd.translate import translate
from reconciler.core.resources import Document
from reconciler.errors import Problem, Severity

__all__ = ["Code", "CrdSchemas", "read_crds"]


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
        self._crds = {key: crd for crd in definitions(documents) if (key := group_kind(crd))}
        version = istio_version(self._crds.values())
        self._origin = f"{source} (Istio {version})" if version and self._crds else source if self._crds else ""
        self._compiled: dict[tuple[str, str, str], _Compiled | None] = {}
        self._lock = Lock()

    @property
    def origin(self) -> str:
        return self._origin

    def problems(self, document: Document) -> tuple[Problem, ...]:
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
