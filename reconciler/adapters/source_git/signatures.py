"""Who signed a commit, and whether that key is good now.

Git itself checks the signature (`git verify-commit`), because what exactly was signed is its rule; the verdict is read from the
machine-readable lines of gpg, and from ssh-keygen's. Two traps are closed here: Git judges an SSH key's validity at the
committer's date, which the committer chooses, so the key is asked for once more at the present time; and a commit that carries
several signatures is refused, since programs differ on which one counts.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.mirror import Mirror
from reconciler.adapters.source_git.settings import Signatures
from reconciler.adapters.tree.process import Finished, program, run
from reconciler.core.resources import Signature
from reconciler.errors import InvalidInput

_SSH_ARMOUR = "-----BEGIN SSH SIGNATURE-----"
_PGP_ARMOUR = "-----BEGIN PGP SIGNATURE-----"
#: gpg's status words -> verdict, the worst first. A good signature has none of them.
_GPG_VERDICTS = (
    ("BADSIG", Signature.BAD),
    ("REVKEYSIG", Signature.REVOKED),
    ("EXPKEYSIG", Signature.EXPIRED),
    ("EXPSIG", Signature.EXPIRED),
    ("NO_PUBKEY", Signature.UNKNOWN_KEY),
    ("ERRSIG", Signature.BAD),
)
#: No trust database, no key servers, no agent: a key counts because the operator named its file, and for no other reason.
_GPG_OPTIONS = "no-auto-key-retrieve\nno-auto-key-locate\nno-autostart\ndisable-dirmngr\ntrust-model always\nno-greeting\n"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it, and the signer as the keys name them."""

    signature: Signature
    signer: str = ""


def verify(mirror: Mirror, commit: str, signatures: tuple[str, ...], rules: Signatures) -> Verdict:
    """Judge the signatures of a commit. Raises InvalidInput for key files that cannot be used."""
    if not signatures:
        return Verdict(Signature.MISSING)
    if len(signatures) > 1:
        return Verdict(Signature.BAD)
    with tempfile.TemporaryDirectory(dir=mirror.scratch, prefix="signature-") as scratch:
        if signatures[0].startswith(_SSH_ARMOUR) and rules.allowed_signers_file:
            return _ssh(mirror, commit, signatures[0], rules.allowed_signers_file, Path(scratch))
        if signatures[0].startswith(_PGP_ARMOUR) and rules.gpg_key_files:
            return _gpg(mirror, commit, rules.gpg_key_files, Path(scratch))
    return Verdict(Signature.UNKNOWN_KEY)


def _ssh(mirror: Mirror, commit: str, signature: str, signers: Path, scratch: Path) -> Verdict:
    if not signers.is_file():
        raise InvalidInput(f"the allowed signers file {signers} does not exist", code=Code.SIGNERS)
    keygen = program("ssh-keygen")
    pairs = (("gpg.ssh.program", str(keygen)), ("gpg.ssh.allowedSignersFile", str(signers.absolute())))
    command = (mirror.git, "verify-commit", "--raw", "--end-of-options", commit)
    judged = run(command, mirror.environment(pairs), mirror.folder, mirror.bounds())
    copy = scratch / "signature"
    copy.write_text(signature, encoding="utf-8")
    find = (keygen, "-Y", "find-principals", "-f", signers.absolute(), "-s", copy)
    present = run(find, mirror.plain_environment(), mirror.folder, mirror.bounds())
    return _ssh_verdict(judged, present)


def _ssh_verdict(judged: Finished, present: Finished) -> Verdict:
    """Put together what Git said (at the commit's date) and who may sign with that key now."""
    said = judged.errors + judged.output.decode(errors="replace")
    if "key has expired" in said + present.errors:
        return Verdict(Signature.EXPIRED)
    start, _, rest = said.partition('Good "git" signature for ')
    signer = rest.partition(" with ")[0]
    if judged.ok and not start.strip() and signer:
        allowed_now = present.ok and signer in present.output.decode(errors="replace").splitlines()
        return Verdict(Signature.GOOD if allowed_now else Signature.EXPIRED, signer)
    if 'Good "git" signature with ' in said:
        return Verdict(Signature.UNKNOWN_KEY)
    return Verdict(Signature.BAD)


def _gpg(mirror: Mirror, commit: str, key_files: tuple[Path, ...], home: Path) -> Verdict:
    gpg = program("gpg")
    (home / "gpg.conf").write_text(_GPG_OPTIONS, encoding="utf-8")
    keyring = {"GNUPGHOME": str(home)}
    allowed = _imported(mirror, gpg, key_files, keyring)
    pairs = (("gpg.program", str(gpg)), ("gpg.openpgp.program", str(gpg)), ("gpg.minTrustLevel", "undefined"))
    command = (mirror.git, "verify-commit", "--raw", "--end-of-options", commit)
    judged = run(command, mirror.environment(pairs) | keyring, mirror.folder, mirror.bounds())
    return _gpg_verdict(judged, allowed)


def _imported(mirror: Mirror, gpg: Path, key_files: tuple[Path, ...], keyring: dict[str, str]) -> frozenset[str]:
    """Fill a keyring; return the fingerprints of its primary keys. Raises InvalidInput for a file without a key."""
    command = (gpg, "--batch", "--no-tty", "--status-fd", "1", "--import", "--")
    fingerprints: set[str] = set()
    for path in key_files:
        environment = mirror.plain_environment() | keyring
        finished = run((*command, path.absolute()), environment, mirror.folder, mirror.bounds())
        found = {words[2] for words in _status(finished.output.decode(errors="replace")) if words[0] == "IMPORT_OK"}
        if not found:
            raise InvalidInput(f"the GPG keys file {path} cannot be read, or holds no public key", code=Code.SIGNERS)
        fingerprints |= found
    return frozenset(fingerprints)


def _gpg_verdict(judged: Finished, allowed: frozenset[str]) -> Verdict:
    lines = _status(judged.errors + judged.output.decode(errors="replace"))
    words = {line[0] for line in lines}
    signer = next((" ".join(line[2:]) for line in lines if line[0] in ("GOODSIG", "EXPKEYSIG", "REVKEYSIG", "EXPSIG")), "")
    for word, verdict in _GPG_VERDICTS:
        if word in words:
            return Verdict(verdict, signer)
    valid = [line for line in lines if line[0] == "VALIDSIG"]
    # The last word of VALIDSIG is the fingerprint of the primary key, whichever of its subkeys signed.
    if judged.ok and len(valid) == 1 and "GOODSIG" in words and valid[0][-1] in allowed:
        return Verdict(Signature.GOOD, signer)
    return Verdict(Signature.BAD, signer)


def _status(text: str) -> list[list[str]]:
    return [line.split()[1:] for line in text.splitlines() if line.startswith("[GNUPG:] ") and len(line.split()) > 1]
