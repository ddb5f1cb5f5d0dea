"""What Git said when it failed, and what that means."""

import pytest

from reconciler.adapters.source_git.answers import failure, may_be_damage, said
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.tree.process import Finished, Stop
from reconciler.errors import InvalidInput, Unavailable


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", Code.REFUSED),
        ("fatal: Authentication failed for 'https://h/'", Code.REFUSED),
        ("git@h: Permission denied (publickey).", Code.REFUSED),
        ("Host key verification failed.", Code.HOST_KEY),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 301", Code.REDIRECT),
        ("fatal: detected dubious ownership in repository at '/srv/x'", Code.OWNERSHIP),
        ("error: object 1: hasDotgit: contains '.git'\nfatal: fsck error in packed object", Code.MALFORMED),
        ("error: index-pack died of signal 25", Code.STORE_CAP),
    ],
)
def test_what_a_person_must_change_is_invalid_input(text: str, code: Code) -> None:
    """With what Git said, and what to do."""
    error = failure("fetching", Finished(128, b"", text), text)
    assert isinstance(error, InvalidInput)
    assert error.problems[0].code == code


@pytest.mark.parametrize(
    "text",
    [
        "fatal: unable to access 'https://h/': Could not resolve host: h",
        "error: 30154 bytes of body are still expected\nfatal: early EOF",
        "something never seen before",
        "",
    ],
)
def test_everything_else_is_unavailable(text: str) -> None:
    """Tried again, and nothing concluded."""
    assert isinstance(failure("asking", Finished(128, b"", text), text), Unavailable)


def test_what_we_ended_says_why() -> None:
    """Whatever it had said before."""
    error = failure("asking", Finished(-9, b"", "Permission denied (x)", Stop.TIME), "Permission denied (x)")
    assert isinstance(error, Unavailable)
    assert "took too long" in str(error)


def test_what_is_said_fits_on_a_line() -> None:
    """The last words, without those that say nothing, escapes or line breaks."""
    errors = "one\n" * 10 + "remote: \x1b[31mno\nfatal: the remote end hung up unexpectedly\n"
    assert said(errors) == "one; one; one; remote: ?[31mno"
    assert len(said("x" * 10_000)) <= 200


def test_only_what_nothing_else_explains_may_be_damage() -> None:
    """A fetch that failed on the way is no reason to read the whole store."""
    assert may_be_damage(Finished(128, b"", "fatal: bad object refs/x"))
    assert not may_be_damage(Finished(128, b"", "fatal: early EOF"))
    assert not may_be_damage(Finished(-9, b"", "", Stop.TIME))
