"""The ports: what the cycle needs of the world, as promises. Adapters keep them; `reconciler/adapters/memory.py` does so too.

All methods may raise `Unavailable` (nothing is known; nothing may be concluded) and `Rejected`; other errors are named.
All adapters are safe to call from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from reconciler.core.drain import PATIENCE
from reconciler.core.namespaces import Inside
from reconciler.core.records import MachineStatus
from reconciler.core.resources import (
    Autoscaler,
    Controller,
    Document,
    FieldOwner,
    Key,
    LiveObject,
    Pod,
    Relation,
    Revision,
    Service,
)
from reconciler.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from reconciler.core.enrolment.vm import EnrolledVM
    from reconciler.core.fleet.audit import Extent, Link
    from reconciler.core.fleet.roster import Decision
    from reconciler.core.fleet.values import Row, Sign
    from reconciler.core.gates.answers import Arm, AskHook, Counts, Durations, Reply, Series, Window
    from reconciler.core.gates.spec import Reporter
    from reconciler.core.health.witnesses import Patient
    from reconciler.core.rollouts.records import Change, Evidence, Refusal
    from reconciler.core.rollouts.rollout import Rollout
    from reconciler.core.rollouts.seen import Command, Hold
    from reconciler.core.rollouts.values import Told


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A manifest file of a commit: path relative to the repository, content id, size in bytes.

    For a rendered kustomize folder `path` is its kustomization file and `id` names tree and kustomize version.
    """

    path: str
    id: str
    size: int
    rendered: bool = False


class BadTree(InvalidInput):
    """Some files must not be there. `others` may be read all the same, by whoever wants to say all that is wrong at once."""

    def __init__(self, problems: Iterable[Problem], others: Iterable[TreeFile] = ()) -> None:
        self.others = tuple(others)
        super().__init__(problems)


