"""A bare Git repository on disk and the hand of its author: commits of any shape, also those that Git itself would not make."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SYMLINK, SUBMODULE, FILE, PROGRAM, FOLDER = "120000", "160000", "100644", "100755", "40000"
GIT = shutil.which("git") or "/usr/bin/git"
#: A day in March 2026: commits are the same in every run.
NOON = "@1772366400 +0000"
SOMEBODY = "Ada Author <ada@example.com>"


@dataclass(frozen=True, slots=True)
class Item:
    """What stands at a path of a tree: its mode, and its bytes or (for a submodule or a folder) an object id."""

    content: bytes | str
    mode: str = FILE


Files = Mapping[str, bytes | str | Item]


def symlink(target: str) -> Item:
    """A symlink."""
    return Item(target.encode(), SYMLINK)


def submodule(commit: str = "1" * 40) -> Item:
    """A gitlink."""
    return Item(commit, SUBMODULE)


@dataclass(slots=True)
class GitRepository:
    """A bare repository; `environment` is what its commands get beside an empty configuration, such as keys that sign."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    branch: str = "main"

    @classmethod
    def create(cls, path: Path, *options: str) -> GitRepository:
        """Make an empty one; without `options` its default branch is main."""
        repository = cls(path)
        path.mkdir(parents=True)
        repository.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", *options)
        return repository

    def git(self, *arguments: str, stdin: bytes = b"", more: Mapping[str, str] | None = None) -> str:
        """Run Git in the repository and return its output without the last line break."""
        done = subprocess.run(
            [GIT, *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=60,
            env={**clean_environment(self.path.parent), **self.environment, "GIT_DIR": str(self.path), **(more or {})},
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode(errors="replace").removesuffix("\n")

    def commit(
        self,
        files: Files,
        *,
        message: str = "change",
        parents: Sequence[str] | None = None,
        author: str = SOMEBODY,
        date: str = NOON,
        branch: str | None = None,
        sign: bool = False,
    ) -> str:
        """Commit exactly these files on top of the branch (or on `parents`, none for a root) and put the branch there."""
        ref = f"refs/heads/{branch or self.branch}"
        if parents is None:
            tip = self.git("for-each-ref", "--format=%(objectname)", ref)
            parents = [tip] if tip else []
        commit = self.commit_tree(self.tree(files), parents, message=message, author=author, date=date, sign=sign)
        self.git("update-ref", ref, commit)
        return commit

    def commit_tree(
        self,
        tree: str,
        parents: Sequence[str],
        *,
        message: str = "change",
        author: str = SOMEBODY,
        date: str = NOON,
        sign: bool = False,
    ) -> str:
        """Make a commit of a tree; no ref leads to it."""
        name, _, mail = author.rstrip(">").partition(" <")
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", name), ("EMAIL", mail), ("DATE", date))
        }
        options = [part for parent in parents for part in ("-p", parent)] + (["-S"] if sign else [])
        return self.git("commit-tree", *options, tree, stdin=message.encode(), more=who)

    def tree(self, files: Files) -> str:
        """Write a tree, folders and all, through a fast-import stream: one process for any number of files."""
        stream = bytearray(b"feature done\ncommit refs/building\ncommitter A <a@example.com> 0 +0000\ndata 0\ndeleteall\n")
        for path, thing in files.items():
            item = thing if isinstance(thing, Item) else Item(thing)
            quoted = '"' + "".join(_escaped(byte) for byte in path.encode(errors="surrogateescape")) + '"'
            if item.mode in (SUBMODULE, FOLDER):
                stream += f"M {item.mode} {item.content!s} {quoted}\n".encode()
            else:
                data = item.content if isinstance(item.content, bytes) else item.content.encode()
                stream += f"M {item.mode} inline {quoted}\ndata {len(data)}\n".encode() + data + b"\n"
        stream += b"done\n"
        self.git("fast-import", "--quiet", "--force", stdin=bytes(stream))
        tree = self.git("rev-parse", "refs/building^{tree}")
        self.git("update-ref", "-d", "refs/building")
        return tree

    def raw_tree(self, entries: Sequence[tuple[str, str, str]]) -> str:
        """Write one tree object of (mode, name, object id) as they are: twice the same name, `..`, anything."""
        data = b"".join(
            f"{mode} ".encode() + name.encode(errors="surrogateescape") + b"\0" + bytes.fromhex(object_id)
            for mode, name, object_id in entries
        )
        return self.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=data)

    def blob(self, data: bytes) -> str:
        """Write a blob."""
        return self.git("hash-object", "-w", "--stdin", stdin=data)

    def tag(self, name: str, commit: str, *, message: str = "") -> str:
        """Put a tag on a commit, with a message as a tag object; its id."""
        if not message:
            self.git("update-ref", f"refs/tags/{name}", commit)
            return commit
        body = f"object {commit}\ntype commit\ntag {name}\ntagger {SOMEBODY} {NOON[1:]}\n\n{message}\n"
        tag = self.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=body.encode())
        self.git("update-ref", f"refs/tags/{name}", tag)
        return tag

    def reset(self, commit: str, *, branch: str | None = None) -> None:
        """Put the branch on another commit, as a force push does."""
        self.git("update-ref", f"refs/heads/{branch or self.branch}", commit)

    def delete_branch(self, branch: str | None = None) -> None:
        """Take a branch away."""
        self.git("update-ref", "-d", f"refs/heads/{branch or self.branch}")


def clean_environment(home: Path) -> dict[str, str]:
    """An environment in which Git reads no configuration of this machine and its user."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "LC_ALL": "C",
        "TZ": "UTC",
    }


def _escaped(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}"
