"""The rollouts of a target, between store, gates and cycle.

    rolling      looked at, begun and saved within a cycle
    leading      all of them at one moment, led on by what was seen
    driving      to their end in the foreground
    gating       all gates that are due, asked at once
    asking       their questions, carried to whoever can answer
    forcing      whether what was written is in force, asked of istiod
    saying       what people say to rollouts
    holding      services whose objects must not be written
    checkpoints  rollouts on their ServiceEntries, for when the store is lost

What becomes of each rollout is decided in `core.rollouts`.
"""
