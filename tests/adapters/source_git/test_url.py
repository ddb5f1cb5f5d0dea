"""Which URLs are accepted, and that none of the others is repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.url import Transport, parse_url
from reconciler.errors import InvalidInput


@pytest.mark.parametrize(
    ("url", "transport", "origin"),
    [
        ("https://git.example.com/team/mesh.git", Transport.HTTPS, "https://git.example.com"),
        ("https://git.example.com:8443/mesh", Transport.HTTPS, "https://git.example.com:8443"),
        ("https://dev.azure.com/org/a%20project/_git/mesh", Transport.HTTPS, "https://dev.azure.com"),
        ("https://[::1]:8443/mesh.git", Transport.HTTPS, "https://[::1]:8443"),
        ("https://127.0.0.1/~user/mesh+x@2,=.git", Transport.HTTPS, "https://127.0.0.1"),
        ("ssh://git@git.example.com/team/mesh.git", Transport.SSH, ""),
        ("ssh://git.example.com:2222/~/mesh.git", Transport.SSH, ""),
        ("git@git.example.com:team/mesh.git", Transport.SSH, ""),
        ("git@git.example.com:/srv/mesh.git", Transport.SSH, ""),
    ],
)
def test_https_and_ssh_are_accepted(url: str, transport: Transport, origin: str) -> None:
    """The forms that hosts print are taken as they are."""
    remote = parse_url(url)
    assert (remote.transport, remote.url, remote.origin) == (transport, url, origin)


@pytest.mark.case("G-01")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "ext::sh -c touch% /pwned",
        "ext::sh",
        "fd::17/foo",
        "transport::https://example.com/x",
        "-oProxyCommand=touch /pwned",
        "--upload-pack=touch /pwned",
        "https://git.example.com/a\nb",
        "https://git.example.com/a%0ahost=evil.example",
        "https://git.example.com/a%00b",
        "https://git.example.com/%2e%2e/secret",
        "https://git.example.com/a/../b",
        "https://-oProxyCommand=x/a",
        "https://git.example.com:99999/a",
        "https://git.example.com:0/a",
        "https://git.example.com",
        "https:///a",
        "https://git.example.com/a?access_token=x",
        "https://git.example.com/a#x",
        "https://git.exam ple.com/a",
        "https://gıt.example.com/a",
        "https://git.example.com\\@evil.example/a",
        "https://git.example.com/" + "a" * 3000,
        "http://git.example.com/a",
        "git://git.example.com/a",
        "ftp://git.example.com/a",
        "ssh://-oProxyCommand=touch/a",
        "ssh://git@-oProxyCommand=touch/a",
        "ssh://-x@git.example.com/a",
        "git@git.example.com:-oProxyCommand=x",
        "-x@git.example.com:a",
        "https://[::1/a",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    """What Git would read as a command, an option or another host never gets that far."""
    with pytest.raises(InvalidInput) as refused:
        parse_url(url, allow_local="://" in url or "@" in url)
    assert refused.value.problems[0].code == Code.URL


@pytest.mark.case("G-01")
@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@git.example.com/a",
        "https://hunter2@git.example.com/a",
        "ssh://git:hunter2@git.example.com/a",
        "https://git.example.com/a?token=hunter2",
        "https://git.example.com/a%0ahunter2",
        "hunter2\n",
        "http://user:hunter2@git.example.com/a",
    ],
)
def test_a_password_is_refused_and_never_repeated(url: str) -> None:
    """What was written into the URL stays out of the message."""
    with pytest.raises(InvalidInput) as refused:
        parse_url(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.case("G-01")
@pytest.mark.parametrize("url", ["/srv/mesh.git", "file:///srv/mesh.git", "./mesh", "mesh", "~/mesh"])
def test_local_repositories_need_the_operators_word(url: str) -> None:
    """Without git.allow_local they are refused with its name; with it they become one absolute file URL."""
    with pytest.raises(InvalidInput, match=r"git\.allow_local") as refused:
        parse_url(url)
    assert refused.value.problems[0].code == Code.LOCAL
    assert parse_url(url, allow_local=True).url.startswith("file:///")


def test_local_paths_may_hold_any_printable_character() -> None:
    """Percent signs and spaces of a path are escaped for Git, those of a file URL are read as such."""
    assert parse_url("/srv/a b%41?#", allow_local=True).url == "file:///srv/a%20b%2541%3F%23"
    assert parse_url("file:///srv/a%20b", allow_local=True).url == "file:///srv/a%20b"
    with pytest.raises(InvalidInput):
        parse_url("file:///srv/a%0ab", allow_local=True)


@given(st.text(alphabet=st.characters(), max_size=60), st.booleans())
def test_any_text_is_a_remote_or_invalid_input(text: str, local: bool) -> None:  # noqa: FBT001
    """Nothing else comes out, and what is accepted fits on one line and is no option."""
    try:
        remote = parse_url(text, allow_local=local)
    except InvalidInput:
        return
    assert remote.url.isprintable()
    assert not remote.url.startswith("-")
