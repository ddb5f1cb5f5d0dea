"""Commits that end the process: counted before they are looked at, refused after so many deaths."""

import pytest

from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.resources import Revision
from reconciler.desired.quarantine import ATTEMPTS, Quarantine
from reconciler.errors import InvalidInput

BAD, GOOD = Revision("a" * 40), Revision("b" * 40)


@pytest.mark.case("S-08")
def test_a_commit_that_kills_the_process_is_left_alone_in_the_end() -> None:
    """Each start counts before it plans; after so many deaths the commit is refused, and another commit is not."""
    store = MemoryStore()
    for _ in range(ATTEMPTS):
        Quarantine(store).enter(BAD)
    with pytest.raises(InvalidInput, match="ended the process 3 times"):
        Quarantine(store).enter(BAD)
    Quarantine(store).enter(GOOD)


@pytest.mark.case("S-08")
def test_a_commit_that_went_well_is_never_counted() -> None:
    """Once survived, any number of later starts and passes on the same commit are fine."""
    store = MemoryStore()
    for _ in range(ATTEMPTS * 3):
        quarantine = Quarantine(store)
        quarantine.enter(BAD)
        quarantine.leave()
        quarantine.enter(BAD)


@pytest.mark.case("S-08")
def test_bugs_in_one_process_count_like_deaths() -> None:
    """A pass that never came to an end was a death, whether or not the process outlived it."""
    quarantine = Quarantine(MemoryStore())
    for _ in range(ATTEMPTS):
        quarantine.enter(BAD)
    with pytest.raises(InvalidInput):
        quarantine.enter(BAD)


def test_a_refused_commit_stays_refused() -> None:
    """The pass that refuses it comes to a good end on another commit, and that is no acquittal."""
    store = MemoryStore()
    quarantine = Quarantine(store)
    for _ in range(ATTEMPTS):
        quarantine.enter(BAD)
    for one in (quarantine, Quarantine(store)):
        with pytest.raises(InvalidInput):
            one.enter(BAD)
        one.leave()
    with pytest.raises(InvalidInput):
        Quarantine(store).enter(BAD)
