"""What operators are shown of VMs: the fleet's word on each, beside the record of it that Git has made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reconciler.core.fleet.operating import found
from reconciler.core.fleet.values import Workload
from reconciler.core.fleet.views import moment, shown, status_of
from reconciler.core.groups.joins import is_bare
from reconciler.core.resources import EMPTY, Document, Key
from reconciler.registry.registrar import Registrar


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is about; what is empty filters nothing. `after` is the place of the last one that was seen."""

    namespace: str = ""
    group: str = ""
    health: str = ""
    after: str = ""


def page_of(registrar: Registrar, key: Key) -> Document:
    """Return one VM; `claimed` says whether Git knows it. Raises Refused where nobody has joined under the name."""
    ledger, record = registrar.ledger, _spec(registrar, key)
    view = shown(ledger.roster, found(ledger.roster, key), registrar.silence(), ledger.now)
    live = registrar.publisher.records.get(key)
    claimed = live is not None and not is_bare(live)
    return {**view, "group": record.get("group", ""), "locality": record.get("locality", ""), "claimed": claimed}


def listed(registrar: Registrar, wanted: Filter, limit: int) -> tuple[list[Document], str]:
    """Return a page of VMs by name, and the place after which the next one begins, empty after the last."""
    found = list(islice(_matching(registrar, wanted), limit + 1))
    pages = [page_of(registrar, one.key) for one in found[:limit]]
    return pages, _place(found[limit - 1]) if len(found) > limit else ""


def changed(registrar: Registrar, since: int) -> list[Document]:
    """Return the VMs by name of which something has changed since a version."""
    agents = registrar.ledger.roster.agents

    def newest(one: Workload) -> int:
        return max(one.version, agents[one.agent].version if one.agent in agents else 0)

    newer = [one for one in registrar.ledger.roster.workloads.values() if newest(one) > since]
    return [page_of(registrar, one.key) for one in sorted(newer, key=_place)]


def whole(registrar: Registrar) -> Document:
    """Return what is true of the whole fleet."""
    fleet = registrar.ledger.roster.fleet
    recovering = moment(fleet.recovering) if fleet.recovering else None
    return {"recovering": recovering, "brakes": dict(fleet.tripped)}


def _matching(registrar: Registrar, wanted: Filter) -> Iterator[Workload]:
    roster = registrar.ledger.roster
    for one in sorted(roster.workloads.values(), key=_place):
        if (
            _place(one) > wanted.after
            and wanted.namespace in ("", one.namespace)
            and wanted.group in ("", _spec(registrar, one.key).get("group", ""))
            and wanted.health in ("", status_of(roster, one, None).health.value)
        ):
            yield one


def _spec(registrar: Registrar, key: Key) -> Mapping[str, Any]:
    record = registrar.publisher.records.get(key)
    return record.document["spec"] if record else EMPTY


def _place(one: Workload) -> str:
    return f"{one.namespace}/{one.name}"
