"""Lines that hang, and fields in columns where these fit."""

import io

from rich.console import Console, RenderableType
from rich.text import Text

from reconciler.core.changes import FieldDiff
from reconciler.reports.shapes import Fields, Hanging


def lines(part: RenderableType, width: int) -> list[str]:
    """Return what is drawn, without blanks at the end of lines."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(part)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_wrapped_lines_hang() -> None:
    """The first line begins where it is told to, the others further right; no word is lost."""
    assert lines(Hanging(Text("one two three four five six"), indent=4, first=2), 14) == [
        "  one two",
        "      three",
        "      four",
        "      five six",
    ]


def test_what_fits_is_one_line() -> None:
    """Nothing hangs there."""
    assert lines(Hanging(Text("one two"), first=2), 20) == ["  one two"]


def test_words_longer_than_a_line_are_broken() -> None:
    """A path without blanks does not vanish at the edge."""
    assert "".join(line.strip() for line in lines(Hanging(Text("x" * 90)), 40)) == "x" * 90


def test_one_field_is_one_line() -> None:
    """Columns in which nothing stands are left out, Git's never."""
    assert lines(Fields([FieldDiff("spec.weight", cluster=1)], 2), 60) == ["  spec.weight  Git -  cluster 1"]


def test_fields_stand_in_columns_where_these_fit() -> None:
    """And below one another where they do not, equal ones on one line; every value is there in both."""
    fields = [
        FieldDiff("spec.address", git="10.20.1.31", written="10.20.1.31", cluster="10.20.1.32", managers=("helm",)),
        FieldDiff("spec.weight", git=9, registry=1),
    ]
    assert lines(Fields(fields, 2), 90) == [
        "                Git         last written  cluster     registry  owned by",
        "  spec.address  10.20.1.31  10.20.1.31    10.20.1.32  -         helm",
        "  spec.weight   9           -             -           1         -",
    ]
    assert lines(Fields(fields, 2), 40) == [
        "  spec.address",
        "    Git, last written  10.20.1.31",
        "    cluster            10.20.1.32",
        "    registry           -",
        "    owned by           helm",
        "  spec.weight",
        "    Git                    9",
        "    last written, cluster  -",
        "    registry               1",
    ]
