"""Splits between one VM and one Pod, and what was measured of them."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from reconciler.core.plans import EndpointShare, Split
from reconciler.demo.measured import Era

VM, POD = "127.20.1.31", "127.30.1.1"


def split(vm: int, pod: int) -> Split:
    """Two endpoints by weight; one without weight is not there."""
    weights = {("vm", VM): vm, ("pod", POD): pod}
    found = [
        EndpointShare(platform, platform, address, weight, Fraction(weight, vm + pod))
        for (platform, address), weight in weights.items()
        if weight
    ]
    return Split("svc1.internal.com", 80, tuple(found))


def era(vm_weight: int, pod_weight: int, **answered: int) -> Era:
    """An era of these weights in which so many requests were answered by each."""
    addresses = {"vm": VM, "pod": POD, "nobody": ""}
    return Era(split(vm_weight, pod_weight), Counter({addresses[name]: count for name, count in answered.items()}))
