"""Renderers of the one `Report`: terminal, JSON, Markdown, HTML, and SARIF for `check`. They show it; they decide nothing.

`render(report, form)` returns text; the terminal's form is drawn by `terminal` with rich, and that of code scanning made by
`sarif`. What all of them may
show, `safe` decides; how a report is laid out for people, `layout`; the sentences are in `words`, the commands in `advice`.
"""

from reconciler.core.report import Report


def render(report: Report, form: str) -> str:
    """Return the report as ``json``, ``markdown`` or ``html``; raises KeyError for another form."""
    match form:
        case "json":
            from reconciler.reports import as_json

            return as_json.text(report)
        case "markdown":
            from reconciler.reports import markdown

            return markdown.text(report)
        case "html":
            from reconciler.reports import html

            return html.text(report)
        case _:
            raise KeyError(form)
