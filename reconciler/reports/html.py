"""The report as one self-contained HTML file: no script, no link, no outside resource, everything escaped by construction."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.core.report import Report, Written
from reconciler.reports import layout, rollouts, safe, words
from reconciler.reports.advice import advice

#: Objects that differ in their own way, and problems, of which the page shows so many; the JSON report has them all.
MAX_GROUPS, MAX_PROBLEMS = 2_000, 1_000
#: Names shown of objects that are alike.
MAX_NAMES = 500
#: From so many units on only those that want a person are open at first.
FEW_UNITS = 8


def text(report: Report) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("reconciler.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    units, left_out = _fitting(layout.units(report))
    return environment.get_template("report.html").render(
        report=report,
        units=units,
        left_out=left_out,
        few=len(units) <= FEW_UNITS,
        few_rollouts=FEW_UNITS,
        problems=words.by_weight(report.problems),
        waiting=[(unit.title, guard) for unit in units if unit.plan for guard in unit.plan.guards],
        earlier=layout.earlier(report),
        unfinished=[one for one in report.results if one.written is not Written.DONE],
        advice=advice(report),
        layout=layout,
        rollouts=rollouts,
        words=words,
        max_problems=MAX_PROBLEMS,
        max_names=MAX_NAMES,
    )


def _cleaned(value: object) -> object:
    """Clean what an expression of the template yields; autoescape comes after it. Markup is what our own macros made."""
    return value if isinstance(value, Markup) else safe.clean(str(value))


def _fitting(units: tuple[layout.Unit, ...]) -> tuple[list[layout.Unit], int]:
    """Return the units that fit on the page, those that want a person in any case, and how many do not."""
    room, fitting = MAX_GROUPS, []
    for unit in units:
        room -= max(len(unit.groups), 1)
        if room >= 0 or unit.urgent:
            fitting.append(unit)
    return fitting, len(units) - len(fitting)
