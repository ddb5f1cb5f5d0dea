"""RolloutPolicies of Git -> the policy of one unit, inside the bounds that the operator has set.

A policy without a `serviceEntry` is the default of its namespace, one in Istio's root namespace that of the repository; as with
Istio's own resources the nearer one wins. It does so field by field: a policy says what is special about its service, and the
gates that a default defines can be asked for by name. Where nobody says anything, a unit goes by `CAREFUL`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from typing import Any, Self

from reconciler.core.gates.words import length
from reconciler.core.resources import Document, Key, Manifest
from reconciler.core.rollouts.policy import AT_ONCE, CAREFUL, OnHarm, PolicyStep, RolloutPolicy, Strategy, Unreachable
from reconciler.core.shares.values import percent
from reconciler.core.units import Unit
from reconciler.core.validation.durations import nanoseconds

#: Istio's root namespace where nobody says otherwise (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/).
ROOT_NAMESPACE = "istio-system"

_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class RolloutLimits:
    """What the operator decided about all rollouts, whatever Git says.

    `careful`: units that no policy is about go by `CAREFUL`, else by `AT_ONCE`. `first_step` is the largest exposure of a first
    step (0 to 1), `hold` and `watch` are the least of each, `units` is how many may roll at once.
    """

    careful: bool = True
    first_step: Fraction = Fraction(1)
    hold: timedelta = _NONE
    watch: timedelta = _NONE
    units: int = 10


@dataclass(frozen=True, slots=True)
class Policies:
    """The RolloutPolicies of a commit: their specs by key, and the defaults by namespace (with two of one it is refused)."""

    specs: Mapping[Key, Document]
    defaults: Mapping[str, Document]
    root_namespace: str = ROOT_NAMESPACE

    @classmethod
    def of(cls, manifests: Mapping[Key, Manifest], root_namespace: str = ROOT_NAMESPACE) -> Self:
        """Return the policies among manifests."""
        specs = {key: one.document.get("spec") or {} for key, one in manifests.items() if key.kind == "RolloutPolicy"}
        defaults = {key.namespace: specs[key] for key in sorted(specs, reverse=True) if not specs[key].get("serviceEntry")}
        return cls(specs, defaults, root_namespace)

    def spec(self, namespace: str, own: Key | None = None) -> Document:
        """Return what is said together: each field as the nearest policy has it, and the gates of all of them."""
        near = [self.specs[own]] if own else []
        return joined((*near, self.defaults.get(namespace, {}), self.defaults.get(self.root_namespace, {})))

    def splits(self) -> dict[Key, Fraction]:
        """Return the wanted share of the VMs of each ServiceEntry that a policy with a split names."""
        asking = [(key.namespace, spec) for key, spec in sorted(self.specs.items(), reverse=True) if spec.get("split")]
        return {Key("ServiceEntry", namespace, spec["serviceEntry"]): _split(spec["split"]) for namespace, spec in asking}

    def expected(self) -> dict[Key, int]:
        """Return for how many Pods of each ServiceEntry a policy says that weights are sized before the first one is there."""
        asking = [(key.namespace, spec) for key, spec in sorted(self.specs.items(), reverse=True) if spec.get("expectPods")]
        return {Key("ServiceEntry", namespace, spec["serviceEntry"]): spec["expectPods"] for namespace, spec in asking}

    def spec_of(self, unit: Unit) -> Document:
        """Return the same for a unit."""
        namespace = unit.services[0][0] if unit.services else unit.keys[0].namespace
        return self.spec(namespace, unit.policies[0] if unit.policies else None)


def policy_of(unit: Unit, policies: Policies, limits: RolloutLimits) -> RolloutPolicy:
    """Return what a unit is rolled out by. Its notes say what the operator's bounds have changed."""
    spec = policies.spec_of(unit)
    if not spec and not limits.careful:
        return AT_ONCE
    return _within(_policy(spec), limits)


def joined(specs: Iterable[Document]) -> Document:
    """Return specs as one, the nearest first: a field as the first one has it, of the gates each name once."""
    found: Document = {}
    gates: dict[str, Document] = {}
    for spec in specs:
        found = {name: value for name, value in spec.items() if value is not None and name != "serviceEntry"} | found
        gates = {gate["name"]: gate for gate in spec.get("gates") or ()} | gates
    return {**found, "gates": list(gates.values())} if gates else found


def _policy(spec: Mapping[str, Any]) -> RolloutPolicy:
    """Return a spec that the models have accepted as a policy; what it leaves open is as in `CAREFUL`."""
    given: dict[str, Any] = {_NAMES.get(name, name): read(spec[name]) for name, read in _FIELDS.items() if name in spec}
    return replace(CAREFUL, **given)


def _step(step: Mapping[str, Any]) -> PolicyStep:
    return PolicyStep(
        exposure=_share(step["exposure"]),
        hold=_length(step.get("hold") or "0s"),
        gates=tuple(step.get("gates") or ()),
        approval=bool(step.get("approval")),
        cover=_length(step.get("cover") or "0s"),
    )


def _share(text: str) -> Fraction:
    return Fraction(text.rstrip("%")) / 100


def _split(split: Mapping[str, int]) -> Fraction:
    return Fraction(split["vm"], 100)


def _length(text: str) -> timedelta:
    return timedelta(microseconds=(nanoseconds(text) or 0) // 1_000)


_NAMES = {"onHarm": "on_harm", "maxLoadPerEndpoint": "max_load", "expectPods": "expect_pods"} | {
    "shareTolerance": "share_tolerance",
    "observedShare": "observed_share",
}
_FIELDS: Mapping[str, Callable[[Any], object]] = {
    "steps": lambda steps: tuple(_step(one) for one in steps),
    "gates": lambda gates: {one["name"]: one for one in gates},
    "split": _split,
    "strategy": Strategy,
    "onHarm": OnHarm,
    "gradual": bool,
    "watch": _length,
    "holdback": _share,
    "shareTolerance": _share,
    "observedShare": dict,
    "group": str,
    "unreachable": Unreachable,
    "maxLoadPerEndpoint": lambda times: Fraction(str(times)),
    "spill": _share,
    "expectPods": int,
}


def _within(policy: RolloutPolicy, limits: RolloutLimits) -> RolloutPolicy:
    """Return the policy inside the operator's bounds: what is too quick is slowed down, and said."""
    notes: list[str] = []
    steps = policy.steps
    if steps[0].exposure > limits.first_step:
        steps = (replace(steps[0], exposure=limits.first_step, approval=False), *steps)
        notes.append(f"a first step of {percent(limits.first_step)} was added: the operator allows no larger one")
    if any(one.hold < limits.hold for one in steps):
        steps = tuple(replace(one, hold=max(one.hold, limits.hold)) for one in steps)
        notes.append(f"steps are held for {length(limits.hold)} at least, as the operator asks")
    if policy.watch < limits.watch:
        notes.append(f"the end is watched for {length(limits.watch)}, as the operator asks")
    return replace(policy, steps=steps, watch=max(policy.watch, limits.watch), notes=tuple(notes))
