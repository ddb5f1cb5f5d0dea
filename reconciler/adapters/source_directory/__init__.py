"""A plain folder as the source, for `reconciler check DIR`: no Git, no history, the files as they are now.

It reads the files that the Git source would read if all of it were committed, and refuses what that would refuse, so that a
check says beforehand what a running service would say afterwards.

    scan      one look at the folder: which entries there are, and what their files hold
    source    `DirectorySource`: all of it behind the port
"""

from reconciler.adapters.source_directory.source import DirectorySource

__all__ = ["DirectorySource"]
