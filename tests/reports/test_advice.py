"""What to type next."""

import shlex
from dataclasses import replace

import pytest

from reconciler.core.plans import Guard, Mode
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Key
from reconciler.core.rollouts.rollout import Cause, Phase
from reconciler.reports.advice import FEW, advice
from tests.reports import extremes, samples
from tests.reports.drawing import drawn
from tests.reports.samples import DIGEST, report

OPTIONS = ("--repo", "https://git.example.com/mesh.git", "--path", "my folder")


def commands(given: Report, *options: str) -> list[str]:
    """Return the commands alone."""
    return [one.command for one in advice(given, options)]


def test_the_options_that_named_the_target_are_repeated() -> None:
    """So that the line can be copied, quoted as a shell wants it."""
    assert commands(samples.drift(), *OPTIONS) == [
        "reconciler plan --repo https://git.example.com/mesh.git --path 'my folder'",
    ]


def test_a_plan_leads_to_an_apply_of_that_very_plan() -> None:
    """And every override is a line of its own: each is a decision of its own."""
    assert commands(samples.migration()) == [
        f"reconciler apply --digest {DIGEST}",
        f"reconciler apply --digest {DIGEST} --allow wholesale:shop/billing",
        f"reconciler approve {DIGEST} --allow wholesale:shop/billing --reason WHY",
    ]


def test_what_was_decided_for_a_plan_goes_with_its_digest() -> None:
    """Without it the digest would be another one."""
    found = [one.command for one in advice(samples.migration(), ("--path", "a"), ("--adopt", "all"))]
    assert found == [
        f"reconciler apply --path a --adopt all --digest {DIGEST}",
        f"reconciler apply --path a --adopt all --digest {DIGEST} --allow wholesale:shop/billing",
        f"reconciler approve --path a {DIGEST} --allow wholesale:shop/billing --reason WHY",
    ]


def test_a_diff_leads_to_the_plan_alone() -> None:
    """Its digest is that of no plan where a rollout would begin: what is said for it would be said for nothing."""
    assert commands(samples.migration("diff")) == ["reconciler plan"]
    assert DIGEST not in drawn(samples.migration("diff"), 100)
    held = report("diff", Verdict.CHANGES, plan=samples.plan(samples.LEDGER))
    assert commands(held) == ["reconciler plan"]


def test_rollouts_that_stand_still_say_how_they_go_on() -> None:
    """One that is paused, and one that was undone: Git still asks for it, so it is tried again, or Git is set right."""
    found = commands(replace(samples.rolling(), results=()), "--path", "a")[-4:]
    assert found == [
        "reconciler resume --path a shop/cart --reason WHY",
        "reconciler abort --path a shop/cart --reason WHY",
        "reconciler retry --path a shop/mail --reason WHY",
        f"git revert {samples.rolling().rollouts[-1].commit[:10]}",
    ]
    halted = replace(samples.rolling().rollouts[2], phase=Phase.HALTED)
    assert commands(replace(samples.rolling(), rollouts=(halted,), results=()))[-1] == "reconciler retry shop/cart --reason WHY"


def test_a_rollout_that_asks_for_an_approval_says_how_to_give_it() -> None:
    """It goes on by itself otherwise, and nobody has to look its digest up."""
    asks = samples.outlook(Phase.SOAKING, asked="a person must approve what comes next (plan 3f2a61c09b7e)")
    found = replace(samples.rolling("serve", Verdict.CHANGES), rollouts=(asks,), results=())
    assert commands(found) == [f"reconciler approve shop/billing --digest {DIGEST[:12]} --reason WHY"]


def test_a_hold_is_ended_and_not_resumed() -> None:
    """A resume would be in vain as long as hands are kept off."""
    held = samples.outlook(Phase.PAUSED, cause=Cause.HOLD, reason="held by eve")
    found = replace(samples.rolling(), rollouts=(held,), results=())
    assert commands(found)[-1] == "reconciler hold shop/billing --end"


def test_a_service_is_told_by_an_approval() -> None:
    """Whoever reads the log of `serve` does not apply by hand."""
    assert commands(samples.migration("serve")) == [f"reconciler approve {DIGEST} --allow wholesale:shop/billing --reason WHY"]


def test_in_observe_mode_nothing_is_carried_out() -> None:
    """So nothing is proposed that would do it."""
    assert commands(replace(samples.drift(), mode=Mode.OBSERVE)) == []


def test_after_writes_or_a_refusal_things_are_looked_at_anew() -> None:
    """The digest of what was planned would be refused by now."""
    assert commands(samples.applied_in_part()) == ["reconciler plan"]
    assert commands(report("apply", Verdict.REFUSED, reason="pod-7:1 is the writer")) == ["reconciler plan"]
    assert commands(replace(samples.applied_in_part(), command="serve")) == []


def test_only_a_few_overrides_are_proposed() -> None:
    """A list of fifty invites to allow them all unread."""
    guards = tuple(Guard("delete-service", "m", f"delete:ServiceEntry/shop/s-{number}") for number in range(50))
    unit = replace(samples.LEDGER, guards=guards)
    assert len(commands(report("plan", Verdict.REFUSED, plan=samples.plan(unit)))) == FEW + 1


def test_what_exists_already_can_be_taken_over() -> None:
    """The object is written as the command takes it."""
    one = samples.every_state()
    assert commands(one) == ["reconciler apply --adopt ServiceEntry/shop/s-4"]
    assert commands(replace(one, mode=Mode.OBSERVE)) == []
    another = replace(one.differences[4], key=Key("ServiceEntry", "shop", "s-40"))
    assert commands(replace(one, differences=(*one.differences, another)))[0] == "reconciler plan --adopt all"


@pytest.mark.parametrize(
    ("given", "proposed"),
    [
        (samples.checked(), []),
        (samples.checked(Verdict.INVALID, samples.PROBLEMS), []),
        (samples.invalid(), ["reconciler check FOLDER"]),
        (samples.misconfigured(), []),
        (samples.applied(), []),
        (samples.failed(), ["reconciler apply"]),
        (report("diff", Verdict.UNAVAILABLE), ["reconciler diff"]),
        (report("serve", Verdict.UNAVAILABLE), []),
    ],
)
def test_every_end_leads_somewhere_or_needs_nothing(given: Report, proposed: list[str]) -> None:
    """A good end proposes nothing; a service tries again by itself."""
    assert commands(given) == proposed


@pytest.mark.case("W-17")
def test_names_that_mean_harm_stay_one_word() -> None:
    """A copied line runs one command with one name, whatever the name is."""
    lines = commands(replace(extremes.hostile(), results=()))
    assert len(lines) > FEW
    for line in lines:
        assert line.isprintable()
        assert shlex.split(line)[:2] in ([*("reconciler", word)] for word in ("apply", "approve", "resume", "abort"))
        assert len(shlex.split(line)) in (4, 5, 6, 11)
