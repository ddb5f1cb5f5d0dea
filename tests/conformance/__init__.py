"""Our validation against Istio's own test cases, which lie beside the project where somebody has put them.

`cases` reads them, `comparison` judges one, `python -m tests.conformance` (`make conformance`) judges all and prints what
differs. The cases are held out: rules are written from Istio's source and its CRDs, never from them.
"""
