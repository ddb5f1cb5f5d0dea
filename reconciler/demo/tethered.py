"""Run as a script: `tethered.py PARENT_PID USER COMMAND ARG...` becomes COMMAND, and is killed when its parent ends.

USER is the numeric user to become first, or `-` to stay who we are; another user may be unable to start our Python.

It is a script and not a `preexec_fn` because code between fork and exec may deadlock in a process with threads. On systems
other than Linux the command runs all the same, and is only stopped by those who started it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)

if __name__ == "__main__":
    parent, user, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if user != "-":
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    if sys.platform == "linux":
        # After the change of user, which would undo it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked to be told
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is the point
