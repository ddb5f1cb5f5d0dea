"""A tree of files, judged and listed: what all sources share, whoever holds the bytes. No adapter by itself.

What belongs here: which entries of a tree may be read as manifests, and what kustomize folders among them need and become. What
must not be known here: commits, mirrors, file systems; where bytes come from is a function that is given. A tree is hostile
until it is judged.

    limits       caps that a tree must keep
    entries      one entry of a tree, and what must not be in it
    kustomize, overlays   what kustomizations refer to, or why they are refused; which of them are rendered
    rendering    kubectl on a scratch copy
    listing      a tree -> the files to read from it
    process      the one place that starts processes (through GitPython), with a deadline and caps on output, memory and disk
    words        text of others, fit to be shown on one line
"""
