"""The problems that a look at groups reports, each with its stable code and what it means.

A code is never given to something else, and never changes. Codes of this package begin with MR9; the second digit says what
they are about: 0 where a VM stands that joined a group.
"""

from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is found, by code."""

    WAITING = "MR9001", "a VM has joined its group, and has no WorkloadEntry yet"
    REFUSED = "MR9002", "a VM has joined a group and gets no WorkloadEntry, since it may not have one"
    HELD = "MR9003", "the WorkloadEntry of a VM that joined stays as it is, since nothing can be concluded about the VM"
    LEAVING = "MR9004", "a VM that joined its group has gone, and its WorkloadEntry is on its way out"
    OVERRULED = "MR9005", "what a VM that joined says of its network or locality does not count, since its group says otherwise"
