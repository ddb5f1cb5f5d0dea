"""VMs as people bring them in, look at them and move them, and who tells how they are.

    enrolling    what a VM needs to join, fetched and put together
    bundles      its files in the form in which somebody takes them there
    private      files that hold secrets
    agent_file   the agent as one file
    mustering    the VMs of a target, out of cluster, registry and the registry's server
    witnessing   what others than their agents say of VMs
    auditing     the audit log of the registry's server, held against its own hashes

What that server decides is in `core.fleet`.
"""
