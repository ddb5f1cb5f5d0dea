"""Who signed, with which key, and whether that key is good now: by real gpg and ssh-keygen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.source_git import SignaturePolicy, Signatures
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.signatures import _gpg_verdict, _ssh_verdict
from reconciler.adapters.tree.process import Finished
from reconciler.core.resources import Signature
from reconciler.errors import InvalidInput
from tests.adapters.source_git.conftest import Make
from tests.contracts.source import ACCOUNT, ENTRY, FOLDER
from tests.real import report
from tests.real.git_repository import GitRepository
from tests.real.git_signing import GpgHome, Signer, ssh_signer

FILES = {f"{FOLDER}/a.yaml": ENTRY}
OTHERS = {f"{FOLDER}/a.yaml": ACCOUNT}
IN_2020 = "@1577880000 +0000"


@pytest.fixture(scope="module")
def gpg() -> Iterator[GpgHome]:
    """The author's gpg."""
    with report.needed("gpg"):
        home = GpgHome()
        report.used("gpg")
        yield home
        home.close()


@pytest.fixture(scope="module")
def alice(gpg: GpgHome) -> Signer:
    """A GPG key that is good."""
    return gpg.key("alice")


@pytest.fixture(scope="module")
def ssh_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of SSH keys."""
    return tmp_path_factory.mktemp("ssh-keys")


@pytest.fixture(scope="module")
def carol(ssh_keys: Path) -> Signer:
    """An SSH key that is good."""
    return ssh_signer(ssh_keys, "carol")


def signed(repository: GitRepository, signer: Signer, *, date: str = "@1772366400 +0000") -> str:
    """Commit with a signature."""
    repository.environment = signer.environment
    commit = repository.commit(FILES, sign=True, date=date, author="Ada <carol@example.com>")
    repository.environment = {}
    return commit


def signers(path: Path, *entries: tuple[str, Signer]) -> Path:
    """An allowed signers file: principal (and options) with each key."""
    path.write_text("".join(f"{who} {signer.public.read_text(encoding='utf-8')}" for who, signer in entries), encoding="utf-8")
    return path


def rules(policy: SignaturePolicy, *gpg_files: Path, ssh: Path | None = None) -> dict[str, Signatures]:
    """The change of settings."""
    return {"signatures": Signatures(policy, gpg_files, ssh)}


WARN, ENFORCE = SignaturePolicy.WARN, SignaturePolicy.ENFORCE


def test_a_good_gpg_signature_names_its_signer(repository: GitRepository, make: Make, alice: Signer) -> None:
    """As the key names them; the policy decides nothing then."""
    commit = signed(repository, alice)
    revision = make(**rules(ENFORCE, alice.public)).poll()
    assert (revision.id, revision.signature, revision.signer) == (commit, Signature.GOOD, "alice <alice@example.com>")


def test_a_good_ssh_signature_names_its_principal(repository: GitRepository, make: Make, carol: Signer, tmp_path: Path) -> None:
    """As the allowed signers file names them."""
    signed(repository, carol)
    revision = make(**rules(ENFORCE, ssh=signers(tmp_path / "signers", ("carol@example.com", carol)))).poll()
    assert (revision.signature, revision.signer) == (Signature.GOOD, "carol@example.com")


def test_without_a_policy_nothing_is_checked(repository: GitRepository, make: Make, alice: Signer) -> None:
    """And the revision says so."""
    signed(repository, alice)
    assert make().poll().signature is Signature.UNCHECKED


@pytest.mark.case("G-16")
def test_a_refused_commit_leaves_the_accepted_one_in_force(repository: GitRepository, make: Make, alice: Signer) -> None:
    """Unsigned: InvalidInput at each poll, without a second fetch; the commit before stays readable; a signed one follows."""
    good = signed(repository, alice)
    source = make(**rules(ENFORCE, alice.public))
    accepted = source.poll()
    repository.commit(OTHERS)
    for _ in range(2):
        with pytest.raises(InvalidInput) as refused:
            source.poll()
        assert refused.value.problems[0].code == Code.SIGNATURE
        assert "is not signed" in str(refused.value)
    assert accepted.id == good
    assert [data for _, data in source.contents(source.files(accepted))] == [ENTRY]
    following = signed(repository, alice)
    assert source.poll().id == following


@pytest.mark.case("G-16")
def test_gpg_keys_that_are_not_good(repository: GitRepository, make: Make, gpg: GpgHome, alice: Signer) -> None:
    """Another's key, one that has expired since, one that was revoked since: each with its own verdict, none is taken."""
    expired, revoked, stranger = gpg.key("erin", expires="1d", when="1577880000"), gpg.key("rob"), gpg.key("mallory")
    by_revoked = signed(repository, revoked)
    cases = [
        (signed(repository, stranger), alice.public, Signature.UNKNOWN_KEY),
        (signed(repository, expired, date=IN_2020), expired.public, Signature.EXPIRED),
        (by_revoked, gpg.revoke("rob"), Signature.REVOKED),
    ]
    for commit, keys, verdict in cases:
        repository.reset(commit)
        assert make(**rules(WARN, keys)).poll().signature is verdict
        with pytest.raises(InvalidInput):
            make(**rules(ENFORCE, keys)).poll()


