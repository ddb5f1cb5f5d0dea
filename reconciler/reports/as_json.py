"""The report as JSON, version ``mesh-reconciler.io/report/v1``; its JSON Schema stands beside it, report-v1.schema.json.

Fields are only ever added within a version. Times are RFC 3339 in UTC, shares are numbers from 0 to 1, a column that a field
does not have is left out (null is a value). Nothing is cut; secrets are hidden, as everywhere.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.core.changes import ABSENT, Change, FieldDiff, ObjectDiff
from reconciler.core.plans import Guard, Plan, Split, UnitPlan
from reconciler.core.report import Report, WriteResult
from reconciler.core.resources import Key, Revision, Skipped
from reconciler.core.rollouts.outlook import Outlook, StepOutlook
from reconciler.errors import Place, Problem
from reconciler.reports import shares
from reconciler.reports.safe import redacted

if TYPE_CHECKING:
    from reconciler.core.groups.members import Member

VERSION = "mesh-reconciler.io/report/v1"
#: What a revision says of those who answer for a commit, as evidence of rollouts has it too.
COMMIT = ("author", "time", "signature", "signer")


def text(report: Report) -> str:
    """Return the report as indented JSON text, with escapes for all that a terminal might take for a command."""
    return dumped(document(report))


def dumped(document: dict[str, Any]) -> str:
    """Return a document as JSON text without a character that is not printable."""
    lines = json.dumps(document, indent=2, ensure_ascii=False).split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_printable, line)) for line in lines)


def _printable(char: str) -> str:
    if char == "\x7f":  # json leaves this one alone
        return "\\u007f"
    return char if char.isprintable() else json.dumps(char)[1:-1]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of this version."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("report-v1.schema.json").read_text("utf-8"))
    return loaded


def document(report: Report) -> dict[str, Any]:
    """Return the report as a JSON object."""
    return {
        "version": VERSION,
        "command": report.command,
        "target": report.target,
        "mode": report.mode.value,
        "started": _time(report.started),
        "ended": _time(report.ended),
        "verdict": report.verdict.value,
        "exitCode": report.verdict.exit_code,
        "revision": _revision(report.revision),
        "inForce": _revision(report.in_force),
        "files": report.files,
        "objects": report.objects,
        "differences": [_difference(one) for one in report.differences],
        "plan": _plan(report.plan),
        "results": [_result(one) for one in report.results],
        "problems": [problem(one) for one in report.problems],
        "skipped": [_skipped(one) for one in report.skipped],
        "rollouts": [rollout(one) for one in report.rollouts],
        "members": [_member(one) for one in report.members],
        "reason": report.reason,
        "notes": list(report.notes),
    }


def problem(one: Problem) -> dict[str, Any]:
    """Return a problem: code, severity, message, object, field, and file, line and column where known."""
    return {
        "code": one.code,
        "severity": one.severity.value,
        "message": one.message,
        "object": one.object,
        "field": one.field,
        **_place(one.place),
    }


def _place(place: Place | None) -> dict[str, Any]:
    return {"file": place.path, "line": place.line, "column": place.column} if place else {}


def _time(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def _key(key: Key) -> dict[str, str]:
    return {"kind": key.kind, "namespace": key.namespace, "name": key.name}


def _revision(revision: Revision | None) -> dict[str, Any] | None:
    if revision is None:
        return None
    return {
        "commit": revision.id,
        "author": revision.author,
        "time": _time(revision.time),
        "subject": revision.subject,
        "signature": revision.signature.value,
        "signer": revision.signer,
    }


def _difference(one: ObjectDiff) -> dict[str, Any]:
    return {
        **_key(one.key),
        "store": one.key.store.value,
        "state": one.state.value,
        "fields": [_field(field) for field in one.fields],
        "problems": [problem(found) for found in one.problems],
        "origin": {"group": one.origin.group, "vm": one.origin.vm, "joined": one.origin.at} if one.origin else None,
        **_place(one.place),
    }


def _field(field: FieldDiff) -> dict[str, Any]:
    columns = ("git", "wanted", "written", "cluster", "registry")
    values = {name: redacted(field.path, held) for name in columns if (held := getattr(field, name)) is not ABSENT}
    return {"path": field.path, **values, "managers": list(field.managers)}


def _change(change: Change) -> dict[str, Any]:
    return {
        **_key(change.key),
        "store": change.key.store.value,
        "action": change.action.value,
        "cause": change.cause.value,
        "managers": list(change.managers),
    }


def _guard(guard: Guard) -> dict[str, Any]:
    return {
        "code": guard.code,
        "message": guard.message,
        "override": guard.override,
        "until": _time(guard.until),
        "retry": guard.retry,
        "objects": [_key(key) for key in guard.keys],
    }


def _split(split: Split) -> dict[str, Any]:
    return {
        "service": split.service,
        "port": split.port,
        "endpoints": [
            {
                "name": one.name,
                "platform": one.platform,
                "address": one.address,
                "weight": one.weight,
                "share": round(float(one.share), 6),
            }
            for one in split.endpoints
        ],
        "notes": list(split.notes),
    }


def _unit(unit: UnitPlan) -> dict[str, Any]:
    return {
        "name": unit.name,
        "mode": unit.mode.value,
        "waitsFor": list(unit.waits_for),
        "steps": [
            {"exposure": float(step.exposure), "waves": [[_change(change) for change in wave] for wave in step.waves]}
            for step in unit.steps
        ],
        "held": [_change(change) for change in unit.held],
        "guards": [_guard(guard) for guard in unit.guards],
        "before": [_split(split) for split in unit.before],
        "after": [_split(split) for split in unit.after],
        "problems": [problem(one) for one in unit.problems],
    }


def _plan(plan: Plan | None) -> dict[str, Any] | None:
    return {"digest": plan.digest, "units": [_unit(unit) for unit in plan.units]} if plan else None


def rollout(one: Outlook) -> dict[str, Any]:
    """Return a rollout with all its steps."""
    return {
        "id": one.id,
        "unit": one.unit,
        "commit": one.commit,
        "digest": one.digest,
        "attempt": one.attempt,
        "phase": one.phase.value,
        "outcome": one.outcome.value,
        "reason": one.reason,
        "back": one.back,
        "began": _time(one.began),
        "entered": _time(one.entered),
        "steps": [_step(step) for step in one.steps],
        "start": [_split(split) for split in one.start],
        "waits": list(one.waits),
        "notes": list(one.notes),
        "held": [_difference(each) for each in one.held],
        "foreseen": one.foreseen,
        "figures": shares.figures(one.figures) if one.figures else None,
    }


def _member(one: "Member") -> dict[str, Any]:
    return {**_key(one.key), "group": one.group, "joined": one.at, "standing": one.standing.value, "why": one.why}


def _step(step: StepOutlook) -> dict[str, Any]:
    return {
        "leg": step.leg.value,
        "exposure": round(float(step.exposure), 6),
        "standing": step.standing.value,
        "objects": [_key(key) for key in step.objects],
        "holdSeconds": step.hold.total_seconds(),
        "gates": list(step.gates),
        "approval": step.approval,
        "watchSeconds": step.watch.total_seconds(),
        "merged": [round(float(one), 6) for one in step.merged],
        "split": [_split(split) for split in step.split],
        "notes": list(step.notes),
        "lacks": step.lacks,
        "needs": [shares.need(one) for one in step.needs],
    }


def _result(result: WriteResult) -> dict[str, Any]:
    return {
        "unit": result.unit,
        **_key(result.key),
        "action": result.action.value,
        "cause": result.cause.value,
        "outcome": result.written.value,
        "message": result.message,
    }


def _skipped(one: Skipped) -> dict[str, Any]:
    return {"apiVersion": one.api_version, "kind": one.kind, "count": one.count, **_place(one.place)}
