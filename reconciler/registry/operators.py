"""What operators and the reconciler ask for over HTTP. All of it needs the operator's token."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response

from reconciler.core.drain import PATIENCE
from reconciler.core.fleet import operating
from reconciler.core.fleet.operating import Grant
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.views import moment, shown_token
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Key
from reconciler.registry.doors import Doors
from reconciler.registry.ledger import Ledger
from reconciler.registry.models import DrainBody, Issued, ReleaseBody, TokenBody
from reconciler.registry.pages import Filter, changed, listed, page_of, whole
from reconciler.registry.registrar import Registrar

#: Most of one page, and the longest wait for news in seconds.
PAGE, LONGEST_WAIT = 1000, 55
#: Query parameters.
_Limit = Annotated[int, Query(ge=1, le=PAGE)]
_Number = Annotated[int, Query(ge=0)]


def reading_router(registrar: Registrar, doors: Doors) -> APIRouter:
    """Return the routes that show VMs and tell of changes."""
    routes = APIRouter(prefix="/v1", tags=["operators"], dependencies=[Depends(doors.operator)])
    ledger = registrar.ledger

    @routes.get("/vms")
    async def list_vms(
        namespace: str = "",
        group: str = "",
        health: str = "",
        limit: _Limit = 100,
        after: Annotated[str, Query(alias="continue")] = "",
    ) -> JSONResponse:
        """List VMs by name, a page at a time."""
        vms, more = listed(registrar, Filter(namespace, group, health, after), limit)
        return JSONResponse({"vms": vms, "continue": more, **whole(registrar)})

    @routes.get("/vms/{namespace}/{name}")
    async def show_vm(namespace: str, name: str) -> JSONResponse:
        """Show one VM."""
        return JSONResponse(page_of(registrar, _key(namespace, name)))

    @routes.get("/watch")
    async def watch(index: _Number = 0, wait: _Number = 0) -> JSONResponse:
        """Wait for news: the VMs that have changed since an index, and the index to ask with next time.

        An index that is not known any more, such as one from before a backup was restored, gets everything (`full`).
        """
        if index == ledger.version:
            await ledger.wait_for_news(index, min(wait, LONGEST_WAIT))
        full = index == 0 or index > ledger.version
        answer = {"index": ledger.version, "full": full, "vms": changed(registrar, 0 if full else index)}
        return JSONResponse({**answer, **whole(registrar)})

    @routes.get("/audit")
    async def audit(after: _Number = 0, limit: _Limit = 100) -> JSONResponse:
        """List the audit log, oldest first; each entry's hash covers the one before it, the first one's that of `cut`."""
        links = await ledger.audit(after, limit)
        extent = await ledger.extent()  # after the entries, so that none of these is newer
        entries = [{**link.flat, "at": link.entry.at.astimezone(UTC).isoformat(timespec="microseconds")} for link in links]
        return JSONResponse({"entries": entries, "cut": extent.cut.flat, "newest": extent.newest.flat})

    return routes


def deciding_router(registrar: Registrar, doors: Doors) -> APIRouter:
    """Return the routes by which people decide about VMs and about the fleet."""
    routes = APIRouter(prefix="/v1", tags=["operators"])
    ledger, carry_out = registrar.ledger, _Deciding(registrar.ledger)
    Operator = Annotated[str, Depends(doors.operator)]  # noqa: N806 - a type

    def decided(key: Key, operator: str, now: datetime, *, draining: bool, within: timedelta = PATIENCE) -> Decision:
        known = registrar.publisher.localities
        return operating.drain(ledger.roster, key, operator, now, draining=draining, within=within, known=known)

    @routes.post("/vms/{namespace}/{name}/drain", status_code=204)
    async def drain(operator: Operator, namespace: str, name: str, body: DrainBody | None = None) -> Response:
        """Take a VM out of service; it goes on living."""
        key, within = _key(namespace, name), timedelta(seconds=(body or DrainBody()).within)
        return await carry_out(lambda now: decided(key, operator, now, draining=True, within=within))

    @routes.post("/vms/{namespace}/{name}/undrain", status_code=204)
    async def undrain(operator: Operator, namespace: str, name: str) -> Response:
        """Put a VM back into service."""
        key = _key(namespace, name)
        return await carry_out(lambda now: decided(key, operator, now, draining=False))

    @routes.post("/vms/{namespace}/{name}/revoke", status_code=204)
    async def revoke(operator: Operator, namespace: str, name: str) -> Response:
        """Take all rights from the agent that speaks for a VM, and its workloads out of the mesh."""
        key = _key(namespace, name)
        return await carry_out(lambda now: operating.revoke(ledger.roster, registrar.silence(), key, operator, now))

    @routes.post("/brake/release", status_code=204)
    async def release(operator: Operator, body: ReleaseBody) -> Response:
        """Let those go whom a brake holds."""
        return await carry_out(lambda now: operating.release(ledger.roster, registrar.silence(), body.scope, operator, now))

    @routes.post("/recovery/end", status_code=204)
    async def end_recovery(operator: Operator) -> Response:
        """Trust the record again."""
        return await carry_out(lambda now: operating.end_recovery(ledger.roster, operator, now))

    return routes


def tokens_router(registrar: Registrar, doors: Doors) -> APIRouter:
    """Return the routes for join tokens."""
    routes = APIRouter(prefix="/v1/tokens", tags=["operators"])
    ledger, carry_out = registrar.ledger, _Deciding(registrar.ledger)
    Operator = Annotated[str, Depends(doors.operator)]  # noqa: N806 - a type

    @routes.post("", status_code=201, response_model=Issued)
    async def issue(operator: Operator, body: TokenBody) -> JSONResponse:
        """Issue a join token. Its text is shown this once; only its hash is kept."""
        identity = secrets.token_hex(8)
        text = f"mrj1_{identity}_{secrets.token_urlsafe(32)}"
        life = timedelta(seconds=min(body.ttl, 10**9))
        grant = Grant(body.namespace, body.name, body.serviceAccount, tuple(body.addresses), life, body.group)
        token, _ = await ledger.decided(lambda now: operating.issue(grant, identity, text, operator, now), lambda one: one[1])
        answer = {"id": token.id, "token": text, "expires": moment(token.expires)}
        return JSONResponse(answer, 201, {"Cache-Control": "no-store"})

    @routes.get("")
    async def list_tokens(_: Operator) -> JSONResponse:
        """List join tokens, newest first; their texts are not known."""
        tokens = sorted(ledger.roster.tokens.values(), key=lambda one: one.created, reverse=True)
        return JSONResponse({"tokens": [shown_token(one, ledger.now) for one in tokens[:PAGE]]})

    @routes.delete("/{identity}", status_code=204)
    async def withdraw(operator: Operator, identity: str) -> Response:
        """Make a join token useless."""
        return await carry_out(lambda now: operating.withdraw(ledger.roster, identity, operator, now))

    return routes


class _Deciding:
    """Carries out what an operator decides."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def __call__(self, decide: Callable[[datetime], Decision]) -> Response:
        await self._ledger.decided(decide, lambda decision: decision)
        return Response(status_code=204)


def _key(namespace: str, name: str) -> Key:
    return Key(VIRTUAL_MACHINE, namespace, name)
