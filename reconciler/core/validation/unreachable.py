"""Routes and matches of a VirtualService that are never used, because earlier ones take their requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, number, sequence, shown, text

_KEEP_EMPTY = frozenset({"uri", "scheme", "method", "authority"})
#: Prefixes are compared pairwise; a list this long is generated, and nobody reads warnings about it.
_MOST_PREFIXES = 500


def check(found: Findings, spec: Mapping[str, Any]) -> None:
    """Check the routes of a VirtualService; there are warnings only."""
    for protocol in ("http", "tls", "tcp"):
        routes = [route for route in sequence(spec.get(protocol)) if isinstance(route, dict)]
        _check_repeated(found, routes, f"spec.{protocol}")
    _check_covered(found, [route for route in sequence(spec.get("http")) if isinstance(route, dict)])


def _check_repeated(found: Findings, routes: Sequence[Mapping[str, Any]], path: str) -> None:
    """Report what comes behind a route without matches, and matches that are there twice."""
    seen: dict[tuple[object, ...], str] = {}
    catch_all = ""
    for index, route in enumerate(routes):
        where, matches = f"{path}[{index}]", sequence(route.get("match"))
        if catch_all:
            found.warning(
                Code.RULE_UNREACHABLE,
                where,
                f"the route is never used, {catch_all} has no match and takes everything: move it up",
            )
        elif matches:
            _check_matches(found, matches, seen, where)
        if not matches:
            catch_all = where


def _check_matches(found: Findings, matches: Sequence[Any], seen: dict[tuple[object, ...], str], path: str) -> None:
    repeated = 0
    for index, match in enumerate(matches):
        identity = _identity(match)
        if other := seen.get(identity):
            repeated += 1
            found.warning(
                Code.MATCH_INEFFECTIVE, f"{path}.match[{index}]", f"the match is never used, {other} is the same: remove it"
            )
        seen.setdefault(identity, f"{path}.match[{index}]")
    if repeated == len(matches):
        found.warning(Code.RULE_UNREACHABLE, path, "the route is never used, earlier ones have all its matches: remove it")


def _identity(match: object) -> tuple[object, ...]:
    """Return a value that is equal for matches that mean the same; the name of a match does not count."""
    parts = mapping(match).items()
    return _frozen({name: part for name, part in parts if name != "name" and (part or (part == {} and name in _KEEP_EMPTY))})


def _frozen(part: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple((key, _frozen_value(part[key])) for key in sorted(part))


def _frozen_value(value: object) -> object:
    if isinstance(value, dict):
        return _frozen(value)
    return tuple(map(_frozen_value, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class _Prefix:
    """A match by URI prefix, with what else has to hold: a port and, by name, texts that are exact or begin so."""

    path: str
    prefix: str
    port: float
    method: str
    authority: str
    others: Mapping[str, Mapping[str, str]]

    def covers(self, later: "_Prefix") -> bool:
        """Tell whether Istio would say that this match takes what the later one is for."""
        return (
            later.prefix != self.prefix
            and later.prefix.startswith(self.prefix)
            and self.port == later.port
            and self.method.startswith(later.method)
            and self.authority.startswith(later.authority)
            and all(_narrower(self.others[name], later.others[name]) for name in self.others)
        )


def _narrower(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return one.keys() == other.keys() and all(value.startswith(other[name]) for name, value in one.items())


def _check_covered(found: Findings, routes: Sequence[Mapping[str, Any]]) -> None:
    """Report prefixes that a shorter one before them takes, under the same other conditions."""
    prefixes = _prefixes(routes)[:_MOST_PREFIXES]
    for index, later in enumerate(prefixes):
        for earlier in prefixes[:index]:
            if earlier.covers(later):
                found.warning(
                    Code.MATCH_INEFFECTIVE,
                    later.path,
                    f"the match is never used, {earlier.path} takes the prefix {shown(earlier.prefix)} before it: move it up",
                )


def _prefixes(routes: Sequence[Mapping[str, Any]]) -> list[_Prefix]:
    """Return the matches by prefix, up to the first route that takes everything, each match once."""
    result: list[_Prefix] = []
    seen: set[tuple[object, ...]] = set()
    for index, route in enumerate(routes):
        if not (matches := sequence(route.get("match"))):
            break
        for number_, match in enumerate(matches):
            identity = _identity(match)
            if identity not in seen and (prefix := text(mapping(mapping(match).get("uri")).get("prefix"))):
                result.append(_prefix(mapping(match), prefix, f"spec.http[{index}].match[{number_}]"))
            seen.add(identity)
    return result


def _prefix(match: Mapping[str, Any], prefix: str, path: str) -> _Prefix:
    return _Prefix(
        path,
        prefix,
        number(match.get("port")),
        _form(match.get("method")) or "exact:GET",
        _form(match.get("authority")),
        {
            part: {name: _form(value) for name, value in mapping(match.get(part)).items()}
            for part in ("headers", "queryParams", "withoutHeaders")
        },
    )


def _form(value: object) -> str:
    for form in ("exact", "prefix"):
        if given := text(mapping(value).get(form)):
            return f"{form}:{given}"
    return ""