@pytest.mark.case("G-16")
def test_a_signature_over_something_else_is_bad(
    repository: GitRepository, make: Make, alice: Signer, carol: Signer, tmp_path: Path
) -> None:
    """A commit whose text was changed after it was signed, by either kind of key."""
    allowed = signers(tmp_path / "signers", ("carol@example.com", carol))
    for signer in (alice, carol):
        original = repository.git("cat-file", "commit", signed(repository, signer))
        forged = repository.git(
            "hash-object", "-t", "commit", "-w", "--stdin", stdin=original.replace("change", "forged").encode()
        )
        repository.reset(forged)
        assert make(**rules(WARN, alice.public, ssh=allowed)).poll().signature is Signature.BAD


@pytest.mark.case("G-16")
def test_several_signatures_are_bad(
    repository: GitRepository, make: Make, alice: Signer, carol: Signer, tmp_path: Path
) -> None:
    """Programs differ on which one counts."""
    allowed = signers(tmp_path / "signers", ("carol@example.com", carol))
    first = repository.git("cat-file", "commit", signed(repository, alice))
    repository.reset(repository.commit(OTHERS, parents=[]))
    head, blank, body = first.partition("\n\n")
    signature = head[head.index("gpgsig") :]
    twice = repository.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{head}\n{signature}{blank}{body}".encode())
    repository.reset(twice)
    assert make(**rules(WARN, alice.public, ssh=allowed)).poll().signature is Signature.BAD


@pytest.mark.case("G-16")
def test_an_expired_ssh_key_is_expired_whatever_the_commit_is_dated(
    repository: GitRepository, make: Make, carol: Signer, tmp_path: Path
) -> None:
    """Git asks whether the key was valid at the committer's date, which the committer chooses; we ask about now."""
    allowed = signers(tmp_path / "signers", ('carol@example.com valid-before="20210101"', carol))
    for date in (IN_2020, "@1772366400 +0000"):
        signed(repository, carol, date=date)
        assert make(**rules(WARN, ssh=allowed)).poll().signature is Signature.EXPIRED
        with pytest.raises(InvalidInput, match="expired"):
            make(**rules(ENFORCE, ssh=allowed)).poll()


@pytest.mark.case("G-16")
def test_an_ssh_key_that_is_not_valid_yet_is_refused(
    repository: GitRepository, make: Make, carol: Signer, tmp_path: Path
) -> None:
    """A commit of 2099 cannot borrow from the future."""
    allowed = signers(tmp_path / "signers", ('carol@example.com valid-after="20980101"', carol))
    signed(repository, carol, date="@4070908800 +0000")
    assert make(**rules(WARN, ssh=allowed)).poll().signature is not Signature.GOOD


@pytest.mark.case("G-16")
def test_an_ssh_key_for_something_else_is_unknown(
    repository: GitRepository, make: Make, carol: Signer, ssh_keys: Path, tmp_path: Path
) -> None:
    """Not listed at all, or listed for files rather than commits."""
    signed(repository, carol)
    dave = ssh_signer(ssh_keys, "dave")
    for entries in (("dave@example.com", dave), ('carol@example.com namespaces="file"', carol)):
        allowed = signers(tmp_path / "signers", entries)
        assert make(**rules(WARN, ssh=allowed)).poll().signature in (Signature.UNKNOWN_KEY, Signature.BAD)
        with pytest.raises(InvalidInput):
            make(**rules(ENFORCE, ssh=allowed)).poll()


