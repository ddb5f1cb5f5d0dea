"""`reconciler-agent`: arguments, log, signals."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from reconciler import __version__
from reconciler.agent.agent import Agent
from reconciler.agent.bell import Bell
from reconciler.agent.config import CONFIG, InvalidConfig, read_config
from reconciler.agent.registry import Registry
from reconciler.agent.vault import Locked, Vault
from reconciler.agent.watching import Watches

log = logging.getLogger("agent")


def main(arguments: list[str] | None = None) -> int:
    """Run the agent as the command line says; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="reconciler-agent",
        description="Probe this VM's workloads and tell the registry how they are.",
        epilog="SIGTERM leaves the mesh (unless `leave` is false in the configuration), SIGINT ends without a word.",
    )
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="configuration (JSON) [%(default)s]")
    parser.add_argument("--debug", action="store_true", help="tell of every try")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    given = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr, format="%(levelname)s %(message)s", level=logging.DEBUG if given.debug else logging.INFO
    )
    try:
        run(given.config)
    except InvalidConfig as error:
        for problem in error.problems:
            log.error("%s: %s", given.config, problem)
        return 1
    except Locked as error:
        log.error("%s", error)
        return 1
    return 0


def run(path: Path) -> None:
    """Work by a configuration until SIGTERM or SIGINT. Raises InvalidConfig, Locked."""
    config = read_config(path)
    bell = Bell()
    registry = Registry(config)
    vault = Vault(config.state)
    watches = Watches(bell.ring, allow_exec=config.allow_exec)
    with bell.on_signals(signal.SIGTERM, signal.SIGINT):
        log.info("agent %s reports to %s:%d", __version__, config.host, config.port)
        Agent(registry, vault, watches, bell, leave=config.leave).run()
    registry.close()
    vault.close()
