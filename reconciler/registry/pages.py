"""What operators are shown of VMs: the fleet's word on each, beside the record of it that Git has made."""

from typing import Any

from reconciler.core.fleet.operating import found
from reconciler.core.fleet.values import Workload
from reconciler.core.fleet.views import moment, shown
from reconciler.core.resources import Key
from reconciler.registry.registrar import Registrar


def page_of(registrar: Registrar, key: Key) -> dict[str, Any]:
    """Return one VM; `claimed` says whether Git knows it. Raises Refused where nobody has joined under the name."""
    ledger, record = registrar.ledger, registrar.publisher.records.get(key)
    view = shown(ledger.roster, found(ledger.roster, key), registrar.silence(), ledger.now)
    spec = record.document["spec"] if record else {}
    return {**view, "group": spec.get("group", ""), "locality": spec.get("locality", ""), "claimed": record is not None}


def pages(registrar: Registrar, since: int = 0) -> list[dict[str, Any]]:
    """Return the VMs by name of which something has changed since a version."""
    agents = registrar.ledger.roster.agents

    def newest(one: Workload) -> int:
        return max(one.version, agents[one.agent].version if one.agent in agents else 0)

    newer = [one.key for one in registrar.ledger.roster.workloads.values() if newest(one) > since]
    return sorted((page_of(registrar, key) for key in newer), key=place)


def place(page: dict[str, Any]) -> str:
    """Return where a VM stands in a list."""
    return f"{page['namespace']}/{page['name']}"


def whole(registrar: Registrar) -> dict[str, Any]:
    """Return what is true of the whole fleet."""
    fleet = registrar.ledger.roster.fleet
    recovering = moment(fleet.recovering) if fleet.recovering else None
    return {"recovering": recovering, "brakes": dict(fleet.tripped)}
