"""Reports that no renderer may choke on: texts that mean harm, megabytes in a value, hundreds of objects. And all samples."""

from collections.abc import Iterable
from dataclasses import replace

from reconciler.core.changes import Action, FieldDiff, ObjectDiff, Origin, State
from reconciler.core.groups.judging import Standing
from reconciler.core.groups.members import Member
from reconciler.core.plans import Guard, Mode, Step, UnitPlan
from reconciler.core.report import Report, Verdict, Written
from reconciler.core.resources import Key, Signature, Skipped
from reconciler.core.rollouts.outlook import Outlook
from reconciler.core.rollouts.rollout import Phase
from reconciler.errors import Place, Problem, Severity
from tests.reports import samples
from tests.reports.samples import COMMIT, ENTRY, PROBLEMS, change, plan, report, result, split

#: Texts that shall do nothing: markup of HTML, Markdown and rich, escapes, text that turns, line breaks, half a character.
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "](javascript:alert(3)) | `code` | **bold** @everyone #1 <!-- -->",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m",
    "invoice\u202egpj.exe\u2066\u200b",
    "one\nerror: two\r\nthree\ttabbed",
    "[bold red]rich[/bold red] [link=https://evil.example]x[/link]",
    "half \ud800 a character",
    '=HYPERLINK("https://evil.example")',
)


def large(services: int = 60, vms: int = 6) -> Report:
    """Hundreds of objects: every VM of every service gets a new weight, and one of them another."""
    differences, units = [], []
    for service in range(services):
        keys = [Key("WorkloadEntry", f"team-{service % 7}", f"service-{service}-vm-{number}") for number in range(vms)]
        for key in keys:
            weight = 3 if (service, key) == (1, keys[-1]) else 9
            field = FieldDiff("spec.weight", git=weight, wanted=weight, written=1, cluster=1)
            differences.append(ObjectDiff(key, State.UPDATE, (field,), (change(key),), place=Place(f"p/{key.name}.yaml", 1, 1)))
        service_name = f"service-{service}.internal"
        before, after = (split([weight] * vms, 2, service=service_name) for weight in (1, 9))
        units.append(
            UnitPlan(
                f"team-{service % 7}/service-{service}",
                Mode.ENFORCE,
                (Step((tuple(map(change, keys)),)),),
                before=(before,),
                after=(after,),
            )
        )
    return report("plan", Verdict.CHANGES, objects=services * vms, differences=tuple(differences), plan=plan(*units))


def many_steps(units: int = 40, steps: int = 60) -> Report:
    """Many units roll at once, each in many steps."""
    first, second, third = samples.outlook(Phase.SOAKING).steps
    way = (*[first] * (steps // 2), second, *[third] * (steps - steps // 2 - 1))
    found = [samples.outlook(Phase.SOAKING, id=f"r-{at}", unit=f"shop/service-{at}", steps=way) for at in range(units)]
    return report("plan", Verdict.CHANGES, plan=plan(), rollouts=tuple(found))


def hostile() -> Report:
    """Every text that others write means harm."""
    texts = HOSTILE
    secret = FieldDiff("spec.http[0].headers.request.set.authorization", git="s3cr3t s3cr3t", cluster="Basic s3cr3ts3cr3t")
    differences = [
        ObjectDiff(
            Key("ServiceEntry", "shop", text),
            State.UPDATE,
            (FieldDiff(f'spec.tags["{text}"]', text, text, {text: [text]}, text, managers=(text,)), secret),
            (change(Key("ServiceEntry", "shop", text)),),
            (Problem("MR5107", text, Severity.WARNING, object=text),),
            Place(f"{text}.yaml", 1, 1),
            Origin(text, text, text),
        )
        for text in texts
    ]
    guards = tuple(Guard("wholesale", text, f"wholesale:{text}") for text in texts)
    writes = Step((tuple(one.changes[0] for one in differences),))
    unit = UnitPlan(texts[0], Mode.OBSERVE, (writes,), (), guards, (split([1], 0, *texts, service=texts[1]),), (), (), texts)
    return report(
        "apply",
        Verdict.REFUSED,
        revision=replace(COMMIT, author=texts[0], subject="".join(texts), signature=Signature.BAD, signer=texts[0]),
        differences=tuple(differences),
        plan=plan(unit),
        problems=tuple(Problem("MR1001", text, place=Place(text, 1, 2), field=text, object=text) for text in texts),
        results=tuple(
            result(texts[0], Key("ServiceEntry", "shop", text), Action.UPDATE, Written.FAILED, text) for text in texts
        ),
        skipped=tuple(Skipped(text, text, 2, Place(text, 3, 4)) for text in texts),
        notes=texts,
        rollouts=tuple(hostile_rollout(text) for text in texts),
        members=tuple(Member(Key("WorkloadEntry", text, text), text, text, Standing.HELD, text) for text in texts),
    )


def hostile_rollout(text: str) -> Outlook:
    """A rollout of which every text means harm."""
    keys = (Key(text, text, text),)
    step = replace(samples.outlook(Phase.PAUSED).steps[1], objects=keys, gates=(text,), notes=(text,), lacks=text)
    step = replace(step, split=(split([1], 1, text, service=text), split([1], 0, service=text)))
    held = (ObjectDiff(keys[0], State.UPDATE, (FieldDiff(text, git=text, wanted="x", cluster={text: text}),)),)
    texts = {"unit": text, "commit": text, "digest": text, "reason": text}
    return samples.outlook(
        Phase.PAUSED, id=text, **texts, steps=(step,), start=step.split, waits=(text,), notes=(text,), held=held
    )


def huge() -> Report:
    """A megabyte in one value, thousands of lines in another, hundreds of fields in one object."""
    lines = "\n".join(f"line {number}" for number in range(5_000))
    fields = [
        FieldDiff("metadata.annotations.big", git="x" * 1_000_000, wanted="x" * 1_000_000, cluster="x" * 999_999 + "y"),
        FieldDiff("spec.text", git=lines, wanted=lines, written=lines, cluster=lines.upper()),
        *(FieldDiff(f"spec.items[{number}]", git=number, wanted=number) for number in range(500)),
    ]
    return report("diff", Verdict.CHANGES, differences=(ObjectDiff(ENTRY, State.UPDATE, tuple(fields), (change(ENTRY),)),))


def everything() -> Iterable[tuple[str, Report]]:
    """Return all samples by name."""
    return (
        ("valid", samples.checked()),
        ("check-invalid", samples.checked(Verdict.INVALID, PROBLEMS)),
        ("in-sync", report("diff", Verdict.IN_SYNC)),
        ("drift", samples.drift()),
        ("migration", samples.migration()),
        ("refused-apply", samples.migration("apply")),
        ("applied", samples.applied()),
        ("failed", samples.failed()),
        ("invalid", samples.invalid()),
        (
            "unavailable",
            report("serve", Verdict.UNAVAILABLE, in_force=None, notes=("the API server did not answer: timed out",)),
        ),
        ("states", samples.every_state()),
        ("rollouts", samples.rolling()),
        ("many-steps", many_steps()),
        ("groups", samples.grouped()),
        ("large", large()),
        ("hostile", hostile()),
        ("huge", huge()),
    )
