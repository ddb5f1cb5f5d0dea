"""The registry's server as one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from reconciler import __version__
from reconciler.core.fleet.brakes import BrakeRules
from reconciler.core.fleet.credentials import Signer
from reconciler.core.fleet.keeping import Keeping
from reconciler.core.fleet.leases import Pace
from reconciler.ports import Clock, FleetStore, ServedRegistry
from reconciler.registry.agents import agents_router
from reconciler.registry.caps import Capped
from reconciler.registry.doors import DoorRules, Doors
from reconciler.registry.hearing import Hearing
from reconciler.registry.ledger import Ledger
from reconciler.registry.mark import Mark
from reconciler.registry.models import MAX_BODY
from reconciler.registry.operators import deciding_router, reading_router, tokens_router
from reconciler.registry.problems import handle_problems
from reconciler.registry.proving import Prover
from reconciler.registry.publishing import Publisher
from reconciler.registry.registrar import Registrar
from reconciler.registry.shedding import Bounds, Shedding
from reconciler.registry.watchman import Watchman


@dataclass(frozen=True, slots=True)
class ServerRules:
    """How a fleet is judged, who comes in, and when there is too much to do."""

    doors: DoorRules
    pace: Pace = Pace()  # noqa: RUF009 - frozen
    brakes: BrakeRules = BrakeRules()  # noqa: RUF009
    prover: Prover = Prover()  # noqa: RUF009
    bounds: Bounds = Bounds()  # noqa: RUF009
    keeping: Keeping = Keeping()  # noqa: RUF009


def registry_app(
    store: FleetStore, registry: ServedRegistry, signer: Signer, clock: Clock, rules: ServerRules, mark: Mark | None = None
) -> ASGIApp:
    """Return the application, which reads its state when it starts and looks around while it runs."""
    ledger, hearing = Ledger(store, clock, mark or Mark()), Hearing(store, clock, rules.pace, rules.brakes)
    registrar = Registrar(ledger, hearing, Publisher(registry), signer, rules.prover)
    watchman = Watchman(registrar, clock, rules.keeping)
    doors = Doors(rules.doors, clock, rules.pace.heartbeat)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await watchman.start()
        tasks = [asyncio.create_task(watchman.run()), asyncio.create_task(shedding.watch())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await watchman.stop()

    app = FastAPI(
        title="mesh-reconciler VM registry",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    handle_problems(app)
    app.include_router(agents_router(registrar, doors))
    for router in (reading_router, deciding_router, tokens_router):
        app.include_router(router(registrar, doors))

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(doors.operator)])
    async def openapi() -> JSONResponse:
        # For operators: it tells which version runs here.
        return JSONResponse(app.openapi())

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        return JSONResponse({"ready": hearing.can_store}, 200 if hearing.can_store else 503)

    shedding = Shedding(Capped(app, MAX_BODY), rules.bounds, watchman.shed)
    return shedding
