"""Whose certificate a connection shows: a name that stays when the certificate is renewed, for credentials to be bound to."""

import hashlib
import ssl

from fastapi import Request

#: Where a request carries it: put there by the connection, never by a client.
EXTENSION = "mesh-reconciler.client-certificate"
#: Characters of a name; longer ones are kept as a digest.
LONGEST = 253


def name_of(connection: ssl.SSLObject | None) -> str:
    """Return whose certificate was shown and verified, empty where none was asked for.

    By its subject alternative names, all of them, since a renewed certificate has the same; one without any is known by its
    SHA-256, and joins anew when it is renewed.
    """
    certificate = connection.getpeercert(binary_form=True) if connection else None
    if connection is None or certificate is None:
        return ""
    shown = connection.getpeercert() or {}
    names = [f"{one[0]}:{one[1]}" for one in shown.get("subjectAltName", ())]
    text = ", ".join(sorted(names))
    if not names:
        return f"sha256:{hashlib.sha256(certificate).hexdigest()}"
    return text if len(text) <= LONGEST else f"names-sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def shown_with(request: Request) -> str:
    """Return the name of the certificate that the connection of a request shows."""
    found = (request.scope.get("extensions") or {}).get(EXTENSION) or {}
    return str(found.get("name", ""))
