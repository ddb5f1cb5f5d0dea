"""A plain table as Markdown or as a page: what `status` and `history` say, for those who do not sit at a terminal.

As in reports, nothing that others wrote becomes markup; the page is one file without script, link or outside resource.
"""

from collections.abc import Iterable, Sequence

from jinja2 import Environment, StrictUndefined

from reconciler.reports.markdown import Page, prose
from reconciler.reports.safe import clean

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'">
<title>{{ title }}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 4rem }
  h1 { font-size: 1.3rem } table { border-collapse: collapse }
  th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid }
  td { overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<table>
{% if heads | select | list %}<tr>{% for head in heads %}<th>{{ head }}</th>{% endfor %}</tr>
{% endif %}
{% for row in rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</table>
</body>
</html>
"""


def markdown(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table under a title."""
    page = Page()
    page.add(f"### mesh-reconciler: {prose(title)}", "")
    page.table("", [prose(head) for head in heads], ([prose(cell) for cell in row] for row in rows))
    return "\n".join(page.lines)


def html(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a page that holds a table."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    cleaned = [[clean(cell) for cell in row] for row in rows]
    return environment.from_string(_PAGE).render(title=clean(title), heads=heads, rows=cleaned)
