"""The report as Markdown, read back as GitHub and GitLab read it."""

import re

import pytest
from markdown_it import MarkdownIt

from reconciler.core.report import Report
from reconciler.reports import markdown
from reconciler.reports.markdown import LONGEST, code, prose
from tests.reports import extremes, samples

SAMPLES = [pytest.param(report, id=name) for name, report in extremes.everything()]
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
#: The only HTML that we write: folds in blocks, code in lines.
BLOCKS = re.compile(r"<details><summary><code>[^<>]*</code> <code>[^<>]*</code></summary>\n+|</details>\n*")
INLINE = re.compile(r"</?code>")

TABLE = """\
|  | object | field | Git | last written | cluster | owned by |
| --- | --- | --- | --- | --- | --- | --- |
| `~`&nbsp;update | `WorkloadEntry shop/billing-vm-1, billing-vm-2` | `spec.weight` | `9` | `1` | `1` |  |
| `~`&nbsp;update | `ServiceEntry shop/billing` | `spec.endpoints` | `-` | `[{"address": "10.20.1.31"}]` | \
`[{"address": "10.20.1.31"}]` |  |
|  |  | `spec.workloadSelector.labels["app"]` | `billing` | `-` | `-` |  |
|  |  | `spec.ports[name=http].targetPort` | `8080` | `8080` | `80` | `kubectl-edit` |
"""


@pytest.mark.case("W-08", "D-11")
@pytest.mark.parametrize("report", SAMPLES)
def test_no_text_of_others_becomes_markup(report: Report) -> None:
    """No HTML but our folds and code, no link, no image, no emphasis but our own; tables keep their columns."""
    columns = 0
    for token in READER.parse(markdown.text(report)):
        match token.type:
            case "html_block":
                assert BLOCKS.fullmatch(token.content), token.content
            case "tr_open":
                columns = 0
            case "th_open" | "td_open":
                columns += 1
            case "thead_open":
                width = -1
            case "tr_close":
                width = columns if width < 0 else width
                assert columns == width
            case "inline":
                for inner in token.children or ():
                    assert inner.type in ("text", "softbreak", "code_inline", "html_inline", "strong_open", "strong_close")
                    assert inner.type != "html_inline" or INLINE.fullmatch(inner.content), inner.content


@pytest.mark.parametrize("report", SAMPLES)
def test_nobody_is_pinged(report: Report) -> None:
    """No mention, no issue, no link by itself, outside of code: in what a reader makes of it."""
    for token in READER.parse(markdown.text(report)):
        in_code = False
        for inner in token.children or ():
            in_code = in_code if inner.type != "html_inline" else inner.content == "<code>"
            if inner.type == "text" and not in_code:
                assert not re.search(r"[@#!~%$&]\w", inner.content), inner.content
    text = markdown.text(report)
    outside = re.sub(r"`+[^`]*`+|<code>.*?</code>", "", text)
    assert not re.search(r"https?://|www\.", outside)


@pytest.mark.case("D-10")
@pytest.mark.parametrize("report", [*SAMPLES, pytest.param(extremes.large(400, 10), id="very large")])
def test_it_fits_into_a_comment(report: Report) -> None:
    """Whatever the report: below GitHub's bound, folds closed, and what is missing is counted."""
    text = markdown.text(report)
    assert len(text) <= LONGEST
    assert text.count("<details>") == text.count("</details>")
    if len(text) > LONGEST - 2_000:
        assert "more; the JSON report has them all" in text


@pytest.mark.case("D-10")
def test_problems_alone_may_be_too_many() -> None:
    """Rows are cut where the room ends."""
    text = markdown.text(samples.checked(problems=samples.PROBLEMS * 1_000))
    assert len(text) <= LONGEST
    assert re.search(r"… and [\d,]+ rows more; the JSON report has them all\.", text)
    assert text.index("MR2021") < text.index("… and")


def test_a_unit_is_a_fold_with_one_table() -> None:
    """What changes as rows, without the columns in which nothing stands."""
    text = markdown.text(samples.migration())
    assert "<details><summary><code>shop/billing</code> <code>3 update, 2 create; after base</code></summary>" in text
    assert TABLE in text
    assert "- `+`&nbsp;create `WorkloadEntry shop/billing-vm-3`" in text


def test_what_waits_and_where_traffic_goes_stand_above_the_folds() -> None:
    """A reviewer sees them without opening anything."""
    text = markdown.text(samples.migration())
    above = text[: text.index("<details>")]
    assert "| `shop/ledger` | WorkloadEntry shop/ledger-vm-9 left Git 8 minutes ago. | with the first run after" in above
    assert "| `billing.shop.internal:80` | vm 100.0 % (2) | vm 90.0 % (3), pod 10.0 % (3) |" in above
    assert "reconciler apply --digest 3f9ac2d17be04c55 --allow wholesale:shop/billing" in above


def test_a_diff_says_nothing_of_order_and_traffic() -> None:
    """It only compares."""
    text = markdown.text(samples.migration("diff"))
    assert "Predicted traffic" not in text
    assert "Order:" not in text


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("a_b*c*", "a\\_b\\*c\\*"),
        ("see #12 of @team/x, !3 ~bug %v1 $4 &5", "see `#`12 of `@`team/x, `!`3 `~`bug `%`v1 `$`4 `&`5"),
        ("50 % (2) & more", "50 % (2) &amp; more"),
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("https://x.example www.y.example", "https&#58;//x.example www&#46;y.example"),
        ("[a](b)", "\\[a\\](b)"),
        ("one\ntwo", "one two"),
    ],
)
def test_prose_is_shown_as_it_is(raw: str, escaped: str) -> None:
    """Escaped where Markdown, GitHub or GitLab would see more in it than text."""
    assert prose(raw) == escaped


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("", ""),
        ("spec.ports[0]", "`spec.ports[0]`"),
        ("a`b", "<code>a&#96;b</code>"),
        ("a|b\\", "<code>a&#124;b&#92;</code>"),
        (" a", "<code> a</code>"),
        ("`@team`", "<code>&#96;&#64;team&#96;</code>"),
    ],
)
def test_code_holds_anything(raw: str, shown: str) -> None:
    """Backticks, pipes and backslashes would end a span or a cell: they go as entities."""
    assert code(raw) == shown
