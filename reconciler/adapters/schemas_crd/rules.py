"""Rules in CEL (`x-kubernetes-validations`), as the API server evaluates them when an object is created."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from reconciler.adapters.schemas_crd.codes import Code
from reconciler.core.resources import Document
from reconciler.core.validation.urls import NotUrl, parse
from reconciler.errors import Problem, Severity

_USES_OLD_SELF = re.compile(r"\boldSelf\b").search
#: Raised by the library for values that CEL has not, such as integers beyond 64 bits.
_NOT_CEL = (RuntimeError, ValueError, TypeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule. `expression` is None where it uses what is not available here; then it is not judged."""

    text: str
    expression: Any
    message: str
    message_expression: Any
    field: str

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        """Yield the problem of a value that breaks the rule, or on which it cannot be evaluated: the server refuses both."""
        where = f"{path}{self.field}" if path else self.field.removeprefix(".")
        if self.expression is None:
            message = "a rule of the CRD uses functions that are not available here: the server will judge it"
            yield Problem(Code.RULE_UNKNOWN.value, message, Severity.WARNING, field=where)
            return
        try:
            result = self.expression.eval(data={"self": value}).value()
        except _NOT_CEL as error:
            result = error
        if result is True:
            return
        if result is False:
            yield Problem(Code.RULE.value, self._explanation(value), field=where)
        else:
            yield Problem(Code.RULE_FAILED.value, f"{self._explanation(value)} (the rule fails on this value)", field=where)

    def _explanation(self, value: Any) -> str:
        if self.message_expression is not None:
            try:
                told = self.message_expression.eval(data={"self": value})
            except _NOT_CEL:
                return self.message
            # An error has a text as its value, too.
            if told.type() == cel.Type.STRING and told.value().strip():
                return str(told.value().strip())
        return self.message


def compile_rule(rule: Document) -> Rule | None:
    """Compile a rule of a schema, None for those that compare with an earlier state: they do not judge new objects."""
    text = rule.get("rule", "")
    if _USES_OLD_SELF(text):
        return None
    return Rule(
        text=text,
        expression=_compiled(text),
        message=rule.get("message") or f"breaks the rule {' '.join(text.split())}",
        message_expression=_compiled(rule["messageExpression"]) if rule.get("messageExpression") else None,
        field=rule.get("fieldPath", ""),
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one place of a schema, in its order. `together` is their conjunction, None where one is not available here.

    The conjunction is asked first: a value that keeps all rules, as nearly every one does, is translated for CEL only once.
    """

    each: tuple[Rule, ...] = ()
    together: Any = None

    @classmethod
    def of(cls, rules: Iterable[Document]) -> "Rules":
        """Compile the rules of a schema, those left out that `compile_rule` leaves out."""
        each = tuple(rule for one in rules if (rule := compile_rule(one)))
        all_known = each and all(rule.expression for rule in each)
        return cls(each, _compiled(" && ".join(f"({rule.text})" for rule in each)) if all_known else None)

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        """Yield the problems of a value, rule by rule."""
        if self.each and not self._all_hold(value):
            for rule in self.each:
                yield from rule.problems(value, path)

    def _all_hold(self, value: Any) -> bool:
        try:
            return self.together is not None and self.together.eval(data={"self": value}).value() is True
        except _NOT_CEL:
            return False


@cache
def _compiled(text: str) -> Any:
    """Compile an expression, None where it does not compile here. The same rule stands in many places of Istio's CRDs."""
    try:
        return _environment().compile(text)
    except _NOT_CEL:
        return None


@cache
def _environment() -> Any:
    """Return CEL with the string functions of its library and the URL functions that Kubernetes adds.

    A URL stands here as its text; a text that is none makes `url()` fail, as in Kubernetes.
    """
    return cel.NewEnv(
        variables={"self": cel.Type.DYN},
        extensions=[ext_strings.ExtStrings()],
        functions=[
            _function("isURL", cel.Type.BOOL, _is_url),
            _function("url", cel.Type.STRING, lambda text: text if _is_url(text) else _refuse()),
            *(_function(name, cel.Type.STRING, part, is_member=True) for name, part in _PARTS.items()),
        ],
    )


_PARTS: dict[str, Callable[[str], str]] = {
    "getScheme": lambda text: parse(text).scheme,
    "getHost": lambda text: parse(text).host,
    "getHostname": lambda text: parse(text).hostname,
    "getPort": lambda text: parse(text).port,
    "getEscapedPath": lambda text: parse(text).path,
}


def _function(name: str, result: Any, implementation: Callable[[str], Any], *, is_member: bool = False) -> Any:
    return cel.FunctionDecl(name, [cel.Overload(f"{name}_text", result, [cel.Type.STRING], is_member, implementation)])


def _is_url(text: str) -> bool:
    """Tell whether Kubernetes takes a text for a URL: in an HTTP request, and read as one with a fragment."""
    try:
        parse(text, request=True)
        parse(text)
    except NotUrl:
        return False
    return True


def _refuse() -> str:
    raise ValueError("not a URL")
