"""One Prometheus, a child of this process, on a free loopback port; it scrapes what tests tell it to, every second."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests.real.binaries import PROMETHEUS, executable, version_of
from tests.real.locations import Progress, write_whole
from tests.real.processes import Child, free_ports, wait_until

#: A second is short for a test and still long for a machine that is busy: a scrape that is late is a failed one.
CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: tests
    file_sd_configs: [{files: [targets/*.json], refresh_interval: 1s}]
"""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus as a value: where it is, its version, and the folder by which it learns of targets."""

    url: str
    version: str
    targets: Path

    def scrape(self, name: str, address: str, **labels: str) -> None:
        """Scrape the exporter at `address` (host:port) from now on, with these labels added to all of its series."""
        write_whole(self.targets / f"{name}.json", json.dumps([{"targets": [address], "labels": labels}]))

    def forget(self, name: str) -> None:
        """Scrape it no more."""
        (self.targets / f"{name}.json").unlink(missing_ok=True)

    def to_json(self) -> str:
        """The form in which another process gets to know it."""
        return json.dumps({"url": self.url, "version": self.version, "targets": str(self.targets)})

    @classmethod
    def from_json(cls, text: str) -> Prometheus:
        """The reverse of `to_json`."""
        values = json.loads(text)
        return cls(values["url"], values["version"], Path(values["targets"]))


class PrometheusProcess:
    """Starts, stops and mistreats one Prometheus; everything it writes is under `directory`. Port and data stay."""

    def __init__(self, directory: Path, progress: Progress) -> None:
        """Raises PartMissing when the executable cannot be had; starts nothing yet."""
        self.directory = directory
        self._path = executable(PROMETHEUS, progress)
        (port,) = free_ports(1)
        self._address = f"127.0.0.1:{port}"
        self._child: Child | None = None
        (directory / "targets").mkdir(parents=True)
        write_whole(directory / "prometheus.yml", CONFIG)

    @property
    def server(self) -> Prometheus:
        """The server as a value; it stays valid over restarts."""
        return Prometheus(f"http://{self._address}", version_of(self._path), self.directory / "targets")

    def start(self) -> str:
        """Start it where it does not run, wait until it answers queries; return what another process needs to know."""
        if self._child is None or not self._child.alive():
            self._child = Child(self._command(), self.directory / "prometheus.log")
        wait_until("Prometheus", self._ready, self._child)
        return self.server.to_json()

    def configure(self, config: str) -> None:
        """Take another configuration from now on: a running one is started anew."""
        write_whole(self.directory / "prometheus.yml", config)
        if self._child is not None:
            self._child.kill()
            self.start()

    def stop(self) -> None:
        """End it at once; nothing of its data is worth the time that a graceful end takes."""
        if self._child is not None:
            self._child.kill()

    def pause(self) -> None:
        """Stop its clock: connections are accepted by the system, and nothing answers."""
        assert self._child, "not started yet"
        self._child.pause()

    def resume(self) -> None:
        """Let it go on."""
        assert self._child, "not started yet"
        self._child.resume()

    def _ready(self) -> bool:
        with urllib3.PoolManager(timeout=5, retries=False) as pool:
            try:
                return pool.request("GET", f"http://{self._address}/-/ready").status == 200
            except urllib3.exceptions.HTTPError:
                return False

    def _command(self) -> list[str | Path]:
        return [
            self._path,
            f"--config.file={self.directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address={self._address}",
            "--scrape.discovery-reload-interval=100ms",
            "--log.level=warn",
        ]
