"""Reports as they come, for the tests of every renderer: each state, guard and outcome, and texts that mean harm."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from reconciler.core.changes import Action, Cause, Change, FieldDiff, ObjectDiff, Origin, State
from reconciler.core.groups import judging
from reconciler.core.groups.members import Member
from reconciler.core.plans import EndpointShare, Guard, Mode, Plan, Split, Step, UnitPlan
from reconciler.core.report import Report, Verdict, WriteResult, Written
from reconciler.core.resources import Key, Revision, Signature, Skipped
from reconciler.core.rollouts.capacity import Need
from reconciler.core.rollouts.outlook import Outlook, Standing, StepOutlook
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.core.rollouts.values import ArmFigures, Figures, LeftAlone, LegKind, ShareFigures
from reconciler.core.scaling import Scale, Scaler
from reconciler.errors import Place, Problem, Severity

AT = datetime(2026, 11, 23, 3, 12, 44, tzinfo=UTC)
COMMIT = Revision(
    "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
    "Jo Doe",
    AT - timedelta(minutes=4),
    "Let Pods join billing",
    Signature.GOOD,
    "jo",
)
DIGEST = "3f9ac2d17be04c55"

ENTRY = Key("ServiceEntry", "shop", "billing")
ACCOUNT_KEY = Key("ServiceAccount", "shop", "billing")
VMS = [Key("WorkloadEntry", "shop", f"billing-vm-{number}") for number in (1, 2, 3)]
RECORDS = [Key("VirtualMachine", key.namespace, key.name) for key in VMS]
FILE = "production/shop/billing/service-entry.yaml"


def report(command: str, verdict: Verdict, **rest: object) -> Report:
    """Return a report of a run of 1.8 seconds on the target ``production``."""
    known: dict[str, object] = {"revision": COMMIT, "in_force": COMMIT, "objects": 214, "files": 96}
    base = Report(command, "production", Mode.ENFORCE, AT, AT + timedelta(seconds=1.8), verdict)
    return replace(base, **{**known, **rest})  # type: ignore[arg-type]


def change(key: Key, action: Action = Action.UPDATE, cause: Cause = Cause.GIT) -> Change:
    """Return a write whose content does not matter here."""
    return Change(key, action, None, None, cause=cause)


def split(vms: Sequence[int], pods: int = 0, *notes: str, service: str = "billing.shop.internal", port: int = 80) -> Split:
    """Return a split over VMs with these weights and Pods, which weigh 1."""
    total = sum(vms) + pods
    endpoints = [("vm", f"billing-vm-{at}", f"10.20.1.3{at}", weight) for at, weight in enumerate(vms, 1)]
    endpoints += [("pod", f"billing-7d9c5b6f4-{at}", f"10.1.0.{at}", 1) for at in range(1, pods + 1)]
    shares = (EndpointShare(name, kind, address, weight, Fraction(weight, total)) for kind, name, address, weight in endpoints)
    return Split(service, port, tuple(shares), notes)


def plan(*units: UnitPlan) -> Plan:
    """Return a plan of these units."""
    return Plan("production", COMMIT, units, DIGEST)


WEIGHTS = tuple(
    ObjectDiff(
        key,
        State.UPDATE,
        (FieldDiff("spec.weight", git=9, wanted=9, written=1, cluster=1),),
        (change(key),),
        place=Place("production/shop/billing/workload-entries.yaml", 3 + 12 * at, 1),
    )
    for at, key in enumerate(VMS[:2])
)
SWAP = ObjectDiff(
    ENTRY,
    State.UPDATE,
    (
        FieldDiff("spec.endpoints", written=[{"address": "10.20.1.31"}], cluster=[{"address": "10.20.1.31"}]),
        FieldDiff('spec.workloadSelector.labels["app"]', git="billing", wanted="billing"),
        FieldDiff(
            "spec.ports[name=http].targetPort", git=8080, wanted=8080, written=8080, cluster=80, managers=("kubectl-edit",)
        ),
    ),
    (change(ENTRY),),
    place=Place(FILE, 1, 1),
)
NEW_VM = tuple(
    ObjectDiff(
        key,
        State.CREATE,
        (FieldDiff("spec.address", git="10.20.1.33", wanted="10.20.1.33"), FieldDiff("spec.weight", git=9, wanted=9)),
        (change(key, Action.CREATE),),
        place=Place("production/shop/billing/workload-entries.yaml", 27, 1),
    )
    for key in (VMS[2], RECORDS[2])
)
WHOLESALE = Guard(
    "wholesale",
    "every client gets the new targetPort of port http at once; there is no gradual step.",
    "wholesale:shop/billing",
    keys=(ENTRY,),
)
PRUNING = Guard(
    "prune-after", "WorkloadEntry shop/ledger-vm-9 left Git 8 minutes ago.", until=AT + timedelta(minutes=22),
    keys=(Key("WorkloadEntry", "shop", "ledger-vm-9"),),
)  # fmt: skip
BILLING = UnitPlan(
    "shop/billing",
    Mode.ENFORCE,
    (Step(((change(RECORDS[2], Action.CREATE),), (change(VMS[2], Action.CREATE),), tuple(map(change, VMS[:2])))),),
    held=(change(ENTRY),),
    guards=(WHOLESALE,),
    before=(split([1, 1]),),
    after=(split([9, 9, 9], 3, "approximate: the client side balances by LEAST_REQUEST"),),
    waits_for=("base",),
)
BASE = UnitPlan("base", Mode.ENFORCE, (Step(((change(ACCOUNT_KEY, Action.CREATE),),)),))
LEDGER = UnitPlan("shop/ledger", Mode.ENFORCE, (), held=(change(PRUNING.keys[0], Action.DELETE),), guards=(PRUNING,))
ACCOUNT = ObjectDiff(
    ACCOUNT_KEY,
    State.CREATE,
    changes=(change(ACCOUNT_KEY, Action.CREATE),),
    place=Place("production/shop/billing/account.yaml", 1, 1),
)
GONE = ObjectDiff(
    PRUNING.keys[0],
    State.DELETE,
    (FieldDiff("spec.address", written="10.20.1.49", cluster="10.20.1.49"),),
    (change(PRUNING.keys[0], Action.DELETE),),
)


def drift() -> Report:
    """A person edited the live object; nothing else is due."""
    fields = (
        FieldDiff("spec.weight", git=9, wanted=9, written=9, cluster=90, managers=("kubectl-edit",)),
        FieldDiff("spec.labels.version", git="v2", wanted="v2", written="v2", cluster="v1", managers=("kubectl-edit",)),
    )
    one = ObjectDiff(VMS[0], State.UPDATE, fields, (change(VMS[0], cause=Cause.DRIFT),), place=Place(FILE, 3, 1))
    unit = UnitPlan("shop/billing", Mode.ENFORCE, (Step(((change(VMS[0], cause=Cause.DRIFT),),)),))
    return report("diff", Verdict.CHANGES, differences=(one,), plan=plan(unit))


def migration(command: str = "plan") -> Report:
    """VMs get new weights, a VM and Pods join, and one change needs somebody's word."""
    return report(
        command,
        Verdict.REFUSED,
        differences=(ACCOUNT, *WEIGHTS, SWAP, *NEW_VM, GONE),
        plan=plan(BASE, BILLING, LEDGER),
        skipped=(Skipped("apps/v1", "Deployment", 4, Place("production/shop/billing/deployment.yaml", 1, 1)),),
        notes=("validated against the CRDs of the cluster (Istio 1.28.2)",),
        problems=PROBLEMS[2:3],
    )


