"""`serve`: reconcile continuously, until told to stop."""

import ctypes
import logging
from contextlib import nullcontext, suppress
from typing import Any

import click

from reconciler.cli.beside import registry_beside
from reconciler.cli.ending import ended_by_signals
from reconciler.cli.options import take_settings, target_options
from reconciler.cli.show import failing, said
from reconciler.cli.told import WAITING
from reconciler.core.report import Report


@click.command()
@target_options
@click.option("--poll-interval", metavar="TIME", help="How often Git is asked, such as 30s or 5m.  [default: 60s]")
@click.option("--allow-local", is_flag=True, help="Accept a local repository; it is watched, so a commit is seen at once.")
@failing
def serve(*, allow_local: bool, **options: Any) -> int:
    r"""Reconcile continuously: poll Git, watch both stores, apply what is due, keep to the last good commit otherwise.

    With the setting `registry_server.in_serve` it is the VM registry's server too (see `reconciler registry serve --help`).
    Runs in the foreground and logs to standard error. SIGTERM and SIGINT end it after the write in hand, and within 45 s.

    \b
    reconciler serve --repo https://git.example.com/mesh.git --path production
    reconciler serve --repo ./mesh --allow-local --mode observe
    """
    from reconciler.cycle.service import Service
    from reconciler.reports import safe
    from reconciler.reports.logged import Log
    from reconciler.wiring import open_target, working_copy_watch

    settings = take_settings(options, poll_interval=options.pop("poll_interval"))
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"
    )
    _quieten()
    log = logging.getLogger("reconciler")
    told = Log(said()[0])

    def tell(report: Report) -> None:
        for line in told.news(report):
            log.log(line.level, "%s", line.text)
        if not report.results:
            _give_memory_back()  # the plan of the pass before, if there was one, is garbage by now

    with open_target(settings, local=allow_local) as target:
        service = Service(
            target.cycle,
            poll=settings.poll_interval,
            report=tell,
            watch=working_copy_watch(target.settings),
        )
        beside = registry_beside(settings, service.stop) if settings.registry_server.in_serve else nullcontext()
        with beside, ended_by_signals(service.stop, log.info):
            log.info("serving target %s from %s, mode %s", settings.target, safe.clean(settings.repo), settings.mode)
            service.run()
    log.info("stopped")
    return 0


def _give_memory_back() -> None:
    """Return to the system what is free, which glibc would keep: after a plan of 10,000 objects some 15 MB."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _quieten() -> None:
    """Keep out of the log what is no news to it: every tick of the timer, and each try that nobody sits waiting for."""
    logging.getLogger("apscheduler").setLevel(max(logging.WARNING, logging.root.level))
    for handler in logging.root.handlers:
        handler.addFilter(lambda record: record.levelno >= logging.WARNING or not record.name.endswith(WAITING))
