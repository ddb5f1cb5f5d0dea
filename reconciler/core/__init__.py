"""The decisions: pure functions over values.

What belongs here: parsing, validation, comparison, order, simulation, planning. What must not be known here: Git, Kubernetes
clients, databases, files, threads, the clock. Time is an argument; randomness does not occur.
"""
