"""What a run of these tests closes with: how often a process was killed."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up the kills that passed; a test says its own by the property ``kills``."""
    said = (pair for report in terminalreporter.getreports("passed") for pair in report.user_properties)
    if kills := sum(int(str(value)) for name, value in said if name == "kills"):
        terminalreporter.write_line(f"processes killed, all resumed exactly: {kills}")
