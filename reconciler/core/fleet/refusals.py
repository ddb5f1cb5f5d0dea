"""How a request to the registry's server is refused: a stable code, the HTTP status, words that repeat no secret."""

from datetime import timedelta
from enum import StrEnum
from typing import Self

from reconciler.errors import Rejected


class Refusal(StrEnum):
    """A stable code and its HTTP status."""

    status: int

    def __new__(cls, code: str, status: int) -> Self:
        self = str.__new__(cls, code)
        self._value_ = code
        self.status = status
        return self

    CREDENTIAL_UNKNOWN = "credential-unknown", 401
    CREDENTIAL_COPIED = "credential-copied", 403
    CREDENTIAL_BOUND = "credential-bound", 403
    TOKEN_UNKNOWN = "token-unknown", 401
    TOKEN_USED = "token-used", 409
    TOKEN_EXPIRED = "token-expired", 410
    ADDRESS_NOT_ALLOWED = "address-not-allowed", 403
    OPERATORS_ONLY = "operators-only", 401
    NOT_FOUND = "not-found", 404
    INVALID = "invalid", 422
    TOO_LARGE = "too-large", 413
    BRAKE = "brake", 409
    CONFLICT = "conflict", 409
    TOO_SLOW = "too-slow", 408
    TOO_MANY = "too-many-requests", 429
    RECOVERING = "recovering", 503
    OVERLOADED = "overloaded", 503
    UNAVAILABLE = "unavailable", 503


class Refused(Rejected):
    """A request that the server understood and does not do. `retry_after`: when to come again, where that may help."""

    def __init__(self, code: Refusal, message: str, *, retry_after: timedelta | None = None) -> None:
        self.code, self.retry_after = code, retry_after
        super().__init__(message, status=code.status)