def applied() -> Report:
    """Everything was written."""
    results = [result("base", ACCOUNT_KEY, Action.CREATE)]
    results += [result("shop/billing", key, Action.CREATE) for key in (RECORDS[2], VMS[2])]
    results += [result("shop/billing", key) for key in VMS[:2]]
    unit = replace(BILLING, held=(), guards=())
    differences = (ACCOUNT, *WEIGHTS, *NEW_VM)
    return report("apply", Verdict.APPLIED, differences=differences, plan=plan(BASE, unit), results=tuple(results))


def applied_in_part(verdict: Verdict = Verdict.REFUSED) -> Report:
    """What nobody holds was written."""
    return replace(migration("apply"), verdict=verdict, results=applied().results)


def failed() -> Report:
    """One write was refused, one had no answer, the rest was not started."""
    results = (
        result("base", ACCOUNT_KEY, Action.CREATE),
        result("shop/billing", RECORDS[2], Action.CREATE),
        result(
            "shop/billing", VMS[2], Action.CREATE, Written.FAILED, "admission webhook denied the request: label team is missing"
        ),
        *(
            result("shop/billing", key, Action.UPDATE, Written.NOT_STARTED, f"create of {VMS[2]} was not carried out")
            for key in VMS[:2]
        ),
        result("shop/ledger", PRUNING.keys[0], Action.DELETE, Written.UNKNOWN, "no answer within 30 s"),
    )
    ledger = UnitPlan("shop/ledger", Mode.ENFORCE, (Step(((change(PRUNING.keys[0], Action.DELETE),),)),))
    units = plan(BASE, replace(BILLING, held=(), guards=()), ledger)
    return report("apply", Verdict.FAILED, differences=(ACCOUNT, *WEIGHTS, *NEW_VM, GONE), plan=units, results=results)


