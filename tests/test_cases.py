"""Every case of bad input has a test that names it, and no test names one that is none."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
#: How many cases there are: of the Git source, of manifests, of diff and plan, of apply, of the VM registry.
COVERED = {"G": 19, "M": 15, "D": 12, "A": 14, "V": 14}
#: Cases of the other parts, some of which no test can name yet.
OTHERS = {"C": 14, "K": 6, "L": 8, "S": 9, "T": 15, "W": 17}


def cases(counts: dict[str, int]) -> set[str]:
    """Return the ids of so many cases of each letter."""
    return {f"{letter}-{number:02}" for letter, count in counts.items() for number in range(1, count + 1)}


def named(path: Path) -> Iterator[str]:
    """Yield the ids that the tests of a file name."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.case":
            yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


def test_every_case_has_a_test() -> None:
    """A case without one is a promise that nobody keeps. Rules, which have no dash (T8), may be named beside them."""
    found = {case for path in TESTS.rglob("*.py") for case in named(path) if "-" in case}
    assert cases(COVERED) - found == set()
    assert found - cases(COVERED | OTHERS) == set()
