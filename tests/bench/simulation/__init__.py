"""How often the judge is wrong and how long it takes, beside what people would use instead: `python -m tests.bench.simulation`.

Traffic is made up minute by minute: 200 requests of the canary and 1,800 of the stable arm, of which 0.5 % fail unless said
otherwise. Every run has a seed of its own, so the figures are the same on every machine and with any number of processes.
"""
