"""What may be shown: nothing that steers, no secret, no value without end."""

from typing import Any

import pytest

from reconciler.core.changes import ABSENT
from reconciler.reports.safe import LONGEST, LONGEST_TEXT, clean, redacted, value
from tests.reports.extremes import HOSTILE


@pytest.mark.case("D-11", "W-08", "W-17")
@pytest.mark.parametrize("text", HOSTILE)
def test_texts_come_out_printable_and_on_one_line(text: str) -> None:
    """No escape, no line break, no character that turns or hides text; what can be read stays."""
    assert clean(text).isprintable()
    assert value(text).isprintable()
    assert value({text: [text]}).isprintable()
    clean(text).encode()


def test_harmless_text_stays_as_it_is() -> None:
    """Letters of all languages and symbols are text."""
    assert clean("Zoë → 漢字 💥 a  b") == "Zoë → 漢字 💥 a  b"


@pytest.mark.case("D-10")
def test_long_texts_are_cut_with_their_length() -> None:
    """A megabyte of message does not fill the screen."""
    assert clean("x" * 1_000_000) == f"{'x' * LONGEST_TEXT}… (1000000 characters)"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (ABSENT, "-"),
        ("-", '"-"'),
        (None, "null"),
        ("null", '"null"'),
        ("", '""'),
        (80, "80"),
        ("80", '"80"'),
        (True, "true"),
        ("true", '"true"'),
        ("1e3", '"1e3"'),
        (" a", '" a"'),
        ("a b", "a b"),
        ("10.20.1.31", "10.20.1.31"),
        ("5s", "5s"),
        ("(hidden: 3 characters)", '"(hidden: 3 characters)"'),
        ({"b": 1, "a": [None]}, '{"a": [null], "b": 1}'),
        ("one\ntwo", '"one\\ntwo"'),
    ],
)
@pytest.mark.case("D-01")
def test_values_are_told_apart(data: Any, shown: str) -> None:
    """Text is shown bare only where nobody takes it for a number, a word of JSON, or nothing."""
    assert value(data) == shown


@pytest.mark.case("D-10")
def test_long_values_are_cut_with_the_digest_of_the_whole() -> None:
    """Two values that differ only at their end still look different; equal ones look equal."""
    one, same, other = value("x" * 5_000), value("x" * 5_000), value("x" * 4_999 + "y")
    assert one == same != other
    assert one.startswith("x" * LONGEST)
    assert len(one) < LONGEST + 60


@pytest.mark.case("D-11")
@pytest.mark.parametrize(
    "path",
    [
        "spec.http[0].headers.request.set.authorization",
        'spec.http[0].headers.request.set["x-api-key"]',
        'metadata.annotations["example.com/db-password"]',
        "spec.clientSecret",
        "spec.http[0].match[0].headers.cookie.exact",
    ],
)
def test_values_under_telling_names_are_hidden(path: str) -> None:
    """Headers, annotations and fields that are named like secrets; only their length is told."""
    assert value(redacted(path, "hunter2")) == "(hidden: 7 characters)"
    assert redacted(path, ["hunter2", 3]) == ["(hidden: 7 characters)", 3]


@pytest.mark.parametrize(
    "path",
    [
        "spec.tls.credentialName",
        "spec.secretName",
        "spec.ports[name=token].name",
        "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.name",
        "spec.tokenizer",
    ],
)
def test_names_of_secrets_are_not_secrets(path: str) -> None:
    """What only points at a secret, or sounds like one, is shown."""
    assert redacted(path, "billing-tls") == "billing-tls"


@pytest.mark.case("D-11")
@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN EC PRIVATE KEY-----\nabc",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
        "token ghp_0123456789abcdefghij0123456789abcdef",
        "Bearer 0123456789abcdef",
        "postgresql://ann:hunter2@db/mesh",
    ],
)
def test_texts_that_tell_themselves_are_hidden(text: str) -> None:
    """Wherever they stand, also inside objects."""
    hidden = f"(hidden: {len(text)} characters)"
    assert redacted("spec.note", text) == hidden
    assert redacted("spec", {"note": [text]}) == {"note": [hidden]}


@pytest.mark.parametrize("piece", ["-eyJ", "eyJaaaaaaaa.", "://a:", "-----BEGIN ", "Basic ", "aB", "password-", " "])
def test_no_text_takes_long(piece: str) -> None:
    """A quarter of a megabyte made to run in circles; the suite's time limit would end a search that does."""
    text = piece * (250_000 // len(piece))
    redacted("spec.note", text)
    redacted("spec", {text: text})
    value(text)


def test_an_absent_field_is_still_absent() -> None:
    """Under a telling name, too."""
    assert redacted("spec.clientSecret", ABSENT) is ABSENT
    assert redacted("spec.clientSecret", "") == ""
