"""ProxyConfig."""

from tests.core.validation.samples import said


def test_rules() -> None:
    """A number of threads is not negative; 0 means one for each core."""
    assert said("ProxyConfig", {"concurrency": 0}) == []
    assert said("ProxyConfig", {"concurrency": -1}) == ["MR2064 spec.concurrency"]
