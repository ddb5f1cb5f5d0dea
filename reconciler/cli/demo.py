"""`demo`: the whole job on an embedded mesh, told chapter by chapter."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.init import template
from reconciler.cli.show import failing, show
from reconciler.core.report import Report
from reconciler.reports import rollouts

if TYPE_CHECKING:
    from reconciler.demo.run import Demo


@click.command()
@click.option("--keep", is_flag=True, help="Go on serving afterwards, so that you can push changes of your own.")
@failing
def demo(*, keep: bool) -> int:
    """Run the whole job on an embedded mesh: no cluster, nothing to install, nothing left behind.

    A bare Git repository made of the template, a cluster in memory, a VM registry on SQLite, VMs that report that they are
    well, and `serve` over all of it. A service enters with inline endpoints, becomes WorkloadEntries behind a selector, and
    Pods join it.
    """
    from reconciler.demo.run import embedded
    from reconciler.demo.story import CHAPTERS

    # Whoever ends it gets the same tidy end as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo("An embedded mesh: cluster in memory, VM registry on SQLite, a bare Git repository, and `serve` over them.")
    with embedded(template()) as mesh:
        _tell(mesh, "The template is what Git starts with", mesh.repository.head())
        for chapter in CHAPTERS:
            _tell(mesh, chapter.title, mesh.play(chapter))
        click.echo("\nThe story is over: cluster and registry hold what Git says.")
        click.echo("Your own begins with `reconciler init my-mesh`.")
        if keep:
            _go_on(mesh)
    return 0


def _tell(mesh: "Demo", title: str, commit: str) -> None:
    click.secho(f"\n== {title}", bold=True)
    told: dict[str, str] = {}
    for report in mesh.reports_until(commit):
        _show_if_news(report, told)
    for line in mesh.traffic():
        click.echo(f"   {line}")


def _show_if_news(report: Report, told: dict[str, str]) -> None:
    lines = list(rollouts.news(report, told))
    if report.results or report.problems or report.guards:
        show(report, "terminal")
    else:
        for line in lines:
            click.echo(f"   {line}")


def _go_on(mesh: "Demo") -> None:
    copy = Path("my-mesh").absolute()
    click.secho("\nIt goes on serving. Push a change of your own from another terminal:", bold=True)
    click.echo(f"  git clone {mesh.repository.bare} {copy}")
    click.echo(f"  cd {copy} && $EDITOR production/shop/billing/workload-entries.yaml")
    click.echo("  git commit --all --message 'Try something' && git push")
    click.echo("Ctrl-C ends it and leaves nothing behind.\n")
    told: dict[str, str] = {}
    try:
        for report in mesh.reports():
            _show_if_news(report, told)
    except KeyboardInterrupt:
        click.echo("\nended")
