"""Secrets come from files or variables, and never leave again."""

import base64
from pathlib import Path

import pytest

from reconciler.adapters.source_git import Credentials
from reconciler.adapters.source_git.credentials import Redactor, https_header
from reconciler.errors import InvalidInput


def login_of(header: str) -> str:
    """What an Authorization header says."""
    return base64.b64decode(header.removeprefix("Authorization: Basic ")).decode()


def test_a_token_goes_with_the_user_name(tmp_path: Path) -> None:
    """The line break at the end of the file does not."""
    (tmp_path / "token").write_text("s3cret\n", encoding="utf-8")
    assert login_of(https_header(Credentials(username="bot", token_file=tmp_path / "token"), Redactor())) == "bot:s3cret"


def test_a_login_file_names_both(tmp_path: Path) -> None:
    """A password may hold colons."""
    (tmp_path / "login").write_text("ada:pass:word", encoding="utf-8")
    assert login_of(https_header(Credentials(login_file=tmp_path / "login"), Redactor())) == "ada:pass:word"


def test_a_token_may_be_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name the variable."""
    monkeypatch.setenv("MESH_TOKEN", "s3cret")
    assert login_of(https_header(Credentials(token_variable="MESH_TOKEN"), Redactor())) == "git:s3cret"


def test_without_credentials_there_is_no_header() -> None:
    """A public repository is asked as nobody."""
    assert https_header(Credentials(), Redactor()) == ""


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    """A token may be rotated under a running process."""
    credentials = Credentials(token_file=tmp_path / "token")
    for token in ("first", "second"):
        (tmp_path / "token").write_text(token, encoding="utf-8")
        assert login_of(https_header(credentials, Redactor())) == f"git:{token}"


@pytest.mark.parametrize("text", ["", "\n", "two\nlines", "head\r\nX-Header: 1", "a\0b", "x" * 20_000], ids=range(6))
def test_what_is_no_single_line_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    """A line break would become a second header; the message names the file and never what is in it."""
    (tmp_path / "token").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(InvalidInput) as refused:
        https_header(Credentials(token_file=tmp_path / "token"), Redactor())
    assert "token" in str(refused.value)
    assert "lines" not in str(refused.value)


@pytest.mark.parametrize("text", [b"nocolon", b":x", b"x:", b"\xff\xfe:secret"])
def test_a_broken_login_file_is_refused(tmp_path: Path, text: bytes) -> None:
    """As is a missing one."""
    (tmp_path / "login").write_bytes(text)
    for path in (tmp_path / "login", tmp_path / "missing"):
        with pytest.raises(InvalidInput) as refused:
            https_header(Credentials(login_file=path), Redactor())
        assert "secret" not in str(refused.value)


def test_secrets_are_redacted_by_value_in_each_form(tmp_path: Path) -> None:
    """Plain, percent-encoded, as base64, and the whole login, wherever they stand."""
    (tmp_path / "token").write_text("p@ss/w0rd", encoding="utf-8")
    redact = Redactor()
    header = https_header(Credentials(username="bot", token_file=tmp_path / "token"), redact)
    text = f"url https://bot:p%40ss%2Fw0rd@host/ header {header} query ?token=p@ss/w0rd"
    shown = redact(text)
    assert "***" in shown
    assert not any(form in shown for form in ("p@ss", "p%40ss", header.rpartition(" ")[2]))
