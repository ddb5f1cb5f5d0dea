"""What was.

    remembering  a service at one moment of the past: who wanted what, and where requests went
    recorded     the same where no rollout tells, of runs and the journal of writes
    replaying    a rollout's gates judged again, with some settings changed

None of it asks Git, the cluster or the registry.
"""
