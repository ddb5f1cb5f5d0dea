"""The fleet of VMs as the registry's server judges it: who they are, whether they live, what is held back.

Values in, values out.

    values       tokens, agents, workloads, the fleet's own record: what a store keeps, each with the version of its last write
    refusals     how a request is refused: stable codes, HTTP statuses
    credentials  a signed credential as text and back, and how it stands to the record of its agent
    addresses    where a request came from, and which reported address is believed
    roster       the rows by what they are looked up by; a decision about them
    admission    a credential -> its agent, a lock where it was copied, a recovery where our record is behind
    joining      a token -> a workload of an agent
    membership   a token of a group -> the name of a new member; a member -> its join as the registry's records tell it
    beating      a heartbeat -> health, a successor of the credential
    operating    what operators decide: tokens, drain, undrain, revoke, release of a brake, the end of a recovery
    damping      a VM that flaps
    leases       when a silent agent is lost, and when nobody is
    brakes       how many may be lost at once
    sweep        who is lost now
    audit        the chain of what was decided
    keeping      what is forgotten after a while
    views        the status that the VM registry shows

An agent is one VM with one credential; it speaks for any number of workloads, each of which is a WorkloadEntry's name. What is
not known here: HTTP, databases, the clock, and which record of the registry there is for a workload.
"""
