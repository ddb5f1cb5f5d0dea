"""The world: one module per port and technology, named ``port_technology``.

Third-party clients are imported only here. An adapter translates foreign errors into `reconciler.errors` and knows nothing of
plans, units or other adapters. `memory` holds the twins that ship for the demo and pass the same contract suites.
"""
