"""A heartbeat: what an agent says of its workloads, and what it is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.fleet.admission import Admission, claims_of
from reconciler.core.fleet.audit import Entry
from reconciler.core.fleet.credentials import Credential
from reconciler.core.fleet.damping import damped
from reconciler.core.fleet.joining import displaced
from reconciler.core.fleet.roster import Decision, Roster
from reconciler.core.fleet.values import Agent, Presence, Row, Workload, reason_of
from reconciler.core.records import Health, fit_text
from reconciler.core.resources import Key


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent says: health and reason by workload, its verified address, its versions, whose certificate it shows.

    A workload that is not its own is not looked at; one that it leaves out, since it has no verdict yet, is as it was.
    """

    healths: Mapping[Key, tuple[Health, str]]
    address: str
    versions: Mapping[str, str]
    certificate: str = ""


def beat(roster: Roster, admission: Admission, report: Report, now: datetime, is_silent: Callable[[Agent], bool]) -> Decision:
    """Return what a heartbeat changes; nothing but time, mostly. Raises Refused for an address that another VM lives at."""
    before = admission.agent
    if before is None or roster.fleet.recovering or admission.begins_recovery:
        return admission.decision
    agent, rows, audit = before, list[Row](), list(admission.decision.audit)
    if report.address != before.address:
        rows += displaced(roster, report.address, [before.id], now, is_silent)
        audit.append(Entry(now, f"agent/{before.id}", "address", before.id, f"{before.address} -> {report.address}"))
        agent = replace(agent, address=report.address)
    if report.versions != before.versions:
        agent = replace(agent, versions=report.versions)
    if report.certificate and not before.certificate:
        # It joined before certificates were asked for.
        audit.append(Entry(now, f"agent/{before.id}", "certificate", before.id, report.certificate))
        agent = replace(agent, certificate=report.certificate)
    if agent is not before or admission.decision.rows:
        rows.append(agent)
    for workload in roster.of(before.id):
        heard = hear(workload, *report.healths.get(workload.key, _as_it_was(workload)), now)
        if heard is not workload:
            rows.append(heard)
            audit += _noted(workload, heard, now)
    return Decision(tuple(rows), tuple(audit))


def _as_it_was(workload: Workload) -> tuple[Health, str]:
    return workload.reported, workload.reason if workload.presence is Presence.PRESENT else ""


def hear(workload: Workload, health: Health, reason: str, now: datetime) -> Workload:
    """Return a workload after its agent has said this; the very same value where nothing has changed."""
    fell = workload.reported is Health.HEALTHY and health is Health.UNHEALTHY
    damping = damped(workload.damping, now, fell=fell)
    heard = replace(
        workload,
        reported=health,
        health=Health.UNHEALTHY if damping.held_out else health,
        reason=fit_text(reason),
        damping=damping,
        presence=Presence.PRESENT,
        departed=None,
        planned=False,
    )
    return workload if heard == workload else heard


def successor_due(
    roster: Roster, agent: Agent, credential: Credential, now: datetime, rotate: timedelta, *, moved: bool
) -> bool:
    """Tell whether an agent gets a new credential: the old one is old, says other workloads, or came from a new address.

    Whoever shows up at a new address may hold a copy; two that rotate at once part ways at once.
    """
    return (
        moved
        or now - agent.rotated >= rotate
        or set(credential.claims) != set(claims_of(roster, agent.id))
        or credential.networks != agent.networks
    )


def _noted(before: Workload, after: Workload, now: datetime) -> list[Entry]:
    if (before.health, before.presence) == (after.health, after.presence):
        return []
    return [Entry(now, f"agent/{after.agent}", after.health.value, str(after.key), reason_of(after))]
