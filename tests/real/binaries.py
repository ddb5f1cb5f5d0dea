"""kube-apiserver, etcd, Prometheus, istiod, Consul: found in KUBEBUILDER_ASSETS or the cache, else built by the Go command.

A folder per part holds the `go.mod` and `go.sum` that pin every byte. The first builds take about ten minutes on two
cores; their results are kept in the cache under the part's version and the digest of those two files.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO

from tests.real.locations import HERE, Progress, cache, lock
from tests.real.missing import PartMissing
from tests.real.toolchain import environment, go

TELL_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class GoPart:
    """A command built from a pinned Go module; `name` is its folder here and the file name of the executable."""

    name: str
    module: str
    package: str
    stamp: tuple[str, ...] = ()
    """Variables set by the linker, each `NAME=VALUE` where {version}, {major} and {minor} stand for the pinned version."""
    tags: tuple[str, ...] = ()
    """Build tags."""

    @property
    def folder(self) -> Path:
        """Where its go.mod and go.sum are."""
        return HERE / self.name

    @property
    def version(self) -> str:
        """The version that go.mod pins, without the leading v."""
        return self._from_go_mod(rf"^\s*(?:require )?{re.escape(self.module)} v(\S+)")

    @property
    def go_version(self) -> tuple[int, ...]:
        """The lowest Go that builds it."""
        return tuple(int(part) for part in self._from_go_mod(r"^go ([0-9.]+)").split("."))

    @property
    def digest(self) -> str:
        """Twelve hex digits that change with the content of go.mod or go.sum."""
        content = b"".join((self.folder / name).read_bytes() for name in ("go.mod", "go.sum"))
        return hashlib.sha256(content).hexdigest()[:12]

    def _from_go_mod(self, pattern: str) -> str:
        found = re.search(pattern, (self.folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
        assert found, f"{self.name}/go.mod has no line that matches {pattern}"
        return found.group(1)


KUBE_APISERVER = GoPart(
    "kube-apiserver",
    "k8s.io/kubernetes",
    "k8s.io/kubernetes/cmd/kube-apiserver",
    # Without these the server calls itself v0.0.0 and compares feature gates against that.
    (
        "k8s.io/component-base/version.gitVersion=v{version}",
        "k8s.io/component-base/version.gitMajor={major}",
        "k8s.io/component-base/version.gitMinor={minor}",
    ),
)
ETCD = GoPart("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3")
PROMETHEUS = GoPart(
    "prometheus",
    "github.com/prometheus/prometheus",
    "github.com/prometheus/prometheus/cmd/prometheus",
    # The release that the module version v0.316.0 is.
    ("github.com/prometheus/common/version.Version=3.16.0",),
    # Without the discovery of every cloud, of which the tests use none, a third of the packages need not be compiled.
    ("remove_all_sd",),
)
ISTIOD = GoPart(
    "istiod",
    "istio.io/istio",
    "istio.io/istio/pilot/cmd/pilot-discovery",
    ("istio.io/istio/pkg/version.buildVersion={version}",),
)
CONSUL = GoPart("consul", "github.com/hashicorp/consul", "github.com/hashicorp/consul")


def executable(part: GoPart, progress: Progress) -> Path:
    """The path of a part's executable; builds it when neither KUBEBUILDER_ASSETS nor the cache has it.

    Raises PartMissing when it cannot be built here.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / part.name).is_file():
        return Path(assets) / part.name
    home = cache() / f"{part.name}-{part.version}-{part.digest}"
    built = home / part.name
    if built.exists():
        return built
    with lock(cache() / f"{part.name}.lock", progress, f"it builds {part.name} {part.version}"):
        if not built.exists():
            home.mkdir(exist_ok=True)
            _build(part, built, progress)
    return built


def version_of(path: Path) -> str:
    """The version an executable reports: what KUBEBUILDER_ASSETS holds need not be what is pinned here."""
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"(\d+\.\d+\.\d+\S*)", answer.stdout)
    return found.group(1) if found else "of unknown version"


def _build(part: GoPart, target: Path, progress: Progress) -> None:
    command = go(part.go_version, progress)
    partial = target.with_name(f".{part.name}.{os.getpid()}")
    major, minor, _ = part.version.split(".", 2)
    stamps = (f"-X {stamp.format(version=part.version, major=major, minor=minor)}" for stamp in part.stamp)
    flags = " ".join(("-s -w", *stamps))
    arguments: list[str | Path] = [
        command,
        "build",
        "-v",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        flags,
        "-tags",
        ",".join(part.tags),
        "-o",
        partial,
        part.package,
    ]
    progress(f"building {part.name} {part.version} with {command} (minutes the first time, then kept in {cache()})")
    with subprocess.Popen(
        arguments, cwd=part.folder, env=environment(), text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as build:
        assert build.stderr
        try:
            last_lines = _tell(part, build.stderr, progress)
        except BaseException:
            build.terminate()
            raise
    if build.returncode:
        raise PartMissing(f"{part.name} {part.version} could not be built by {command}: {' | '.join(last_lines[-5:])}")
    partial.rename(target)


def _tell(part: GoPart, stream: IO[str], progress: Progress) -> list[str]:
    """Turn the thousands of lines of `go build -v` into one line every few seconds; return the last of them."""
    lines: Queue[str | None] = Queue()
    # A thread, since the linker says nothing for half a minute and the person should hear of it all the same.
    Thread(target=_read, args=(stream, lines), daemon=True).start()
    began = told = time.monotonic()
    seen: list[str] = []
    while True:
        try:
            line = lines.get(timeout=1)
            if line is None:
                return seen
            seen.append(line.strip())
        except Empty:
            pass
        if time.monotonic() - told > TELL_EVERY_SECONDS:
            told = time.monotonic()
            compiled = sum(not line.startswith("go:") for line in seen)  # the others tell of downloads
            now_at = seen[-1] if seen else "starting"
            progress(f"building {part.name}: {told - began:.0f} s, {compiled} packages, now {now_at}")


def _read(stream: IO[str], lines: Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)