class Source(Protocol):
    """A Git repository at one ref and one folder."""

    def poll(self) -> Revision:
        """Return the commit that the ref names now; one ls-remote, and a fetch only when it is new.

        Raises InvalidInput for a ref, URL, signature or commit that policy refuses, Unavailable where Git cannot be reached
        or holds no such ref (never "desired is nothing").
        """

    def files(self, revision: Revision) -> tuple[TreeFile, ...]:
        """Return the manifest files of the folder at a commit, in path order.

        Raises BadTree with every file that must not be there (symlink, submodule, LFS pointer, over a cap, odd name).
        """

    def contents(self, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """Yield the bytes of files, in the order given. Raises Unavailable when the store is damaged (it is rebuilt then)."""

    def relation(self, earlier: str, later: str) -> Relation:
        """Return how commit `later` relates to commit `earlier` (UNKNOWN where the earlier one no longer exists)."""

    def close(self) -> None: ...


class ParseCache(Protocol):
    """What parsing made of blobs, kept across restarts. A cache: it may forget anything, and never fails."""

    def get(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these blobs."""

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep what parsing made of blobs, by blob id."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One complete read of the cluster. `version` changes with any content; what is not known is as in `ObservedState`."""

    objects: Mapping[Key, LiveObject]
    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()
    controllers: tuple[Controller, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    unread: frozenset[str] = frozenset()
    unserved: frozenset[str] = frozenset()
    unseen: frozenset[tuple[str, str]] = frozenset()
    version: str = ""


#: In place of a resource version: nothing may be there yet. kube-apiserver makes an object with it, and refuses to update a
#: custom resource with it; Namespaces and ServiceAccounts it updates all the same (seen on 1.37).
NEW = "0"


class Cluster(Protocol):
    """The Kubernetes API server as a store of mesh objects. Every write goes under one field manager, never forced."""

    def observe(self) -> ClusterState:
        """Return everything of the managed kinds, Pods, Services, and what scales Pods. Partial reads raise Unavailable."""

    def get(self, key: Key) -> LiveObject | None:
        """Read one object back from the server itself."""

    def dry_run(self, document: Document) -> LiveObject:
        """Return what an apply of this document would make of the object. Raises Conflict with the managers in the way."""

    def apply(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        """Server-side apply the whole declared document; preconditions where given (`NEW` for a create). Raises Conflict."""

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        """Delete exactly this object; gone already is fine. Raises Conflict when it is another one by now."""

    def set_owners(
        self, key: Key, owners: Sequence[FieldOwner], *, uid: str, resource_version: str, drop_labels: Sequence[str] = ()
    ) -> LiveObject:
        """Replace `metadata.managedFields` (and take labels away) under a test of uid and version. Raises Conflict."""

    def set_conditions(self, key: Key, conditions: Sequence[Document], *, resource_version: str) -> LiveObject:
        """Replace `status.conditions` under a test of the version, through `/status`. Raises Conflict.

        No other object ever has that version. The list is atomic: it must hold those of others, too. It becomes our status
        manager's (`core.health.conditions`), whoever had it.
        """

    def annotate(self, key: Key, name: str, text: str | None, *, uid: str, resource_version: str) -> LiveObject:
        """Set one annotation, or take it away (None), under a manager of its own and a test of both. Raises Conflict."""

    def inside(self, namespace: str) -> tuple[Inside, ...]:
        """Return everything in a namespace, of every kind that there is, nothing where there is no such namespace.

        Raises Rejected where we may not look at all of it: what nobody has seen, nobody may take for empty.
        """

    def crds(self) -> tuple[Document, ...]:
        """Return the CustomResourceDefinitions of the managed groups."""

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Keep watches open from now on; call `changed` (cheap, from any thread) whenever content changes."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class RegistryState:
    """One complete read of the VM registry.

    `served`: a server of ours keeps it. `recovering`: that doubts the record, which may be an older one.
    """

    machines: Mapping[Key, LiveObject]
    version: str = ""
    served: bool = False
    recovering: bool = False


class VMRegistry(Protocol):
    """The registry of VMs: `spec` is written by us, `status` by the VM.

    A record is a document of kind VirtualMachine: metadata (namespace, name, labels), spec, status (`health`, and once the VM
    has reported `address`, `lastSeen`, a `reason`, and `draining` with a `drain` where a person takes it out of service). Its
    `resource_version` is the epoch, which moves with its spec alone: a report of the VM never makes a write of ours conflict.
    Every door checks what it is given (`core.records`) and raises Rejected.
    """

    def observe(self) -> RegistryState:
        """Return all records of the target; while no content has changed, the very same value, and no server is asked.

        A sign of life is no content: `lastSeen` may be older here than in `get`.
        """

    def get(self, key: Key) -> LiveObject | None:
        """Read one record back."""

    def put(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        """Create a record (no preconditions) or update the spec of one; the status stays.

        A spec that stands there already is left as it is, epoch included. Raises Conflict: it exists (for a create), is gone,
        is another one or has moved (for an update).
        """

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        """Delete exactly this record; gone already is fine. Raises Conflict, Rejected where no uid is given."""

    def report(self, key: Key, status: Document) -> LiveObject:
        """Store a VM's status (`address`, `health`, `reason`, `draining`, `drain`). Raises Rejected for an unknown VM.

        `lastSeen` is the registry's own time; one that the report carries is not used.
        """

    def tell(self, judged: Mapping[Key, MachineStatus]) -> None:
        """Store statuses as they are, times included: what the registry's server has judged. None for records not there."""

    def seen(self, newest: Mapping[Key, datetime]) -> None:
        """Keep when VMs were last seen; never back, no content, and nothing for records that are not there."""

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Keep a watch open from now on; call `changed` (cheap, from any thread) whenever content changes."""

    def close(self) -> None: ...


class ServedRegistry(VMRegistry, Protocol):
    """A registry that a server of ours can keep."""

    def serve(self, *, recovering: bool) -> None:
        """Note that a server keeps the record, and whether it may be an older one; `observe` tells so, and that is content."""


class Witness(Protocol):
    """Somebody beside the VMs' own agents who tells how VMs are. Nothing is ever written there."""

    def testify(self, vms: Sequence[Patient]) -> Mapping[Key, MachineStatus]:
        """Return `health` and `reason` of these VMs by their keys; who is not known is not among them.

        Those asked about last are the ones that are looked after from then on. No server is asked while nothing has changed,
        once there is a subscriber.
        """

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Keep looking from now on; call `changed` (cheap, from any thread) whenever an answer may be another one."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FleetChanges:
    """Rows of a fleet that were written after some version, oldest first, and the version as of now."""

    version: int
    rows: tuple[Row, ...] = ()


class FleetStore(Protocol):
    """What the registry's server keeps of one target: rows of `core.fleet.values`, signs of life, the audit log."""

    def changes(self, since: int = 0) -> FleetChanges:
        """Return the rows that were written after a version. One below `since`: an older copy was put in place."""

    def save(self, decision: Decision) -> tuple[Row, ...]:
        """Store all rows of a decision with its audit entries, and forget those that are gone, or nothing of it.

        Returns the rows with their new versions. An agent's sign of life goes with it.

        Raises Conflict where one of them was written since the version that it carries (0: since there was none).
        """

    def sign(self, newest: Mapping[str, Sign]) -> None:
        """Keep signs of life by agent, of each agent the newest; they change no version."""

    def signs(self) -> Mapping[str, Sign]:
        """Return the newest sign of life of each agent."""

    def audit(self, after: int = 0, limit: int = 1000) -> tuple[Link, ...]:
        """Return links of the audit log that follow the one of a number."""

    def extent(self) -> Extent:
        """Return where the audit log begins and ends, as it was written."""

    def cut(self, before: datetime, most: int) -> int:
        """Cut off the oldest links up to the first that is not from before, so many at most; return how many went."""

    def close(self) -> None: ...


class Schemas(Protocol):
    """Structural schemas and CEL rules of the user's own CRDs."""

    @property
    def origin(self) -> str:
        """Where the CRDs came from, for the report; empty where there are none."""

    @property
    def id(self) -> str:
        """What tells these CRDs from others: two of the same id say the same of any document, today or another day."""

    def judge(self, documents: Sequence[Document]) -> Iterable[tuple[Problem, ...]]:
        """Return for each document what the CRD of its kind says against it (`field` set, `place` not).

        Raises Unavailable where the judgement cannot be made now.
        """


@dataclass(frozen=True, slots=True)
class LeaseState:
    """Who writes to a target, and out of which state store.

    `holder` is empty once it was given up, while `store` (the store's id) and `generation` (the store's, at the last renewal)
    stay: they tell the target's own store from another one and from an older copy of itself. `epoch` grows with each change
    of hands.
    """

    holder: str
    store: str
    epoch: int
    generation: int = 0
    renewed: datetime | None = None


class Lease(Protocol):
    """The one-writer lock of a target."""

    def acquire(self, holder: str, store: str, ttl: timedelta, *, now: datetime, generation: int = 0) -> LeaseState:
        """Take or renew it. Raises Fenced, naming the holder, while another one holds it unexpired."""

    def release(self, holder: str) -> None:
        """Give it up; not holding it is fine."""

    def current(self) -> LeaseState | None:
        """Return it as it stands, None where the target never had one."""


class Clock(Protocol):
    """The only reader of time."""

    def now(self) -> datetime:
        """Wall time, UTC, aware."""

    def monotonic(self) -> float:
        """Seconds that only grow."""


class Metrics(Protocol):
    """What a mesh measures of itself. All methods raise Rejected for a question that makes no sense to it.

    Nothing is guessed: half an answer, one with a warning or one in another form raises Unavailable.
    """

    def query(self, text: str, at: datetime) -> Series:
        """Return what a query in PromQL gives at a moment: a sample for each series, none where there is none.

        NaN and infinite values come through as they are.
        """

    def counts(self, arm: Arm, window: Window, reporter: Reporter) -> Counts:
        """Return requests and failures of an arm in a window.

        Of two windows that adjoin, each request is in exactly one. Counters that were set back count nothing in that window,
        and neither do those of a process that was not there when it opened.
        """

    def durations(self, arm: Arm, window: Window, reporter: Reporter) -> Durations:
        """Return how long an arm's requests in a window took, by the same rules."""

    def close(self) -> None: ...


class Discovery(Protocol):
    """What proxies are told of endpoints."""

    def told(self) -> tuple[Told, ...]:
        """Return what each replica that tells proxies knows. Raises Unavailable, InvalidInput for a token without a file."""

    def close(self) -> None: ...


class Hook(Protocol):
    """Somebody who is asked over HTTP whether a rollout may go on."""

    def ask(self, question: AskHook) -> Reply:
        """Post a question and return the reply, whatever its status; redirects are not followed.

        Raises InvalidInput where the operator does not allow the address or has no secret of that name.
        """

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One intended write and what became of it (`outcome`: empty while unknown, then ``done``, ``failed``, ``moot``)."""

    id: int
    plan: str
    key: Key
    action: str
    after: Document | None
    uid: str = ""
    resource_version: str = ""
    outcome: str = ""
    message: str = ""
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A named override that a person gave for one plan digest."""

    digest: str
    name: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """One finished cycle for the history: what was asked, what was done, in numbers and as the JSON report."""

    id: int
    at: datetime
    commit: str
    digest: str
    outcome: str
    written: int
    report: Document = field(default_factory=dict)


#: So many flips of one field within an hour are a fight.
FLIPS = 3


class RolloutStore(Protocol):
    """Rollouts, what was said to them, and what became of them; a part of the state store, with its promises."""

    def standing(self) -> tuple[Rollout, ...]:
        """Return the rollouts that say what is wanted now (`Rollout.stands`), oldest first."""

    def get(self, rollout: str) -> Rollout | None:
        """Return a rollout by its id, however it has ended."""

    def history(self, limit: int = 20, *, before: str = "", unit: str = "") -> list[Rollout]:
        """Return the newest rollouts, newest first; those of one unit, those before the one of that id."""

    def save(self, changes: Sequence[Change]) -> tuple[Rollout, ...]:
        """Store rollouts with their evidence, handled commands and refusals, all of them or nothing; return them as stored.

        Raises Conflict where one was stored by somebody else since it was read (`Rollout.turn`), or where one of the commands
        has been handled already: whoever decided on it must look again.
        """

    def say(self, command: Command) -> bool:
        """Keep a command until it is handled; returns False for an id that was given before, which changes nothing."""

    def commands(self) -> tuple[Command, ...]:
        """Return the commands that nobody has handled, oldest first."""

    def evidence(self, rollout: str, *, after: int = 0, limit: int = 1_000) -> list[Evidence]:
        """Return what happened to a rollout, oldest first, after the piece of that id."""

    def refusals(self) -> tuple[Refusal, ...]:
        """Return all content that must not be tried again, by unit."""

    def hold(self, hold: Hold) -> None:
        """Keep a hold; one of the same unit is replaced."""

    def unhold(self, unit: str) -> bool:
        """End the hold of a unit before its time; returns whether there was one."""

    def holds(self) -> tuple[Hold, ...]:
        """Return all holds by unit, those too whose time is over: whoever asks has the clock."""


class Store(Protocol):
    """What cannot be observed again. One store per target; `id` is made once and never changes.

    Every method happens as a whole or not at all. Raises Unavailable where it did not, or where nobody knows (the answer to a
    commit was lost). Calling again is safe: at worst a flip, a cycle or an intent that was never sent stands there twice.
    """

    @property
    def id(self) -> str: ...

    @property
    def rollouts(self) -> RolloutStore:
        """The part of it that rollouts have."""

    @property
    def generation(self) -> int:
        """A number that grows with every acceptance and every settled batch, and never falls.

        Whoever renews the target's lease puts it there beside `id`; a lease that shows this store's id with a higher number
        says that the store was put back to an older state: observe only, until a person has run `recover`.
        """

    @property
    def fresh(self) -> bool:
        """True while nothing has ever been accepted: a new store, a lost one or another one than the target's."""

    def inventory(self) -> frozenset[Key]:
        """Keys that we own or are about to; whatever was written is among them."""

    def widen(self, keys: Iterable[Key]) -> None: ...

    def narrow(self, keys: Iterable[Key]) -> None:
        """Drop keys and what was last written of them."""

    def written(self, keys: Iterable[Key] | None = None) -> dict[Key, Document]:
        """Return the documents last written (and confirmed), of these keys or of all."""

    def intend(self, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
        """Store intents before their writes; returns them with ids."""

    def settle(self, entries: Sequence[JournalEntry]) -> None:
        """Store outcomes; a ``done`` entry also becomes the last written document of its key (none, for a deletion), once.

        An entry that has an outcome keeps it, and an older entry never replaces what a newer one wrote. Raises ValueError for
        an entry without `outcome` or `ended`.
        """

    def unsettled(self) -> list[JournalEntry]:
        """Return intents without an outcome: writes that a crash left open."""

    def settled(self, after: int) -> list[JournalEntry]:
        """Return the entries after the one of that id that have an outcome, oldest first."""

    def last_entry(self) -> int:
        """Return the id of the newest intent, 0 where there never was one."""

    def accepted(self) -> Revision | None:
        """Return the newest commit that was accepted."""

    def accept(self, revision: Revision) -> None: ...

    def first_seen(self, keys: Iterable[Key], now: datetime, *, keep: bool = True) -> dict[Key, datetime]:
        """Return since when each key has been due for deletion; keys not named are forgotten, unless `keep` is off."""

    def deleted_services(self, since: datetime) -> tuple[Key, ...]:
        """Return the services (ServiceEntries) whose deletion was confirmed since then."""

    def overrides(self, digest: str) -> tuple[Override, ...]:
        """Return the overrides given for a plan, by name."""

    def override(self, given: Override) -> None:
        """Keep an override; one of the same name for the same plan is replaced."""

    def flips(self, key: Key, path: str, manager: str, now: datetime, *, limit: int = FLIPS) -> int:
        """Count one more time that a manager flipped a field back; return how often within the last hour.

        At `limit` times it is a fight, until `settle_fight`.
        """

    def fights(self) -> dict[Key, tuple[str, ...]]:
        """Return keys with fields in a fight, as ``path manager`` texts."""

    def settle_fight(self, key: Key) -> None:
        """A person has decided: forget the key's fights and flips."""

    def remember(self, name: str, value: Document) -> None:
        """Keep a small named value (CRDs seen, dry-run answers): `remember_all` of one."""

    def remember_all(self, values: Mapping[str, Document]) -> None:
        """Keep named values. A cache: of many under one family (the name up to its first ``/``) the oldest may be forgotten."""

    def recall(self, name: str) -> Document | None:
        """Return one remembered value: `recall_all` of one."""

    def recall_all(self, names: Iterable[str]) -> dict[str, Document]:
        """Return those of these values that are remembered."""

    def record(self, cycle: CycleRecord) -> None:
        """Add a cycle to the history, under an id of the store's."""

    def history(self, limit: int = 20, *, before: int = 0) -> list[CycleRecord]:
        """Return the newest cycles, newest first; with `before`, those older than the cycle of that id."""

    def forget(self, before: datetime) -> None:
        """Drop settled journal entries, cycles, and rollouts that ended before then, with their evidence.

        Open intents and whatever is in force stay, and so do refusals with the rollouts that they are about.
        """

    def close(self) -> None: ...


class Enrolment(Protocol):
    """What a cluster gives to a VM that is to join its mesh. Methods raise Rejected, with status 404 for what is not there."""

    def config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        """Return the data of a ConfigMap."""

    def ingress(self, namespace: str, name: str) -> str:
        """Return the IP address at which a Service is reached from outside, empty where it has none or is not there."""

    def token(self, namespace: str, account: str, lifetime: timedelta) -> str:
        """Return a new token of a service account that is good for Istio's CA alone."""

    def close(self) -> None: ...


class FleetOffice(Protocol):
    """The server of the VM registry, as an operator meets it."""

    def vms(self) -> tuple[Document, ...]:
        """Return all VMs that have joined, by name, each as `core.fleet.views.shown` has it; `claimed`: Git knows it."""

    def drain(self, vm: Key, *, draining: bool, within: timedelta = PATIENCE) -> None:
        """Take a VM out of service, or put it back. Raises Rejected for one that has not joined.

        `within` is for how long its last requests are awaited.
        """

    def close(self) -> None: ...


class FleetDesk(FleetOffice, Protocol):
    """The same, with what only a person decides."""

    def issue(self, vm: Key, networks: Sequence[str], lifetime: timedelta, service_account: str = "") -> str:
        """Return a new join token for a VM, good once, from these networks, for so long. Raises Rejected.

        By the key of a WorkloadGroup it is one for a new member of that group, whose networks must be named.
        """

    def revoke(self, vm: Key) -> None:
        """Take all rights from the agent of a VM, and its workloads out of the mesh. Raises Rejected, also by a brake."""

    def release_brake(self, scope: str) -> None:
        """Let those go whom a brake holds. Raises Rejected where none holds."""

    def end_recovery(self) -> None:
        """Trust the record of a restored registry again. Raises Rejected where it does not recover."""

    def audit(self, after: int) -> tuple[tuple[Link, ...], Extent]:
        """Return some links of the audit log that follow the one of a number, and then the extent of the log."""


class JoinTokens(Protocol):
    """Who makes tokens by which agents join the VM registry."""

    def issue(self, vm: EnrolledVM, networks: Sequence[str], lifetime: timedelta) -> str:
        """Return a new token for a VM (for a newcomer: to its group), good once, from these networks, for so long."""

    def close(self) -> None: ...
