"""The event stream of libyaml."""

import pytest
import yaml
from yaml.events import ScalarEvent

from reconciler.core.manifests.events import open_events, spot


def test_events_carry_their_place() -> None:
    """Lines and columns count from one."""
    next_event = open_events(b"a:\n  b\n")
    events = [next_event() for _ in range(6)]
    assert [spot(event) for event in events if isinstance(event, ScalarEvent)] == [(1, 1), (2, 3)]


def test_broken_text_raises_yamls_own_error() -> None:
    """Only `loader` and `positions` read events, and both catch it."""
    next_event = open_events(b"[")
    with pytest.raises(yaml.YAMLError):
        list(iter(next_event, None))
