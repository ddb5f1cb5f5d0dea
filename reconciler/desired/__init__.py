"""Git's side of a cycle: from a commit to what it wants, held against every rule that needs no cluster.

    following    what Git says, asked once until it is time again
    reader       a revision -> DesiredState, parsing only what was not seen before
    crds         the user's own CRDs: from a file, the cluster, or as last kept
    judging      what they say of each file, once for each content
    quarantine   a commit that ends the process again and again
    checking     `check`: all of this for a folder, offline

What a document means and what is wrong with it is said by `core.manifests` and `core.validation`.
"""
