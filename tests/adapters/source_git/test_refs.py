"""What may be followed, and which of the server's refs that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.source_git.refs import HEADS, TAGS, Advertised, Named, Pinned, parse_ref
from reconciler.errors import InvalidInput

A, B, C = "a" * 40, "b" * 40, "c" * 40


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("main", "refs/heads/main"),
        ("branch:main", "refs/heads/main"),
        ("feature/x_1.2+y", "refs/heads/feature/x_1.2+y"),
        ("user@work", "refs/heads/user@work"),
        ("tag:v1.2.3", "refs/tags/v1.2.3"),
        ("branch:tag", "refs/heads/tag"),
        ("refs/heads/main", "refs/heads/main"),
        ("refs/tags/v1", "refs/tags/v1"),
        ("refs/remotes/origin/main", "refs/heads/refs/remotes/origin/main"),
    ],
)
def test_names_are_full(text: str, name: str) -> None:
    """A plain name is a branch; Git never gets to guess."""
    assert parse_ref(text) == Named(name)


@pytest.mark.case("G-03")
@pytest.mark.parametrize(
    "name",
    [
        "-x", "--upload-pack=touch", "a..b", "a@{1}", "@{-1}", "a^", "a~1", "a:b", "a?b", "a*b", "a[b", "a\\b",
        "a b", "a\nb", "",        ".a", "a/.b", "a/-b", "a//b", "a/", "/a", "a.", "a.lock", "a.lock/b", "x" * 300,
        "\N{LATIN SMALL LETTER E WITH ACUTE}", "a\0b",
    ],
)  # fmt: skip
def test_names_that_mean_more_are_refused(name: str) -> None:
    """Options, expressions, paths and names of 300 bytes are stopped by our own grammar."""
    for text in (f"branch:{name}", f"tag:{name}"):
        with pytest.raises(InvalidInput):
            parse_ref(text)


@pytest.mark.parametrize(
    "text", ["commit:abc", f"commit:{'A' * 40}", f"commit:{'a' * 41}", "HEAD~1", "note:x", "semver:", "semver:>>1"]
)
def test_other_refs_are_refused_too(text: str) -> None:
    """Short ids, expressions, unknown kinds and broken ranges."""
    with pytest.raises(InvalidInput):
        parse_ref(text)


def test_a_commit_is_pinned() -> None:
    """All 40 digits of it."""
    assert parse_ref(f"commit:{A}") == Pinned(A)


def test_a_branch_is_found_by_its_full_name_only() -> None:
    """ls-remote matches the ends of names; a ref that merely ends alike is another one."""
    branch = Named(f"{HEADS}main")
    assert branch.choose({"refs/heads/refs/heads/main": A}) is None
    assert branch.choose({f"{HEADS}main": B, f"{HEADS}x/main": A}) == Advertised(f"{HEADS}main", B, B)


def test_an_annotated_tag_leads_to_its_commit() -> None:
    """The tag's own id is what the server advertises; the peeled one is the commit."""
    tag = parse_ref("tag:v1.0.0")
    assert isinstance(tag, Named)
    assert tag.choose({f"{TAGS}v1.0.0": A, f"{TAGS}v1.0.0^{{}}": C}) == Advertised(f"{TAGS}v1.0.0", A, C)


def test_a_range_takes_the_highest_version() -> None:
    """By precedence, not by name; other tags and pre-releases are left out."""
    newest = parse_ref("semver:>=1.2 <2")
    tags = {f"{TAGS}{name}": A for name in ("v1.9.0", "v2.0.0", "v1.11.0-rc.1", "nightly", "v1.2.3")}
    tags |= {f"{TAGS}v1.10.0": B, f"{TAGS}v1.10.0^{{}}": C}
    assert not isinstance(newest, Pinned)
    assert newest.choose(tags) == Advertised(f"{TAGS}v1.10.0", B, C)
    assert newest.choose({f"{TAGS}v2.0.0": A}) is None


def test_only_a_branch_moves() -> None:
    """History that is no descendant pauses a target that follows a branch; tags and ranges may go anywhere."""
    moving = [parse_ref(text).moving for text in ("main", "tag:v1", "semver:*", f"commit:{A}")]
    assert moving == [True, False, False, False]


@given(st.text(max_size=40))
def test_any_text_is_a_ref_or_invalid_input(text: str) -> None:
    """Nothing else comes out."""
    try:
        parse_ref(text)
    except InvalidInput:
        return
