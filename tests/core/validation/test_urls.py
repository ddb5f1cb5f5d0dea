"""URLs as Go reads them."""

import pytest

from reconciler.core.validation.urls import NotUrl, Url, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://login.example.com/keys", Url("https", "login.example.com", "login.example.com", "", "/keys")),
        ("HTTP://user:pw@a:8080?x=/y#z", Url("http", "a:8080", "a", "8080")),
        ("http://[::1]:80/", Url("http", "[::1]:80", "::1", "80", "/")),
        ("mailto:someone", Url("mailto")),
        ("/only/a%20path", Url(path="/only/a%20path")),
        ("relative/path", Url(path="relative/path")),
        ("", Url()),
    ],
)
def test_urls(text: str, expected: Url) -> None:
    """Scheme, host, port and path."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://a b/", "http://a:port/", "http://a:1:2/", "http://[::1/", "http://[x]/", "http://a[b/", "http://%41/",
        "http://u s@a/", "https://a/%zz", "https://a#%", "://a", "a:b\x00", "1a:b", "a\nb",
    ],
)  # fmt: skip
def test_no_urls(text: str) -> None:
    """Malformed hosts, ports and escapes, control characters, a scheme that is none."""
    with pytest.raises(NotUrl) as told:
        parse(text)
    assert text not in str(told.value)


@pytest.mark.parametrize("text", ["https://a/b", "/b", "mailto:x", "*"])
def test_urls_of_requests(text: str) -> None:
    """Absolute ones."""
    parse(text, request=True)


@pytest.mark.parametrize("text", ["", "b/c", "a.example.com"])
def test_no_urls_of_requests(text: str) -> None:
    """Relative ones are none."""
    with pytest.raises(NotUrl):
        parse(text, request=True)
