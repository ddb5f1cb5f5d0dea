"""What each port promises, as suites that run over every adapter of the port, the one in memory included.

A suite is a class; a test module of an adapter derives one class from it and gives it the adapter as a fixture.
"""
