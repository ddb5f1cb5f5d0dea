"""The health of VMs in the mesh: from what the VM registry says to the condition by which istiod counts an endpoint.

    words        what is known of one VM, and why
    conditions   the condition `Healthy` of a WorkloadEntry: read, made, laid among those of others
    sources      whose word counts for a VM
    witnesses    who is asked about by us (Consul, our own probes), and the answer laid over the record
    opting       the annotation by which istiod goes by the condition: only written once a healthy one stands
    vitals       one VM: what its condition should be, what it is, who else has a say
    drains       the stages by which a person takes a VM out of service
    moves        the writes by which such a VM goes and comes back
    parting      that in words: what is wanted now of such a VM, and which share it still gets
    notes        what that takes off a WorkloadEntry, and how it comes back
    brakes       how many may leave load balancing within a while
    deciding     which conditions are written now, which are held back, and why
    planning     that, as units of a plan

Nothing here asks anybody or knows the time. What counts as an endpoint is `backends`, who must never be empty is `demands`.
"""
