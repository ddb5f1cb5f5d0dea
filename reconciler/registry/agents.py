"""What agents ask for over HTTP: join, heartbeat, leave."""

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import Health
from reconciler.core.resources import Key
from reconciler.registry.certificates import shown_with
from reconciler.registry.doors import Doors, bearer
from reconciler.registry.models import Answered, HeartbeatBody, JoinBody
from reconciler.registry.registrar import Answer, Caller, Registrar

_HEALTHS = {one.value: one for one in Health}


def agents_router(registrar: Registrar, doors: Doors) -> APIRouter:
    """Return the routes of agents."""
    routes = APIRouter(prefix="/v1", tags=["agents"])

    @routes.post("/join", status_code=201, response_model=Answered)
    async def join(request: Request, body: JoinBody) -> Response:
        """Use a token, once. With a good credential its workload is added to those of that VM, else the VM is a new one."""
        source = doors.source(request)
        with doors.counting_failures(source):
            caller = replace(_caller(request, source, body), network=body.network, locality=body.locality)
            answer = await registrar.join(body.token, bearer(request), caller)
        return _answered(registrar, answer, 201)

    @routes.post("/heartbeat", response_model=Answered)
    async def heartbeat(request: Request, body: HeartbeatBody) -> Response:
        """Say how the workloads are; learn when to come again."""
        source, credential = doors.source(request), bearer(request)
        healths = {Key(VIRTUAL_MACHINE, one.namespace, one.name): (_HEALTHS[one.health], one.reason) for one in body.workloads}
        doors.beat(credential)
        answer = await registrar.heartbeat(credential, healths, _caller(request, source, body))
        return _answered(registrar, answer, 200)

    @routes.post("/leave", status_code=204)
    async def leave(request: Request) -> Response:
        """Say goodbye: the workloads leave the mesh. The credential stays good for a start."""
        await registrar.leave(bearer(request), shown_with(request))
        return Response(status_code=204)

    return routes


def _caller(request: Request, source: str, body: JoinBody | HeartbeatBody) -> Caller:
    return Caller(source, body.addresses, body.versions, shown_with(request))


def _answered(registrar: Registrar, answer: Answer, status: int) -> JSONResponse:
    workloads = [
        {
            "namespace": one.namespace,
            "name": one.name,
            "epoch": one.epoch,
            "probe": registrar.probe(one.key),
            "draining": one.draining,
        }
        for one in answer.workloads
    ]
    body = {"nextIn": answer.next_in.total_seconds(), "credential": answer.credential, "workloads": workloads}
    return JSONResponse(body, status, {"Cache-Control": "no-store"})
