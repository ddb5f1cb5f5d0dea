"""The embedded mesh: a cluster in memory, VMs that report that they are well, and a bare repository to push to."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.resources import Key
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import VMRegistry

#: The whole environment of the demo's git: no configuration of the person who runs it has a say.
_GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Mesh Team",
    "GIT_AUTHOR_EMAIL": "mesh@example.com",
    "GIT_COMMITTER_NAME": "Mesh Team",
    "GIT_COMMITTER_EMAIL": "mesh@example.com",
}


_MINUTES = re.compile(r"hold: (\d+)m")


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository and a working copy of it, under one folder."""

    folder: Path

    @property
    def bare(self) -> Path:
        return self.folder / "mesh.git"

    @property
    def copy(self) -> Path:
        return self.folder / "mesh"

    def create(self, template: Path) -> str:
        """Make both from a template folder; returns the first commit."""
        shutil.copytree(template, self.copy)
        for policy in self.copy.rglob("rollout-policy.yaml"):
            # Nobody watches a demo for ten minutes.
            policy.write_text(_MINUTES.sub(r"hold: \1s", policy.read_text("utf-8")), "utf-8")
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), cwd=self.folder)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("remote", "add", "origin", str(self.bare))
        return self._commit("Start from the template")

    def push(self, title: str, files: Mapping[str, str]) -> str:
        """Write files (take away those without a text), commit them, push; returns the commit."""
        for path, text in files.items():
            target = self.copy / path
            if text:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8")
            else:
                target.unlink()
        return self._commit(title)

    def head(self) -> str:
        """Return the newest commit."""
        return self._git("rev-parse", "HEAD")

    def _commit(self, title: str) -> str:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", title)
        self._git("push", "--quiet", "origin", "main")
        return self.head()

    def _git(self, *arguments: str, cwd: Path | None = None) -> str:
        git = shutil.which("git") or "git"
        done = subprocess.run(
            [git, *arguments],
            cwd=cwd or self.copy,
            env={**_GIT_ENVIRONMENT, "PATH": os.environ.get("PATH", ""), "HOME": str(self.folder)},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.strip()


@dataclass(slots=True)
class Machines:
    """Plays the agents: every VM in the registry reports its own address and that it is healthy, once it is known there."""

    registry: VMRegistry
    _told: threading.Event = field(default_factory=threading.Event, init=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        self.registry.subscribe(self._told.set)
        self._thread = threading.Thread(target=self._run, name="vms", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._told.set()
        if self._thread:
            self._thread.join(5)

    def _run(self) -> None:
        reported: dict[Key, str] = {}
        while not self._ended.is_set():
            for key, live in self.registry.observe().machines.items():
                address = live.document["spec"]["address"]
                if reported.get(key) != address and self._report(key, address):
                    reported[key] = address
            self._told.wait()
            self._told.clear()

    def _report(self, key: Key, address: str) -> bool:
        try:
            self.registry.report(key, {"address": address, "health": "healthy"})
        except (Rejected, Unavailable):
            return False
        return True
