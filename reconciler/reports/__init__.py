"""Renderers of the one `Report`: terminal, JSON, Markdown, HTML. They show it; they never change or decide anything.

`render(report, form)` returns text for every form but the terminal's, which `terminal` draws with rich.
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
