"""VMs that join without a WorkloadEntry in Git, where a WorkloadGroup lets them: from the join to the entry that is wanted.

    joins      what the registry's server writes of a join into a VM's record, and back
    autogroup  a WorkloadGroup that lets VMs join, and the WorkloadEntry that its template makes of one
    marks      what sets such an entry apart from Git's: annotations, and the sentence that reports tell
    places     who has an address already: a VM of Git's, one that istiod registered, another member
    judging    where one member stands: in, waiting, leaving, held
    outcome    what is wanted of its entry and of its record
    members    all of that over one commit and one observation: the desired state with the members in it

What a join may say is address, network and locality alone; the name follows from group and address. All else is the template of
the accepted commit. Nothing here asks anybody or knows the time.
"""
