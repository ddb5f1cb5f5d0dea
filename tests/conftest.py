"""Fixtures for all tests. Those over real servers are explained in `tests/real/fixtures.py`."""

pytest_plugins = ["tests.real.fixtures"]
