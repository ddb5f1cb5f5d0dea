"""Compare all cases, print what differs, and end with one line of numbers."""

import sys
from collections import Counter

from tests.conformance.cases import CASES, cases
from tests.conformance.comparison import Compared, Outcome, compare


def main() -> int:
    """Return 1 where a difference is unexplained, else 0."""
    compared = [compare(case) for case in cases()]
    if not compared:
        print(f"conformance: Istio's cases are not here ({CASES} is missing), nothing was compared")
        return 0
    for outcome in (Outcome.ON_PURPOSE, Outcome.UNEXPLAINED):
        different = [one for one in compared if one.outcome is outcome]
        if different:
            print(f"{outcome}:")
        for one in different:
            print("\n".join(_described(one)))
    count = Counter(one.outcome for one in compared)
    agree, meant, unexplained = (count[outcome] for outcome in Outcome)
    print(f"conformance: {agree} of {len(compared)} agree, {meant} on purpose, {unexplained} unexplained")
    return 1 if unexplained else 0


def _described(one: Compared) -> list[str]:
    word = "accepts" if one.case.accepted else "refuses"
    warning = {True: " with a warning", False: " without a warning", None: ""}[one.case.warned if one.case.accepted else None]
    lines = [f"  {one.case.path.relative_to(CASES)}: Istio {word} it{warning}, we say:"]
    lines += [f"    {problem}" for problem in one.problems] or ["    nothing"]
    return [*lines, f"    because: {one.reason}"] if one.reason else lines


if __name__ == "__main__":
    sys.exit(main())
