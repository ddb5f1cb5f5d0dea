"""The agent's configuration: a JSON file of few names, read whole; all that is wrong in it is said at once.

server      https://HOST[:PORT] of the registry; http only to this machine itself
caFile      authorities that may have signed its certificate; without it the system's
certFile    certificate to show, where the registry asks for one, and
keyFile     the key that belongs to it
stateDir    folder of the credential and, in `tokens/`, of join tokens
addresses   IP addresses to report; without it the one that connections to the registry come from
allowExec   whether probes may run commands here (false): what they run is said by whoever writes WorkloadGroups
leave       whether the VM leaves the mesh when the agent is told to end (true)
network     the VM's network and
locality    its locality (region/zone/subzone), told at a join; where a WorkloadGroup lets VMs join, its template has precedence
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

#: Where the configuration is unless somebody says otherwise, and where state is kept.
CONFIG = Path("/etc/reconciler-agent/agent.json")
STATE = "/var/lib/reconciler-agent"
_TEXTS = ("server", "caFile", "certFile", "keyFile", "stateDir", "network", "locality")
_FLAGS = ("allowExec", "leave")
_NAMES = {*_TEXTS, *_FLAGS, "addresses"}
_HERE = {"localhost", "127.0.0.1", "::1"}


class InvalidConfig(Exception):
    """A person must change the configuration; carries every problem."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class Config(NamedTuple):
    """A configuration that can be worked with. `host` and `port` are the registry's; empty paths are not set."""

    host: str
    port: int
    secure: bool = True
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    state: Path = Path(STATE)
    addresses: tuple[str, ...] = ()
    allow_exec: bool = False
    leave: bool = True
    network: str = ""
    locality: str = ""


def read_config(path: Path) -> Config:
    """Return what a file says. Raises InvalidConfig."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidConfig(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidConfig(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidConfig(f"{path} holds no JSON object")
    return config_of(document)


def config_of(document: dict[str, Any]) -> Config:
    """Return what a document says. Raises InvalidConfig with everything that is wrong."""
    problems = [f"{name}: is not known" for name in sorted(document.keys() - _NAMES)]
    problems += [f"{name}: must be a text" for name in _TEXTS if not isinstance(document.get(name, ""), str)]
    problems += [f"{name}: must be true or false" for name in _FLAGS if not isinstance(document.get(name, False), bool)]
    problems += _about_addresses(document.get("addresses", []))
    if bool(document.get("certFile")) != bool(document.get("keyFile")):
        problems.append("certFile and keyFile: one needs the other")
    if not problems:
        problems += _about_server(document.get("server", ""))
    if problems:
        raise InvalidConfig(*problems)
    server = urlsplit(document["server"])
    secure = server.scheme == "https"
    return Config(
        host=server.hostname or "",
        port=server.port or (443 if secure else 80),
        secure=secure,
        ca_file=document.get("caFile", ""),
        cert_file=document.get("certFile", ""),
        key_file=document.get("keyFile", ""),
        state=Path(document.get("stateDir") or STATE),
        addresses=tuple(document.get("addresses", ())),
        allow_exec=document.get("allowExec", False),
        leave=document.get("leave", True),
        network=document.get("network", ""),
        locality=document.get("locality", ""),
    )


def _about_server(text: str) -> list[str]:
    try:
        server = urlsplit(text)
        port = server.port
    except ValueError:
        return ["server: is no URL"]
    if not server.hostname or port == 0 or server.scheme not in ("https", "http"):
        return ["server: must be https://HOST[:PORT]"]
    if server.username or server.path.strip("/") or server.query or server.fragment:
        return ["server: must be https://HOST[:PORT] and nothing more"]
    if server.scheme == "http" and server.hostname not in _HERE:
        return ["server: must be https; http would show the credential to everybody on the way"]
    return []


def _about_addresses(value: Any) -> list[str]:
    if isinstance(value, list) and all(isinstance(one, str) and _is_address(one) for one in value):
        return []
    return ["addresses: must be a list of IP addresses"]


def _is_address(text: str) -> bool:
    """Tell an IP address. The module `ipaddress` would do so, too, for half a megabyte."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except OSError:
        return False
    return True
