"""The files of the agent."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from reconciler.agent.vault import Locked, Vault


def put(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file with a mode."""
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_credential_is_kept(tmp_path: Path) -> None:
    """What was kept last is there after a restart, for its owner alone, without a trace of how it came there."""
    vault = Vault(tmp_path / "state")
    assert vault.credential() == ""
    for credential in ("first", "second"):
        vault.keep(credential)
        assert vault.credential() == credential
    vault.close()
    again = Vault(tmp_path / "state")
    assert again.credential() == "second"
    assert stat.S_IMODE((tmp_path / "state" / "credential").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert sorted(one.name for one in (tmp_path / "state").iterdir()) == ["credential", "lock", "tokens"]


def test_what_a_crash_left(tmp_path: Path) -> None:
    """A successor that was half written when the machine stopped is in nobody's way."""
    vault = Vault(tmp_path)
    vault.keep("first")
    put(tmp_path / "credential.new", "seco")
    assert vault.credential() == "first"
    vault.keep("second")
    assert vault.credential() == "second"


def test_no_room_for_a_successor(tmp_path: Path) -> None:
    """Where it cannot be stored, the old one is still there."""
    vault = Vault(tmp_path)
    vault.keep("first")
    (tmp_path / "credential.new").mkdir()
    with pytest.raises(OSError, match="director"):
        vault.keep("second")
    assert vault.credential() == "first"


def test_two_agents(tmp_path: Path) -> None:
    """Two with one credential would look like a thief to the registry; the second does not start."""
    first = Vault(tmp_path)
    with pytest.raises(Locked, match="another agent"):
        Vault(tmp_path)
    first.close()
    Vault(tmp_path).close()


@pytest.mark.case("S-09")
def test_files_that_others_can_reach(tmp_path: Path) -> None:
    """A credential that others may read, a link in its place, a folder where others may write: each is named."""
    vault = Vault(tmp_path)
    put(tmp_path / "credential", "first", 0o640)
    with pytest.raises(Locked, match="others may read"):
        vault.credential()
    (tmp_path / "credential").unlink()
    (tmp_path / "credential").symlink_to(put(tmp_path / "elsewhere", "first"))
    with pytest.raises(Locked, match="cannot be read"):
        vault.credential()
    vault.close()
    tmp_path.chmod(0o777)
    with pytest.raises(Locked, match="others may write"):
        Vault(tmp_path)


def test_a_credential_that_is_none(tmp_path: Path) -> None:
    """What could not be sent in a header is not sent, and not repeated."""
    put(tmp_path / "credential", "first\nX-Other: second")
    with pytest.raises(Locked, match="holds no credential") as caught:
        Vault(tmp_path).credential()
    assert "second" not in str(caught.value)


def test_join_tokens(tmp_path: Path) -> None:
    """One after the other, by name; one that is used is gone, one that is refused lies there under another name."""
    vault = Vault(tmp_path)
    tokens = tmp_path / "tokens"
    assert vault.token() is None
    put(tokens / "b", "token-b\n")
    put(tokens / "a", "token-a\n")
    put(tokens / ".hidden", "half")
    put(tokens / "0", "")
    first = vault.token()
    assert first == (tokens / "a", "token-a")
    vault.spend(tokens / "a")
    second = vault.token()
    assert second == (tokens / "b", "token-b")
    vault.set_aside(tokens / "b")
    assert vault.token() is None
    assert sorted(one.name for one in tokens.iterdir()) == [".hidden", "0.refused", "b.refused"]


def test_a_token_that_others_may_read(tmp_path: Path) -> None:
    """It is not used: who can read it can join in its place."""
    vault = Vault(tmp_path)
    put(tmp_path / "tokens" / "a", "token-a", 0o644)
    with pytest.raises(PermissionError, match="others may read"):
        vault.token()
