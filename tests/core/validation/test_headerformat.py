"""Envoy's format of header values."""

import pytest

from reconciler.core.validation.headerformat import format_flaw


@pytest.mark.parametrize(
    "value",
    ["", "plain", "100%%", "%START_TIME%", "a%REQ(x-a)%b", '%X([ "a", "b\\"c" ])%', "%X(a)  %", "%%%A%", "%any thing%"],
)
def test_values(value: str) -> None:
    """Text, escaped percent signs, variables with and without arguments."""
    assert format_flaw(value) == ""


@pytest.mark.parametrize(
    "value", ["%", "50% off", "%A", "%A(x%", "%A(x)y%", '%X(["a" "b"])%', "%X([a])%", '%X(["a"]x)%', "%A()%", "%X(a\\"]
)
def test_no_values(value: str) -> None:
    """A single percent sign, and variables that do not end."""
    assert format_flaw(value)