@pytest.mark.case("G-16")
def test_a_kind_of_key_that_is_not_configured_is_unknown(
    repository: GitRepository, make: Make, alice: Signer, carol: Signer, tmp_path: Path
) -> None:
    """An SSH signature where only GPG keys are accepted, and the other way round."""
    allowed = signers(tmp_path / "signers", ("carol@example.com", carol))
    signed(repository, carol)
    assert make(**rules(WARN, alice.public)).poll().signature is Signature.UNKNOWN_KEY
    signed(repository, alice)
    assert make(**rules(WARN, ssh=allowed)).poll().signature is Signature.UNKNOWN_KEY


def test_keys_may_be_exchanged_under_a_running_process(
    repository: GitRepository, make: Make, alice: Signer, gpg: GpgHome, tmp_path: Path
) -> None:
    """A commit that was refused is taken when its key arrives, and refused when it goes; nothing new is fetched."""
    keys = tmp_path / "keys.asc"
    other = gpg.key("trent").public.read_bytes()
    keys.write_bytes(other)
    signed(repository, alice)
    source = make(**rules(ENFORCE, keys))
    with pytest.raises(InvalidInput):
        source.poll()
    keys.write_bytes(alice.public.read_bytes() + other)
    assert source.poll().signature is Signature.GOOD
    keys.write_bytes(other)
    with pytest.raises(InvalidInput):
        source.poll()


def test_key_files_that_cannot_be_used_are_for_a_person(
    repository: GitRepository, make: Make, alice: Signer, carol: Signer, tmp_path: Path
) -> None:
    """Missing ones, and files without a key: never taken for "nobody may sign"."""
    (tmp_path / "empty").write_text("", encoding="utf-8")
    signed(repository, alice)
    for path in (tmp_path / "missing", tmp_path / "empty"):
        with pytest.raises(InvalidInput) as refused:
            make(**rules(WARN, path)).poll()
        assert refused.value.problems[0].code == Code.SIGNERS
    signed(repository, carol)
    with pytest.raises(InvalidInput):
        make(**rules(WARN, ssh=tmp_path / "missing")).poll()


def test_nothing_of_the_users_keyring_is_used_or_left(
    repository: GitRepository, make: Make, alice: Signer, gpg: GpgHome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key that is only in the user's own keyring is unknown; the scratch keyring is gone afterwards."""
    monkeypatch.setenv("GNUPGHOME", str(gpg.path))
    signed(repository, alice)
    assert make(**rules(WARN, gpg.key("victor").public)).poll().signature is Signature.UNKNOWN_KEY
    assert list((tmp_path / "data" / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    "lines",
    [
        "GOODSIG 1 x\n[GNUPG:] VALIDSIG F 2026 0 0 4 0 22 10 00 OTHER",
        "VALIDSIG F 2026 0 0 4 0 22 10 00 MAIN",
        "GOODSIG 1 x\n[GNUPG:] VALIDSIG a MAIN\n[GNUPG:] VALIDSIG b MAIN",
        "GOODSIG 1 x",
        "NODATA 1",
    ],
)
def test_less_than_one_valid_signature_of_an_allowed_key_is_bad(lines: str) -> None:
    """Of a key outside the keyring, without both lines, or twice."""
    finished = Finished(0, b"", f"[GNUPG:] {lines}\n")
    assert _gpg_verdict(finished, frozenset({"MAIN"})).signature is Signature.BAD


def test_text_around_the_verdict_of_ssh_keygen_counts_against_it() -> None:
    """Good means that line and nothing before it."""
    present = Finished(0, b"carol\n", "")
    said = 'Good "git" signature for carol with ED25519 key SHA256:x\n'
    assert _ssh_verdict(Finished(0, b"", said), present).signature is Signature.GOOD
    assert _ssh_verdict(Finished(0, b"", "what?\n" + said), present).signature is Signature.BAD
    assert _ssh_verdict(Finished(1, b"", said), present).signature is Signature.BAD
