"""`python -m tests.real`: the real parts for a developer's hands, and for the harness itself."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import get_args

from tests.real.apiserver import ApiServer
from tests.real.apiserver_process import ApiServerProcess
from tests.real.crds import WHICH
from tests.real.keeper import Name, alive, answer, keep, prepare, spawn, stop_all
from tests.real.locations import cache
from tests.real.missing import PartMissing


def say(line: str) -> None:
    """One line for the person who waits."""
    print(f"real parts: {line}", file=sys.stderr, flush=True)


def up(arguments: argparse.Namespace) -> None:
    """Start a server and stay until ctrl-C, or leave it running with --detach."""
    if arguments.detach:
        run = detached()
        if not alive(run):
            shutil.rmtree(run, ignore_errors=True)  # what a reboot may have left
        run.mkdir(exist_ok=True)
        prepare("api-server", say)
        spawn("api-server", run, watch=None)
        _announce(ApiServer.from_json(answer("api-server", run)), "stop it: python -m tests.real down")
        return
    with tempfile.TemporaryDirectory(prefix="mesh-reconciler-") as folder:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)  # a kill cleans up like ctrl-C
        process = ApiServerProcess(Path(folder), say, arguments.crds)
        try:
            _announce(process.start(), "it runs until ctrl-C")
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            say("stopping")
        finally:
            process.stop()


def down(arguments: argparse.Namespace) -> None:
    """Stop what `up --detach` started, and forget its data."""
    stop_all(detached())
    shutil.rmtree(detached(), ignore_errors=True)


def build(arguments: argparse.Namespace) -> None:
    """Get all parts into the cache; those of the mesh tier only where they are asked for."""
    prepare("api-server", say)
    prepare("prometheus", say)
    if arguments.mesh:
        prepare("istiod", say)
        prepare("consul", say)
    say(f"ready in {cache()}")


def detached() -> Path:
    """Where the one detached server of this user lives."""
    return cache() / "detached"


def _announce(server: ApiServer, how_to_stop: str) -> None:
    say(f"kube-apiserver {server.version} on etcd {server.etcd_version}, CRDs of Istio {server.istio_version}; {how_to_stop}")
    print(server.kubeconfig, flush=True)


def main() -> int:
    """Parse the arguments, do as told; 1 with one line where a part is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.real", description=__doc__)
    commands = parser.add_subparsers(required=True)
    upper = commands.add_parser("up", help="start kube-apiserver with Istio's CRDs and print the path of its kubeconfig")
    upper.add_argument("--crds", choices=WHICH, default="newest", help="the Istio version whose CRDs to install")
    upper.add_argument("--detach", action="store_true", help="leave it running (one per user)")
    upper.set_defaults(act=up)
    commands.add_parser("down", help="stop what `up --detach` started").set_defaults(act=down)
    builder = commands.add_parser("build", help="get the parts into the cache")
    builder.add_argument("--mesh", action="store_true", help="istiod and Consul too, which only the mesh tests need")
    builder.set_defaults(act=build)
    keeper = commands.add_parser("keep", help="used by the test run: hold one server")
    keeper.add_argument("name", choices=get_args(Name))
    keeper.add_argument("--directory", type=Path, required=True)
    keeper.add_argument("--watch", type=int)
    keeper.set_defaults(act=lambda arguments: keep(arguments.name, arguments.directory, arguments.watch))
    arguments = parser.parse_args()
    try:
        arguments.act(arguments)
    except PartMissing as missing:
        say(f"MISSING {missing}")
        return 1
    return 0


if __name__ == "__main__":
    os.umask(0o077)  # tokens and keys lie in the folders
    sys.exit(main())
