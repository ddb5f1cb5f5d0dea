"""Where Git, the VM registry and the VM itself disagree about one VM: named states, each with its rule.

| state | what is so | what follows |
|---|---|---|
| address-changed | its reports come from another address than in Git | it counts as ill; `vm accept` prints the commit |
| missing | Git asks for its health, nobody ever reported it | its health does not count; it gets requests as before |
| unclaimed | a VM has joined that Git does not know | it gets no requests; Git must name it, or a person revoke it |
| other-identity | it joined as another service account than in Git | correct Git, or let it join with another token |
| credential-copied | two machines have used its credential | its last health stands; a new token fences both |
| other-labels | cluster and registry have other labels of it | it may serve others; the next write puts Git's in both places |

What a registry that cannot be read means is no state of a VM: then nothing is concluded about any of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum

from reconciler.core.fleet.values import AgentState
from reconciler.core.groups.joins import has_joined
from reconciler.core.health.codes import Code
from reconciler.core.health.conditions import Reason
from reconciler.core.health.notes import undrained
from reconciler.core.health.sources import Source
from reconciler.core.health.vitals import Vital
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import EMPTY, Document, Key, LiveObject
from reconciler.core.wanted import TARGET_LABEL
from reconciler.core.world import record_of
from reconciler.errors import Problem, Severity


class State(StrEnum):
    """Where the three disagree; a name never changes its meaning."""

    ADDRESS_CHANGED = "address-changed"
    MISSING = "missing"
    UNCLAIMED = "unclaimed"
    OTHER_IDENTITY = "other-identity"
    OTHER_LABELS = "other-labels"
    CREDENTIAL_COPIED = "credential-copied"


_CODES = {
    State.ADDRESS_CHANGED: Code.ADDRESS_CHANGED,
    State.MISSING: Code.MISSING,
    State.UNCLAIMED: Code.UNCLAIMED,
    State.OTHER_IDENTITY: Code.OTHER_IDENTITY,
    State.OTHER_LABELS: Code.OTHER_LABELS,
    State.CREDENTIAL_COPIED: Code.CREDENTIAL_COPIED,
}
_NONE = "none"
#: The states by their codes as texts, for whoever reads them from a report.
STATES = {str(code): state.value for state, code in _CODES.items()}


def states_of(vital: Vital, record: LiveObject | None) -> Iterator[tuple[State, str]]:
    """Yield the states of a VM of ours with a sentence each, as far as cluster and registry tell."""
    name = f"{vital.key.namespace}/{vital.key.name}"
    if vital.word.reason is Reason.ADDRESS_DIFFERS:
        address = (vital.live.document.get("spec") or EMPTY).get("address")
        yield State.ADDRESS_CHANGED, f"{vital.word.message}, Git says {address}: see `reconciler vm accept {name}`"
    if vital.asked and vital.source is Source.AGENT and not vital.istiods and not _heard_of(record):
        yield State.MISSING, "nobody has ever reported its health; let its agent join"
    if differing := list(_other_labels(vital, record)):
        yield State.OTHER_LABELS, f"{'; '.join(differing)}: services pick it by those in the cluster"


def states_of_page(page: Document, record: LiveObject | None) -> Iterator[tuple[State, str]]:
    """Yield the states of a VM that has joined, as the registry's server tells."""
    if page["agent"] and not page["claimed"]:
        yield State.UNCLAIMED, "has joined, and Git does not know it: write its WorkloadEntry, or revoke it"
    wanted = (record.document.get("spec") or EMPTY).get("serviceAccount", "") if record else ""
    by_group = record is not None and has_joined(record)  # what its group says of the account is told with the group
    if page["claimed"] and not by_group and wanted != page["serviceAccount"] and page["serviceAccount"]:
        said = f"has joined as service account {page['serviceAccount']}, Git says {wanted or 'none'}"
        yield State.OTHER_IDENTITY, f"{said}: correct Git, or let it join with another token"
    if page["agentState"] == AgentState.LOCKED.value:
        said = "two machines have used its credential, and neither may speak for it: its last health stands"
        yield State.CREDENTIAL_COPIED, f"{said}; find out which one is real, and let that one join with a new token"


def problems_of(
    fleet: Iterable[Vital], pages: Iterable[Document], machines: Mapping[Key, LiveObject], rolling: Collection[Key] = ()
) -> Iterator[Problem]:
    """Yield a problem for each state of each VM: of ours, and of those that have joined as far as they were asked for.

    `rolling` are the objects of rollouts, which take labels off those who are not in yet, or not any more.
    """
    for vital in fleet:
        for state, text in states_of(vital, machines.get(record_of(vital.key))):
            if state is State.OTHER_LABELS and vital.key in rolling:
                continue
            yield Problem(_CODES[state], text, Severity.WARNING, object=str(vital.key))
    for page in pages:
        key = Key(VIRTUAL_MACHINE, page["namespace"], page["name"])
        for state, text in states_of_page(page, machines.get(key)):
            yield Problem(_CODES[state], text, Severity.WARNING, object=str(key))


def _other_labels(vital: Vital, record: LiveObject | None) -> Iterator[str]:
    """Yield the labels of which cluster and registry say different things, with what Git says.

    A commit that is not written yet is none: both have the old ones then. Nor is a drain, which takes labels off for a while.
    """
    if record is None or vital.wanted is None:
        return
    git, cluster = (_labels(one) for one in (vital.wanted, undrained(vital.live.document)))
    registry = (record.document.get("spec") or EMPTY).get("labels") or EMPTY
    names = {*git, *registry} - {TARGET_LABEL}
    for name in sorted(one for one in names if cluster.get(one) != registry.get(one)):
        values = (("Git", git), ("cluster", cluster), ("registry", registry))
        yield f"label {name}: {', '.join(f'{where} {labels.get(name, _NONE)}' for where, labels in values)}"


def _labels(document: Document) -> Mapping[str, str]:
    """Return the labels by which istiod picks a WorkloadEntry: those of the metadata over those of the spec."""
    return {**((document.get("spec") or EMPTY).get("labels") or EMPTY), **(document["metadata"].get("labels") or EMPTY)}


def _heard_of(record: LiveObject | None) -> bool:
    return bool(record and (record.document.get("status") or EMPTY).get("lastSeen"))
