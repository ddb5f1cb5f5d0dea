"""The report as one self-contained HTML file: no script, no outside resource, everything escaped by construction."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from reconciler.core.report import Report
from reconciler.reports import words


def text(report: Report) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("reconciler.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(report=report, words=words, clean=words.clean)
