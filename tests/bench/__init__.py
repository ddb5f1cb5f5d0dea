"""How fast and how small the reconciler is, beside others that do the same in the same run: `python -m tests.bench`.

What belongs here: the mesh that is measured, the competitors, the rows of the table, each with its target. Nothing here is a
test: figures depend on the machine and its moment, so ratios count, medians of interleaved rounds, and CPU time where it will
do. What must not be known here: anything that the measured program is not told on its command line, but for the two rows that
are measured inside of it.
"""
