"""A model of the VM registry that hypothesis drives beside a real one."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from reconciler.core.resources import Document, Key, LiveObject
from reconciler.errors import Conflict, Rejected
from reconciler.ports import VMRegistry
from tests.contracts.registry import key, record

NAMES = st.sampled_from(["vm-1", "vm-2", "vm-3"])
SPECS = st.fixed_dictionaries({"address": st.sampled_from(["10.0.0.1", "10.0.0.2"]), "weight": st.integers(0, 2)})
STATUSES = st.fixed_dictionaries(
    {}, optional={"health": st.sampled_from(["healthy", "unhealthy"]), "address": st.sampled_from(["10.0.0.1", "::1"])}
)


class RegistryModel(RuleBasedStateMachine):
    """Derive from it with `connect`, which returns a reader or writer of a registry that is empty at the first call.

    One writer writes; one reader has watched from the start, so it reads only what changed; a third one reads all.
    """

    seen = Bundle("seen")

    def __init__(self) -> None:
        super().__init__()
        self.registry, self.reader = self.connect(), self.connect()
        self.expected: dict[Key, Document] = {}
        self.live: dict[Key, LiveObject] = {}
        self.epochs: set[str] = set()
        self.moved = True
        self.observed = self.reader.observe()

    def connect(self) -> VMRegistry:
        """Return a connection to the registry of this run."""
        raise NotImplementedError

    @rule(target=seen, name=NAMES, spec=SPECS)
    def create(self, name: str, spec: Document) -> LiveObject | None:
        """A put without preconditions creates, or conflicts."""
        try:
            made = self.registry.put(record(name, **spec))
        except Conflict:
            assert key(name) in self.live
            return None
        assert key(name) not in self.live
        self._written(made, record(name, **spec), {"health": "unknown"})
        return made

    @rule(target=seen, basis=seen, spec=SPECS, with_epoch=st.booleans())
    def update(self, basis: LiveObject | None, spec: Document, *, with_epoch: bool) -> LiveObject | None:
        """A put on the basis of what was seen at some time happens only where that still holds."""
        if basis is None:
            return None
        epoch = basis.resource_version if with_epoch else ""
        try:
            live = self.registry.put(record(basis.key.name, **spec), uid=basis.uid, resource_version=epoch)
        except Conflict:
            assert not self._holds(basis, epoch)
            return basis
        assert self._holds(basis, epoch)
        if self.expected[basis.key]["spec"] == live.document["spec"]:
            assert live == self.live[basis.key]
        else:
            self._written(live, record(basis.key.name, **spec), self.expected[basis.key]["status"])
        return live

    @rule(basis=seen, with_epoch=st.booleans())
    def delete(self, basis: LiveObject | None, *, with_epoch: bool) -> None:
        """A deletion on such a basis likewise; what is gone is gone."""
        if basis is None:
            return
        epoch = basis.resource_version if with_epoch else ""
        try:
            self.registry.delete(basis.key, uid=basis.uid, resource_version=epoch)
        except Conflict:
            assert not self._holds(basis, epoch)
            return
        if basis.key in self.live:
            assert self._holds(basis, epoch)
            del self.live[basis.key], self.expected[basis.key]
            self.moved = True

    @rule(name=NAMES, status=STATUSES)
    def report(self, name: str, status: Document) -> None:
        """A report replaces the status of what is registered and leaves its epoch alone."""
        try:
            live = self.registry.report(key(name), status)
        except Rejected:
            assert key(name) not in self.live
            return
        said = {"health": "unknown", **status}
        assert live.resource_version == self.live[key(name)].resource_version
        before = {part: text for part, text in self.expected[key(name)]["status"].items() if part != "lastSeen"}
        self.moved |= said != before
        self.expected[key(name)]["status"] = {**said, "lastSeen": live.document["status"]["lastSeen"]}
        self.live[key(name)] = live

    @rule()
    @precondition(lambda self: self.moved)
    def observe(self) -> None:
        """The reader sees a new version with exactly what the model expects, `lastSeen` of mere signs of life aside."""
        observed = self.reader.observe()
        assert observed.version != self.observed.version or observed == self.observed
        assert _without_time(observed.machines) == _without_time(self.live)
        self.observed, self.moved = observed, False

    @rule()
    def observe_all(self) -> None:
        """A reader that comes late sees the same, and each record reads as it was last returned."""
        late = self.connect()
        assert _without_time(late.observe().machines) == _without_time(self.live)
        assert {one: late.get(one) for one in self.live} == self.live
        assert {one: live.document for one, live in self.live.items()} == self.expected
        late.close()

    @invariant()
    def nothing_moves_by_itself(self) -> None:
        """While nothing changed, the observation is the very same value."""
        if not self.moved:
            assert self.reader.observe() is self.observed

    def teardown(self) -> None:
        """Close."""
        self.registry.close()
        self.reader.close()

    def _written(self, live: LiveObject, document: Document, status: Document) -> None:
        assert live.document == {**document, "status": status}
        assert live.resource_version not in self.epochs
        self.epochs.add(live.resource_version)
        self.live[live.key], self.expected[live.key] = live, {**document, "status": dict(status)}
        self.moved = True

    def _holds(self, basis: LiveObject, epoch: str) -> bool:
        live = self.live.get(basis.key)
        return live is not None and live.uid == basis.uid and epoch in ("", live.resource_version)


def _without_time(machines: Any) -> dict[Key, Document]:
    return {
        one: {**live.document, "status": {part: text for part, text in live.document["status"].items() if part != "lastSeen"}}
        for one, live in machines.items()
    }
