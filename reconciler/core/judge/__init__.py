"""The judge behind a comparing gate: is the canary worse than the stable arm, or proven not to be, or is it too early to say.

    evidence = Evidence()                         once per metric and canary; afterwards `from_json(what was stored)`
    evidence = evidence.add(window, limits)       after every window: requests and failures of both arms
    verdict = evidence.verdict(limits)            HARM (stop), NOT_WORSE (go on), WAIT; with reason, proofs, what is missing
    stored = to_json(evidence)                    saved together with the rollout
    evidence = evidence.for_next_step()           when a step is in force
    evidence = evidence.for_new_canary()          when the canary's Pods or VMs run another version

`Limits` are the parameters. Every look is safe: by no number of looks, no duration and no traffic is a canary that is as good
as the stable arm called harmful with more than the chance `alpha` (`processes`); and harm is found however late it begins.
That is exact for failures that come singly. They may come in bursts: how bursty they are is learned from the stable arm alone
(`dispersion`). **Feed its history first**, at least an hour of windows from before the rollout and better a day, the canary's
counts left at 0. Without it the judge expects bursts until it has seen better, and is slow.

For latency, failures are the requests that took longer than an edge of the histogram's buckets. Choose it once, before the
rollout, from the stable arm's history (`history.edge_of(0.95)`), keep it with the rollout, and count `slower_than(edge)` of
both arms. An edge that is fixed beforehand keeps the proof exact, and at an edge the counts are exact. The canary is then
worse if a larger share of its requests takes longer than what 95 % of the stable arm's stayed within.

What it cannot do. A bad release and a bad node look alike in two sums. Failures of both arms at once convict nobody: they widen
the dispersion, and the judge waits. After an incident in the stable arm it is slow for some hours, on purpose. At full exposure
there is no stable arm, and nothing is proven either way.

What must not be known here: where counts come from, whether they are fresh, what a verdict leads to.
"""

from reconciler.core.judge.codec import from_json, to_json
from reconciler.core.judge.counts import Counts, Histogram, Window
from reconciler.core.judge.evidence import Evidence
from reconciler.core.judge.limits import Limits
from reconciler.core.judge.verdict import Decision, Missing, Proof, Reason, Seen, Verdict

__all__ = [
    "Counts",
    "Decision",
    "Evidence",
    "Histogram",
    "Limits",
    "Missing",
    "Proof",
    "Reason",
    "Seen",
    "Verdict",
    "Window",
    "from_json",
    "to_json",
]
