"""A service in a real mesh: who listens where, who sends, what is committed, and what was measured of each step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

from reconciler.core.plans import EndpointShare, Split
from reconciler.core.resources import Document
from reconciler.demo.measured import Era, Row
from reconciler.demo.web import Web
from tests.e2e.command import Ended, Running
from tests.e2e.site import Site
from tests.mesh.counted import config
from tests.mesh.deployment import Deployment
from tests.mesh.manifests import BAD, NAME, PLATFORMS, WORKLOADS, Billing, files
from tests.mesh.sidecar import Sidecar
from tests.mesh.traffic import Traffic
from tests.real.istiod_process import Istiod
from tests.real.prometheus_process import PrometheusProcess

#: Seconds that one `apply` may take with all steps of its rollout.
PATIENCE = 150.0


@dataclass(frozen=True, slots=True)
class Planned:
    """Where requests go by the reconciler's own prediction once a step is in force."""

    step: str
    exposure: Fraction
    split: Split

    @property
    def shares(self) -> Mapping[str, Fraction]:
        """Everybody's share by address."""
        return Era(self.split).shares

    def row(self, traffic: Traffic) -> Row:
        """What was measured meanwhile."""
        return Row.of(self.step, self.exposure, self.split, traffic.eras)


@dataclass(slots=True)
class Stage:
    """The service billing in a namespace of its own, and everybody around it."""

    site: Site
    istiod: Istiod
    envoy: Path
    prometheus: PrometheusProcess
    web: Web

    @classmethod
    @contextmanager
    def opened(cls, site: Site, istiod: Istiod, envoy: Path, prometheus: PrometheusProcess) -> Iterator[Self]:
        """Let VMs and Pods listen, and Prometheus read what Envoy counts."""
        prometheus.configure(config(site.namespace, WORKLOADS))
        measuring = site.with_variables(
            RECONCILER_GATES__PROMETHEUS=prometheus.server.url, RECONCILER_ROLLOUTS__SETTLE="500ms", RECONCILER_PRUNE_AFTER="0s"
        )
        with Web(Billing(site.namespace, 0).host, tuple(PLATFORMS), BAD, _uncounted) as web:
            yield cls(measuring, istiod, envoy, prometheus, web)

    @property
    def billing(self) -> Billing:
        """The documents of the service."""
        return Billing(self.site.namespace, self.web.port)

    def deployment(self, version: str, addresses: tuple[str, ...]) -> Deployment:
        """A version of the Deployment, of which no Pod runs yet."""
        return Deployment(self.site.kube, self.site.namespace, NAME, version, addresses, self.web.port)

    @contextmanager
    def under_traffic(self) -> Iterator[Traffic]:
        """Send requests to the service through an Envoy that istiod feeds, all the time."""
        folder = self.site.reconciler.folder / "envoy"
        with Sidecar(self.envoy, folder, self.istiod, self.site.namespace, self.billing.host) as sidecar:
            self.prometheus.server.scrape("client", sidecar.admin)
            traffic = Traffic(self.web, sidecar, PLATFORMS)
            traffic.start()
            try:
                yield traffic
            finally:
                traffic.end()

    def commit(self, *documents: Document) -> None:
        """Commit these documents and no others."""
        self.site.repository.commit(files(documents))

    def apply(self, code: int = 0) -> Ended:
        """Carry out what Git says, with all steps of its rollout; any other exit code fails the test."""
        return self.site.reconciler("apply", "--yes", code=code, patience=PATIENCE)

    def applying(self) -> Running:
        """The same, going on while others do something."""
        return self.site.reconciler.start("apply", "--yes")

    def approve(self) -> None:
        """Let the rollout go on to its next step, for the plan as it is."""
        (rollout,) = json.loads(self.site.reconciler("status", "-o", "json", code=0).out)["rollouts"]
        self.site.reconciler("approve", rollout["unit"], "--digest", rollout["digest"], "--reason", "looks well", code=0)

    def plan(self, title: str) -> list[Planned]:
        """Ask the reconciler where requests go at each step to come of the rollout that Git asks for, or that is under way."""
        (rollout,) = json.loads(self.site.reconciler("plan", "-o", "json").out)["rollouts"]
        steps = rollout["steps"]
        return [
            Planned(f"{title}, {number} of {len(steps)}", Fraction(str(step["exposure"])), _split(step["split"][0]))
            for number, step in enumerate(steps, 1)
            if step["standing"] != "passed"
        ]


def _split(found: Document) -> Split:
    """Return a predicted split of a report; shares are exact, as weights are."""
    total = sum(one["weight"] for one in found["endpoints"])
    endpoints = (
        EndpointShare(one["name"], one["platform"], one["address"], one["weight"], Fraction(one["weight"], total))
        for one in found["endpoints"]
    )
    return Split(found["service"], found["port"], tuple(endpoints))


def _uncounted(_address: str, _requests: int, _failed: int) -> None:
    """Prometheus counts."""
