"""The problems of trees of files, each with its stable code and what it means. They go on from those of the Git source."""

from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is found, by code."""

    TOOL = "MR6006", "a program that is needed is not installed"

    SYMLINK = "MR6211", "an entry of the folder is a symlink"
    SUBMODULE = "MR6212", "an entry of the folder is a submodule"
    LFS = "MR6213", "a manifest file is a Git LFS pointer"
    NAME = "MR6214", "a file name could be read as another one, or hides something"
    TWINS = "MR6215", "two paths of the folder cannot be told apart on some systems"
    CAP = "MR6216", "the commit is over a cap"

    KUBECTL = "MR6301", "a kustomize folder needs kubectl"
    KUSTOMIZATION = "MR6302", "a kustomization file cannot be read"
    REFERENCE = "MR6303", "a kustomization refers to something that is not a file or folder of the repository"
    PLUGIN = "MR6304", "a kustomization has a field that is not accepted"
    RENDER = "MR6305", "kustomize could not render a folder"
