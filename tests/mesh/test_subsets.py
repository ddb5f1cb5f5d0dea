"""Strategy `subsets` in a real mesh: istiod's routes divide the requests, and none of them fails."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from math import sqrt
from pathlib import Path

import pytest
import yaml

from reconciler.core.plans import EndpointShare, Split
from reconciler.core.resources import Document
from reconciler.core.rollouts.subsets import POD_SUBSET, VM_SUBSET
from reconciler.demo.measured import Era
from reconciler.demo.web import Web
from tests.e2e.command import Ended
from tests.e2e.site import Site
from tests.mesh.manifests import NAME, PODS, VMS, Billing
from tests.mesh.routed import RoutedSidecar
from tests.real.apiserver import ApiServer
from tests.real.istiod_process import Istiod
from tests.real.pods import create_pod
from tests.waiting import becomes

#: So many requests make a slice of time, which counts where Envoy's routes and endpoints are the same at both ends.
REQUESTS = 50
#: Standard deviations of a share that is drawn by lot: one run in a million is farther off.
DEVIATIONS = 5
RUNNING = PODS[:2]
#: Seconds that the whole rollout may take.
PATIENCE = 200.0


@dataclass(slots=True)
class Measured:
    """What was answered while Envoy divided requests in one way, in the order in which the ways followed each other."""

    web: Web
    sidecar: RoutedSidecar
    eras: list[tuple[dict[str, Fraction], Era]] = field(default_factory=list)

    def until(self, run: Future[Ended]) -> None:
        """Measure slice by slice until a command has ended, and a little longer."""
        while not run.done():
            self.slice()
        run.result()
        for _ in range(5):
            self.slice()

    def slice(self) -> None:
        """Measure for a moment, and keep it unless something has changed meanwhile."""
        before = self.sidecar.shares()
        found = Era(_split(self.sidecar, before))
        self.web.measure(found)
        is_answered = becomes(lambda: found.requests >= REQUESTS)
        self.web.measure(None)
        assert is_answered, "no request is answered"
        if self.sidecar.shares() == before:
            if not self.eras or self.eras[-1][0] != before:
                self.eras.append((before, Era(found.split)))
            self.eras[-1][1].answered.update(found.answered)

    @property
    def path(self) -> list[Fraction]:
        """The Pods' share by Envoy's routes, each time that it was another one."""
        shares = [sum((shares.get(one, Fraction(0)) for one in RUNNING), Fraction(0)) for shares, _ in self.eras]
        return [share for place, share in enumerate(shares) if not place or shares[place - 1] != share]

    def off(self) -> Iterator[str]:
        """Yield a line for each way of dividing in which Pods answered fewer or more requests than they can by chance."""
        for shares, era in self.eras:
            share = float(sum(shares.get(one, Fraction(0)) for one in RUNNING))
            found = sum(era.answered[one] for one in RUNNING) / era.requests
            if abs(found - share) > DEVIATIONS * sqrt(share * (1 - share) / era.requests):
                yield f"Pods answered {found:.2%} of {era.requests} requests, {share:.2%} are theirs"


def _split(sidecar: RoutedSidecar, shares: dict[str, Fraction]) -> Split:
    endpoints = (EndpointShare(one, "pod" if one in PODS else "vm", one, 1, share) for one, share in sorted(shares.items()))
    return Split(sidecar.host, sidecar.service_port, tuple(endpoints))


def policy(namespace: str) -> Document:
    """The RolloutPolicy of the service."""
    steps = [{"exposure": exposure, "hold": "2s"} for exposure in ("20%", "100%")]
    return {
        "apiVersion": "mesh-reconciler.io/v1alpha1",
        "kind": "RolloutPolicy",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"serviceEntry": NAME, "strategy": "subsets", "steps": steps, "watch": "0s"},
    }


@contextmanager
def serving(billing: Billing) -> Iterator[Web]:
    """VMs and Pods that answer, and a client."""
    with Web(billing.host, (*VMS, *RUNNING), (), lambda *_: None) as web:
        yield web


def commit(site: Site, *documents: Document) -> None:
    """Commit these documents and no others."""
    site.repository.commit({"billing.yaml": yaml.safe_dump_all(documents, sort_keys=False)})


def predicted(site: Site) -> Sequence[Fraction]:
    """The Pods' share at each step of the rollout that Git asks for, by the reconciler's own prediction."""
    (rollout,) = json.loads(site.reconciler("plan", "-o", "json").out)["rollouts"]
    ends = [step["split"][0]["endpoints"] for step in rollout["steps"]]
    found = [sum(Fraction(str(one["share"])) for one in end if one["platform"] == "pod") for end in ends]
    return [Fraction(share).limit_denominator(1000) for share in found]


@pytest.mark.timeout(300)
def test_pods_join_by_routes_and_no_request_fails(
    api_server: ApiServer, namespace: str, istiod: Istiod, envoy: Path, tmp_path: Path, git_root: Path
) -> None:
    """Each step's share is as predicted and as istiod's routes say; in the end there is neither rule nor route."""
    site = Site.create(tmp_path, api_server, namespace, git_root / f"{namespace}.git").with_variables(
        RECONCILER_ROLLOUTS__SETTLE="500ms"
    )
    with serving(Billing(namespace, 0)) as web:
        billing = Billing(namespace, web.port)
        machines = billing.machines(VMS)
        commit(site, policy(namespace), billing.behind(platform="vm"), *machines)
        site.reconciler("apply", "--yes", code=0)
        for number, address in enumerate(RUNNING):
            labels = {"app": NAME, "platform": "pod"}
            create_pod(site.kube, namespace, f"{NAME}-{number}", labels, address, ports={"http": web.port})
        folder = tmp_path / "envoy"
        with RoutedSidecar(envoy, folder, istiod, namespace, billing.host, subsets=(VM_SUBSET, POD_SUBSET)) as sidecar:
            assert becomes(lambda: sidecar.shares() == dict.fromkeys(VMS, Fraction(1, 2))), sidecar.shares()
            web.send(sidecar.port)
            measured = Measured(web, sidecar)
            commit(site, policy(namespace), billing.behind(), *machines)
            expected = predicted(site)
            with ThreadPoolExecutor(1) as pool:
                measured.until(pool.submit(site.reconciler, "apply", "--yes", code=0, patience=PATIENCE))
            web.finish()
    assert web.failed.total() == 0
    assert measured.path == sorted({Fraction(0), *expected}) == [Fraction(part, 10) for part in (0, 1, 5)]
    assert list(measured.off()) == []
    assert site.objects("VirtualService") == site.objects("DestinationRule") == {}
