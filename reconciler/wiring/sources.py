"""Git, the CRDs to hold it against, programs and time."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.resources import Document
from reconciler.ports import (
    Clock,
    Schemas,
    Source,
)

if TYPE_CHECKING:
    from reconciler.settings import Settings


def system_clock() -> Clock:
    """Return the machine's clock."""
    from reconciler.adapters.clock import SystemClock

    return SystemClock()


def command_of(name: str) -> Path | None:
    """Look a program up by PATH, then beside our own, where `pip install` puts one that comes as a package."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    return Path(found).absolute() if found else None


def crd_file(path: Path | None) -> Sequence[Document]:
    """Return the CRDs of a file, none where no file is named. Raises InvalidInput."""
    if path is None:
        return ()
    from reconciler.adapters.schemas_crd.definitions import read_crds

    return read_crds(path)


def schemas(documents: Sequence[Document], origin: str) -> Schemas:
    """Return schemas of CRDs for a process that goes on when it has judged."""
    from reconciler.adapters.schemas_crd.apart import SchemasApart

    return SchemasApart(documents, origin)


def git(settings: Settings) -> Source:
    """Return the repository at the ref and folder of the settings. Raises InvalidInput for what Git must never see."""
    from reconciler.adapters.source_git import (
        Credentials,
        GitSettings,
        GitSource,
        Limits,
        SignaturePolicy,
        Signatures,
        Timeouts,
    )

    own = settings.git
    return GitSource(
        GitSettings(
            url=settings.repo,
            data_dir=settings.folder / "git",
            ref=settings.ref,
            folder=settings.path,
            credentials=Credentials(
                username=own.username,
                token_file=own.token_file,
                ssh_key_file=own.ssh_key_file,
                known_hosts_file=own.known_hosts_file,
            ),
            ca_file=own.ca_file,
            allow_local=own.allow_local,
            limits=Limits(own.max_files, own.max_file_bytes, own.max_total_bytes, store_bytes=own.max_store_bytes),
            timeouts=Timeouts(exchange=own.timeout),
            signatures=Signatures(
                SignaturePolicy(own.signatures),
                (own.gpg_keys_file,) if own.gpg_keys_file else (),
                own.allowed_signers_file,
            ),
            kubectl=command_of(own.kubectl),
        )
    )


def working_copy_watch(settings: Settings) -> Callable[[Callable[[], None]], Callable[[], None]] | None:
    """Return what watches a local repository for new commits, None for one on a server."""
    folder = Path(settings.repo.removeprefix("file://")).expanduser()
    if not settings.git.allow_local or not folder.is_dir():
        return None
    from reconciler.adapters.nudge_watchdog import watch

    return partial(watch, folder)
