"""DNS labels, host names, wildcards. Go's regular expressions behind these rules take ASCII only; so do these."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, shown

LONGEST_HOST = 255

_LABEL = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?").fullmatch
_WILDCARD_LABEL = re.compile(r"\*|\*-?[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?").fullmatch
_DIGITS = re.compile(r"[0-9]+").fullmatch
_LONGEST_LABEL = 63


def is_label(name: str) -> bool:
    """Tell whether a name is a DNS label as Istio reads RFC 1123: letters of either case, digits, inner dashes, at most 63."""
    return _LABEL(name) is not None


def fqdn_flaw(host: str) -> str:
    """Return what keeps a name from being a full DNS name, empty where nothing does. A trailing dot is fine."""
    return _length_flaw(host) or _labels_flaw(host)


def wildcard_flaw(host: str) -> str:
    """As `fqdn_flaw`, but the first label may be ``*`` or begin with ``*`` or ``*-``."""
    if flaw := _length_flaw(host):
        return flaw
    first, dot, rest = host.partition(".")
    if not (_LABEL(first) or (len(first) <= _LONGEST_LABEL and _WILDCARD_LABEL(first))):
        return f"the label {shown(first)} is invalid"
    return _labels_flaw(rest) if dot else ""


def _length_flaw(host: str) -> str:
    if not host:
        return "it is empty"
    return f"it is longer than {LONGEST_HOST} characters" if len(host) > LONGEST_HOST else ""


def _labels_flaw(host: str) -> str:
    labels = host.split(".")
    last = labels.pop()
    if _DIGITS(last):
        return "its last label is a number"
    if last:
        labels.append(last)
    for label in labels:
        if not _LABEL(label):
            return f"the label {shown(label)} is invalid"
    return ""


def check_wildcard_host(found: Findings, host: str, path: str) -> bool:
    """Check a host by which services are found, and return whether it is a valid one for Istio.

    Beyond Istio's syntax: lower case only, since Istio compares hosts byte by byte and DNS does not.
    """
    if flaw := wildcard_flaw(host):
        found.error(Code.HOST_SYNTAX, path, f"{shown(host)} is not a host name ({flaw}): use a DNS name or `*.` and a DNS name")
        return False
    if host != host.lower():
        found.error(Code.HOST_NOT_LOWER_CASE, path, f"{shown(host)} has upper case letters: write {shown(host.lower())}")
    elif "xn--" in host:
        found.warning(
            Code.HOST_PUNYCODE, path, f"{shown(host)} holds a punycode label: make sure that it is the name that you mean"
        )
    return True


def overlaps(hosts: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield index and counterpart of each host that is there again later, or that a wildcard elsewhere in the list covers."""
    wildcards = {host[1:]: index for index, host in enumerate(hosts) if host.startswith("*")}
    last = {host: index for index, host in enumerate(hosts)}
    for index, host in enumerate(hosts):
        if last[host] != index:
            yield index, host
        elif wildcards:
            bare = host.removeprefix("*")
            suffixes = (bare[start:] for start in range(len(bare) + 1))
            if (covering := next((suffix for suffix in suffixes if wildcards.get(suffix, index) != index), None)) is not None:
                yield index, f"*{covering}"


def covered_by(hosts: Collection[str]) -> Callable[[str], bool]:
    """Return a test whether every name that a host stands for is one that one of these hosts stands for."""
    names = {host for host in hosts if not host.startswith("*")}
    endings = {host[1:] for host in hosts if host.startswith("*")}

    def covered(host: str) -> bool:
        bare = host.removeprefix("*")
        return host in names or any(bare[start:] in endings for start in range(len(bare) + 1))

    return covered
