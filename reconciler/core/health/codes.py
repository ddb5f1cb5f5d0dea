"""The problems that a look at the health of VMs reports, each with its stable code and what it means.

A code is never given to something else, and never changes. Codes of this package begin with MR8; the second digit says what
they are about: 0 what happens to a VM in load balancing, 1 where Git, registry and VM disagree (`states`).
"""

from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is found, by code."""

    LEAVES = "MR8001", "a VM leaves load balancing, since it is ill or a person takes it out"
    COMES = "MR8002", "a VM is to get requests, since it is well"
    UNCOUNTED = "MR8003", "a VM is ill, and gets its requests all the same until its health counts"
    FOUGHT = "MR8004", "another writer keeps changing the condition of a VM back, so it is left alone"
    OUT = "MR8005", "a VM gets no requests"
    ASSUMED = "MR8006", "health is assumed, since nobody reports it"
    WAITING = "MR8007", "health does not count yet, since nobody has reported the VM to be well"
    UNHEARD = "MR8008", "a source of health cannot be asked, so nothing is concluded about its VMs"
    DRAINED = "MR8009", "a VM is wanted out of service by a person, whatever Git says of its weight and labels"
    UNPROBED = "MR8010", "whether a VM is well cannot be found out"
    DOUBTED = "MR8011", "the VM registry may be a restored backup, so nothing is concluded from it until a person ends that"
    HELD = "MR8012", "VMs are silent past their leases, and held by the brake of the registry's server"

    ADDRESS_CHANGED = "MR8101", "a VM reports from another address than Git says, so it counts as ill (address-changed)"
    MISSING = "MR8102", "Git asks for the health of a VM that nobody has ever reported (missing)"
    UNCLAIMED = "MR8103", "a VM has joined that Git does not know (unclaimed)"
    OTHER_IDENTITY = "MR8104", "a VM has joined as another service account than Git says (other-identity)"
    OTHER_LABELS = "MR8105", "the labels of a VM are others in the cluster than in the registry (other-labels)"
    DELEGATED = "MR8107", "a WorkloadEntry is where its VM reports from, since Git leaves its address to the VM registry"
    CREDENTIAL_COPIED = "MR8108", "two machines have used the credential of a VM (credential-copied)"
    AWAITED = "MR8106", "a WorkloadEntry of Git is not made before its VM has joined and is well"
