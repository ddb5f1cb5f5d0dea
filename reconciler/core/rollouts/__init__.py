"""Rollouts: a unit's accepted change, carried out in steps that move traffic.

    way = way_to(before, after, policy, situation)      `way`: legs and steps, or why no gradual way exists
    documents = effective(rollout, situation)           `effective`: what each object of the unit should be at this moment
    rollout, actions = advance(rollout, seen, now)      `machine`: what comes next; the transitions are data in `table`

A rollout changes one thing only: what is wanted now. From there on everything is as without one: differences, lawful order,
simulation, journalled writes. A rollout's whole state is one value, `rollout.Rollout`; the words of its way are in `values`.
"""