def invalid(command: str = "plan") -> Report:
    """Git's newest commit has errors; an older one stays in force."""
    older = replace(COMMIT, id="9" * 40, subject="Raise the weights of billing")
    return report(
        command,
        Verdict.INVALID,
        in_force=older,
        problems=PROBLEMS,
        notes=("1a2b3c4d5e is not applied; 9999999999 stays in force",),
    )


def misconfigured() -> Report:
    """What is wrong is no manifest."""
    return report("diff", Verdict.INVALID, problems=(Problem("MR0404", "no cluster is configured: give --kubeconfig"),))


PROBLEMS = (
    Problem("MR2021", "is 70000: use 1 to 65535", place=Place(FILE, 12, 15), field="spec.ports[0].number", object=str(ENTRY)),
    Problem("MR1005", "is set twice, first in line 7: keep one of them", place=Place(FILE, 9, 5), field="metadata.labels.app"),
    Problem(
        "MR2422",
        "is never used because rule #1 matches everything: remove it or move it up",
        Severity.WARNING,
        Place("production/shop/billing/virtual-service.yaml", 31, 9),
        "spec.http[1]",
        "VirtualService shop/billing",
    ),
    Problem(
        "MR3002",
        "picks no WorkloadEntry of this namespace, so only Pods can answer",
        Severity.INFO,
        Place("production/shop/search/service-entry.yaml", 20, 5),
        "spec.workloadSelector.labels",
        "ServiceEntry shop/search",
    ),
)


def checked(verdict: Verdict = Verdict.VALID, problems: tuple[Problem, ...] = PROBLEMS[2:]) -> Report:
    """An offline check of a folder."""
    return report(
        "check", verdict, target="production", revision=None, in_force=None, problems=problems, mode=Mode.OBSERVE,
        skipped=(Skipped("apps/v1", "Deployment", 4, Place("production/shop/billing/deployment.yaml", 1, 1)),),
        notes=("checked against the built-in rules alone, not against your Istio's CRDs: give --crds FILE",),
    )  # fmt: skip


HPA = Scale((Scaler("hpa/billing", 2, 10, 2),))
#: What the steps of a rollout need, what is known of its shares, and what would become of it.
NEEDS = tuple(Need("shop/billing", pods, 7, 2, Fraction(pods, 7), Fraction(1, 7), HPA, Fraction(3, 2)) for pods in (1, 4, 7))
FIGURES = Figures(
    AT,
    retreat="1 ready Pod would get all of it",
    shares=(ShareFigures("shop/billing", Fraction(1, 2), Fraction(52, 100), Fraction(7, 9)),),
    left_alone=(
        LeftAlone("shop/billing", "hpa/billing", 10, Fraction(5, 6), Fraction(1, 2), 1),
        LeftAlone("shop/billing", "hpa/billing", 10, Fraction(1), Fraction(1), 2),
    ),
    arms=(ArmFigures("shop/billing", ("billing",), ("billing-vm-1", "billing-vm-2")),),
)
HELD = (
    ObjectDiff(VMS[0], State.UPDATE, (FieldDiff("spec.weight", git=5, wanted=37, cluster=37),)),
    ObjectDiff(VMS[2], State.DELETE),
)


def outlook(phase: Phase, **rest: object) -> Outlook:
    """Return a rollout from VMs to VMs and Pods in three steps, in the second of them."""
    shares = (split([19, 19], 2), split([1, 1], 2), split([], 2))
    standing = (Standing.PASSED, Standing.CURRENT, Standing.COMING)
    steps = tuple(
        StepOutlook(
            LegKind.TRAFFIC, Fraction(percent, 100), where, (ENTRY, *VMS, *RECORDS), timedelta(minutes=15), gates, split=(one,)
        )
        for percent, where, gates, one in zip(
            (5, 50, 100), standing, (("success",), ("success", "office"), ()), shares, strict=True
        )
    )
    base = Outlook(
        id="r-1", unit="shop/billing", commit=COMMIT.id, digest=DIGEST, attempt=1, phase=phase, outcome=Outcome.NONE, reason="",
        back=False, began=AT - timedelta(hours=1), entered=AT - timedelta(minutes=9), steps=steps, start=(split([1, 1]),),
    )  # fmt: skip
    return replace(base, **rest)  # type: ignore[arg-type]


