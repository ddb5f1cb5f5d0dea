"""`agent`: what runs on a VM, here, from this installation instead of the one file."""

import sys
from pathlib import Path

import click

from reconciler.agent import main as agent_main
from reconciler.agent.config import CONFIG


@click.command()
@click.option("--config", type=click.Path(path_type=Path), default=CONFIG, show_default=True, help="Configuration (JSON).")
@click.option("--debug", is_flag=True, help="Tell of every try.")
def agent(*, config: Path, debug: bool) -> None:
    """Probe this VM's workloads and tell the registry how they are, until SIGTERM (leaves the mesh) or SIGINT.

    VMs run the same as one file, which needs nothing but Python: `reconciler vm agent-file`.
    """
    sys.exit(agent_main.main(["--config", str(config), *(["--debug"] if debug else [])]))
