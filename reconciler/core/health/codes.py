"""The problems that a look at the health of VMs reports, each with its stable code and what it means.

A code is never given to something else, and never changes. Codes of this package begin with MR8; the second digit says what
they are about: 0 what happens to a VM in load balancing.
"""

from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is found, by code."""

    LEAVES = "MR8001", "a VM leaves load balancing, since it is ill or a person takes it out"
    COMES = "MR8002", "a VM is to get requests, since it is well"
    UNCOUNTED = "MR8003", "a VM is ill, and gets its requests all the same until its health counts"