def rolling(command: str = "apply", verdict: Verdict = Verdict.REFUSED) -> Report:
    """A rollout in each kind of state."""
    coming = tuple(replace(step, standing=Standing.COMING) for step in outlook(Phase.WAITING).steps)
    merged = (replace(coming[0], approval=True, notes=("5.0 % cannot be reached and was joined into it",)), *coming[1:])
    return report(
        command,
        verdict,
        plan=plan(),
        rollouts=(
            outlook(
                Phase.WAITING, id="r-2", unit="shop/search", steps=merged, waits=("as many units as may roll at once do so",)
            ),
            outlook(
                Phase.SOAKING,
                reason="step 2 is in force",
                waits=("6 min more of 15 min", "success: 340 more requests"),
                held=HELD,
                steps=tuple(replace(one, needs=(need,)) for one, need in zip(outlook(Phase.SOAKING).steps, NEEDS, strict=True)),
                figures=FIGURES,
            ),
            outlook(Phase.PAUSED, id="r-3", unit="shop/cart", attempt=2, reason="success has proven harm: 4.1 % against 0.4 %"),
            outlook(Phase.UNDOING, id="r-4", unit="shop/ledger", back=True, reason="eve: tired"),
            outlook(Phase.IDLE, id="r-5", unit="shop/mail", outcome=Outcome.UNDONE, reason="its origin stands again", steps=()),
        ),
    )


MEMBER = Key("WorkloadEntry", "shop", "web-10-0-0-7")


def grouped(command: str = "plan") -> Report:
    """Two VMs of a group come, one waits, and one of Git's comes beside them."""
    origins = [Origin("web", f"web-10-0-0-{number}", "2026-11-23T03:10:00Z") for number in (7, 8)]
    keys = [MEMBER, MEMBER._replace(name="web-10-0-0-8"), VMS[0]]
    made = [
        ObjectDiff(key, State.CREATE, changes=(change(key, Action.CREATE, Cause.JOIN),), place=Place(FILE, 4), origin=origin)
        for key, origin in zip(keys, (*origins, None), strict=True)
    ]
    standings = {
        7: (judging.Standing.IN, ""),
        8: (judging.Standing.IN, ""),
        9: (judging.Standing.WAITING, "waiting for VM shop/web-10-0-0-9"),
    }
    members = tuple(
        Member(MEMBER._replace(name=f"web-10-0-0-{number}"), "web", origins[0].at, *found)
        for number, found in standings.items()
    )
    unit = UnitPlan("shop/billing", Mode.ENFORCE, (Step((tuple(one.changes[0] for one in made),)),))
    return report(command, Verdict.CHANGES, differences=tuple(made), plan=plan(unit), members=members)


def every_state() -> Report:
    """One object in each state."""
    told = {
        State.NOT_ADOPTED: "is there already, made by kubectl-create, and is not touched: adopt it",
        State.FOREIGN_TOOL: "is held by argo-cd (annotation argocd.argoproj.io/tracking-id) and is not touched",
        State.CO_OWNED: "is co-owned by helm, whose fields Git wants to change",
        State.FIGHT: "is left alone: the manager flagger keeps changing spec.http back. Stop that writer",
        State.LEFT: "is not in Git any more and stays: somebody took our mark away from it",
        State.TERMINATING: "waits for the finalizer example.com/hold since 03:01",
        State.UNREADABLE: "may not be read: the namespace vault is forbidden to us",
    }
    differences = []
    for number, state in enumerate(one for one in State if one is not State.IN_SYNC):
        key = Key("ServiceEntry", "shop", f"s-{number}")
        problems = (Problem(f"MR51{number:02}", told[state], Severity.WARNING, object=str(key)),) if state in told else ()
        due = (change(key),) if state in (State.CREATE, State.UPDATE, State.DELETE, State.ADOPT) else ()
        fields = (FieldDiff("spec.resolution", git="STATIC", wanted="STATIC", written="DNS", cluster="DNS"),)
        differences.append(ObjectDiff(key, state, fields, due, problems, Place(FILE, 1 + number * 20, 1)))
    return report("diff", Verdict.CHANGES, differences=tuple(differences))


def result(
    unit: str, key: Key, action: Action = Action.UPDATE, written: Written = Written.DONE, message: str = ""
) -> WriteResult:
    """Return what became of a write."""
    return WriteResult(unit, key, action, Cause.GIT, written, message)
