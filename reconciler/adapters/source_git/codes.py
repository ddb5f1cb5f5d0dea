"""The problems that the Git source reports, each with its stable code and what it means.

A code is never given to something else, and never changes. Codes of sources begin with MR6; the second digit says what they
are about: 0 settings, 1 the server, 2 a commit and its tree, 3 kustomize. What concerns any tree of files stands in
`adapters/tree`.
"""

from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is found, by code."""

    URL = "MR6001", "the repository's URL is not one that is accepted"
    REF = "MR6002", "the ref is not one that is accepted"
    FOLDER = "MR6003", "the manifest folder is not a plain relative path"
    LOCAL = "MR6004", "a local repository is given without git.allow_local"
    CREDENTIALS = "MR6005", "a file or variable with credentials cannot be used"
    DATA_DIR = "MR6007", "the data folder is open to others"
    SIGNERS = "MR6008", "the keys that may sign commits cannot be used"

    REFUSED = "MR6101", "the server refused our credentials"
    HOST_KEY = "MR6102", "the server's ssh host key is not among the known ones"
    REDIRECT = "MR6103", "the server redirects to another address"
    OWNERSHIP = "MR6104", "a local repository belongs to another user"
    OBJECT_FORMAT = "MR6105", "the repository uses SHA-256 object ids"
    STORE_CAP = "MR6106", "the repository is larger than the mirror may become"

    MALFORMED = "MR6201", "Git's own check refuses an object of the repository"
    NO_COMMIT = "MR6202", "the ref names something else than a commit"
    SIGNATURE = "MR6203", "the commit is not signed by an accepted key"
    NO_FOLDER = "MR6204", "the commit has no such folder, or no manifest in it"
