"""The operator's settings -> how the server judges, and by which keys."""

from collections.abc import Sequence

from reconciler.core.fleet.addresses import network_of
from reconciler.core.fleet.brakes import BrakeRules
from reconciler.core.fleet.credentials import Signer
from reconciler.core.fleet.keeping import Keeping
from reconciler.core.fleet.leases import Pace
from reconciler.core.fleet.refusals import Refused
from reconciler.errors import InvalidInput, SetupCode
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from reconciler.registry.proving import Proof, Prover
from reconciler.registry.shedding import Bounds
from reconciler.settings import RegistryServerSettings


def server_rules(own: RegistryServerSettings, operator_token: str) -> ServerRules:
    """Return what the settings say. Raises InvalidInput for networks that are none, and for a lease that is too short."""
    try:
        for network in (*own.proxies, *own.operator_networks):
            network_of(network)
    except Refused as error:
        raise InvalidInput(str(error), code=SetupCode.OPTION) from error
    return ServerRules(
        doors=DoorRules(operator_token, own.proxies, own.operator_networks),
        pace=Pace(own.heartbeat, own.lease, own.sweep, own.rotate, own.beats),
        brakes=BrakeRules(own.brake_count, own.brake_percent, own.brake_floor, own.brake_window),
        prover=Prover(Proof(own.proof), own.callback_port),
        bounds=Bounds(requests=own.most_requests),
        keeping=Keeping(own.keep_dead, own.keep_audit),
    )


def signer(target: str, keys: Sequence[str]) -> Signer:
    """Return what signs the credentials of a target."""
    return Signer(target, tuple(key.encode() for key in keys))
