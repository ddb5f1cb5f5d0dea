"""The tests. Files mirror the package: `reconciler/core/diff.py` is tested by `tests/core/test_diff.py`."""
