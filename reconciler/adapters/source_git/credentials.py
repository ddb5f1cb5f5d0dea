"""Secrets: read from where the operator keeps them, given to Git by environment only, and kept out of every text.

Git gets a token as a header bound to one origin (its own configuration, in the environment of that one process): no helper, no
prompt, nothing on disk, nothing in argv; redirects are off, so no other host ever sees it.
"""

import base64
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.settings import Credentials
from reconciler.errors import InvalidInput

MAX_SECRET_BYTES = 16 * 1024


@dataclass(slots=True)
class Redactor:
    """Replaces every secret that was ever handed out, in each form in which Git may print it."""

    _forms: set[str] = field(default_factory=set)

    def learn(self, secrets: Iterable[str]) -> None:
        """Keep these out of texts from now on. One or two characters would blot out half of every message."""
        for secret in secrets:
            if len(secret) > 2:
                self._forms |= {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}

    def __call__(self, text: str) -> str:
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text


def https_header(credentials: Credentials, redactor: Redactor) -> str:
    """Return the Authorization header for https, empty where no credentials are set. Raises InvalidInput."""
    user, password = _login(credentials)
    if not password:
        return ""
    login = f"{user}:{password}"
    redactor.learn((password, login))
    return f"Authorization: Basic {base64.b64encode(login.encode()).decode()}"


def _login(credentials: Credentials) -> tuple[str, str]:
    if credentials.login_file is not None:
        user, colon, password = _secret(_text_of(credentials.login_file), credentials.login_file).partition(":")
        if not user or not colon or not password:
            raise _unusable(f"{credentials.login_file} does not hold one line user:password")
        return user, password
    if credentials.token_file is not None:
        return credentials.username, _secret(_text_of(credentials.token_file), credentials.token_file)
    if credentials.token_variable:
        name = credentials.token_variable
        return credentials.username, _secret(os.environ.get(name, ""), f"the variable {name}")
    return "", ""


def _text_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        # From None: the text of a decoding error holds the bytes.
        raise _unusable(f"{path} cannot be read ({type(error).__name__})") from None


def _secret(text: str, where: Path | str) -> str:
    """Return the one line of a secret. A line break in it would become a second header."""
    secret = text.strip()
    if not secret or len(secret) > MAX_SECRET_BYTES or not secret.isprintable():
        raise _unusable(f"{where} does not hold one line of text")
    return secret


def _unusable(why: str) -> InvalidInput:
    return InvalidInput(f"the Git credentials cannot be used: {why}", code=Code.CREDENTIALS)
