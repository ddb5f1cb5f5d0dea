"""Errors as RFC 9457 has them, with a stable `code`; no input is repeated, and nothing of our insides is told."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.errors import Rejected, Unavailable

log = logging.getLogger(__name__)

#: Seconds after which to come again where nothing better is known.
AGAIN = 5.0

_CODES = {404: Refusal.NOT_FOUND, 405: Refusal.NOT_FOUND, 413: Refusal.TOO_LARGE}


def problem(code: Refusal, detail: str, *, status: int = 0, retry_after: float | None = None) -> JSONResponse:
    """Return an error as an answer."""
    status = status or code.status
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, round(retry_after)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body: dict[str, Any] = {"type": "about:blank", "title": code.value, "status": status, "code": code.value, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def handle_problems(app: FastAPI) -> None:
    """Let every error of an application end as a problem."""

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)  # noqa: S101 - by registration
        after = error.retry_after.total_seconds() if error.retry_after else None
        return problem(error.code, str(error), retry_after=after)

    async def rejected(_: Request, error: Exception) -> JSONResponse:
        return problem(Refusal.INVALID, str(error))

    async def unavailable(_: Request, error: Exception) -> JSONResponse:
        log.warning("the registry's server cannot answer: %s", error)
        return problem(Refusal.UNAVAILABLE, "the registry cannot answer now", retry_after=AGAIN)

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        where = sorted({".".join(str(part) for part in one["loc"][:4])[:100] for one in error.errors()})
        return problem(Refusal.INVALID, f"not as it must be: {', '.join(where[:5])}")

    async def of_http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        code = _CODES.get(error.status_code, Refusal.INVALID)
        return problem(
            code, "there is no such thing here" if code is Refusal.NOT_FOUND else code.value, status=error.status_code
        )

    async def bug(_: Request, error: Exception) -> JSONResponse:
        log.error("bug in an answer", exc_info=error)
        return problem(Refusal.UNAVAILABLE, "the registry has made a mistake; it is in its log", status=500)

    handlers = {
        Refused: refused,
        Rejected: rejected,
        Unavailable: unavailable,
        RequestValidationError: invalid,
        HTTPException: of_http,
        Exception: bug,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
