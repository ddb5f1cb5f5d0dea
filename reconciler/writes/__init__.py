"""From a plan to what became of each of its writes.

    execution    a plan, unit by unit and wave by wave
    sending      a pool of workers; each write journalled before it is sent and settled after it
    writer       single writes: the only place from which anything leaves
    journalled   what became of the writes that rollouts caused

In which order they go, `core.plan` has decided.
"""
