"""The story that the demo pushes: services on two VMs move to four Pods each.

Each VM and each Pod is a loopback address of its own, so that real backends can listen there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.resources import Pod
from reconciler.demo import manifests

NAMESPACE = "shop"

#: Exposure in percent and seconds of hold of each step before the last one.
_STEPS = (10, 2), (25, 1), (50, 1)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing that happens: files that are pushed (path -> text, empty for one that goes), or Pods that become ready.

    Where there are both, the Pods come once a rollout waits for them. `moves` says who comes or goes where requests go
    elsewhere step by step, `fails` that this is undone again.
    """

    title: str
    files: tuple[tuple[str, str], ...] = ()
    pods: tuple[Pod, ...] = ()
    moves: str = ""
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """What happens to one service. `works` tells whether its Pods answer as they should.

    `gate` must let its rollout pass from step to step; empty where there are no requests to measure. `port` is where VMs and
    Pods listen.
    """

    number: int
    works: bool = True
    gate: str = ""
    port: int = 8080

    @property
    def name(self) -> str:
        return f"svc{self.number}"

    @property
    def unit(self) -> str:
        return f"{NAMESPACE}/{self.name}"

    @property
    def host(self) -> str:
        return f"{self.name}.internal.com"

    @property
    def vms(self) -> tuple[str, ...]:
        """The addresses of its VMs."""
        return tuple(f"127.20.{self.number}.3{vm}" for vm in (1, 2))

    @property
    def pods(self) -> tuple[Pod, ...]:
        return tuple(self._pod(number) for number in range(1, 5))

    @property
    def addresses(self) -> tuple[str, ...]:
        return (*self.vms, *(pod.ip for pod in self.pods))

    @property
    def workloads(self) -> dict[str, str]:
        """The names under which Istio counts the requests to each address."""
        vms = {address: f"{self.name}-vm-{number}" for number, address in enumerate(self.vms, 1)}
        return vms | {pod.ip: self.name for pod in self.pods}

    @property
    def bad(self) -> tuple[str, ...]:
        """The addresses that answer 500."""
        return () if self.works else tuple(pod.ip for pod in self.pods)

    def chapters(self) -> Iterator[Chapter]:
        """Yield what happens, in order."""
        yield from self._well() if self.works else self._badly()

    def _well(self) -> Iterator[Chapter]:
        yield Chapter(f"{self.name} enters with inline endpoints: two VMs", files=self._files(self._inline()))
        title = "inline endpoints become WorkloadEntries behind a selector, in one write"
        yield Chapter(title, files=(*self._files(self._selector()), self._entries()))
        title = f"four Pods of {self.name} with the same labels join, and get half of the requests in canary steps"
        shared = self._policy(manifests.SPLIT.format(pods=len(self.pods)))
        yield Chapter(title, files=(shared,), pods=self.pods, moves="Pods join")
        title = f"the VMs of {self.name} leave, in canary steps"
        # With as few VMs as these, the least that Pods can get more is a fifth of the way.
        yield Chapter(title, files=(self._policy(steps=_STEPS[1:]), (self._entries()[0], "")), moves="VMs leave")

    def _badly(self) -> Iterator[Chapter]:
        yield Chapter(f"{self.name} enters: two VMs", files=(*self._files(self._selector("vm")), self._entries()))
        yield Chapter(f"four Pods of {self.name} become ready, and will answer 500; the selector asks for VMs", pods=self.pods)
        files = (self._file("service-entry", self._entry(self._selector("pod"))),)
        yield Chapter(f"{self.name} moves to its Pods in canary steps", files=files, moves="bad Pods", fails=True)

    def _files(self, endpoints: str) -> tuple[tuple[str, str], ...]:
        return (
            self._file("account", manifests.ACCOUNT.format(name=self.name)),
            self._file("destination-rule", manifests.RULE.format(name=self.name, host=self.host)),
            self._policy(),
            self._file("service-entry", self._entry(endpoints)),
        )

    def _policy(self, more: str = "", steps: tuple[tuple[int, int], ...] = _STEPS) -> tuple[str, str]:
        told = "".join(manifests.STEP.format(exposure=exposure, hold=hold, gate=self.gate) for exposure, hold in steps)
        return self._file("rollout-policy", manifests.POLICY.format(name=self.name, steps=told) + more)

    def _file(self, name: str, text: str) -> tuple[str, str]:
        return f"production/shop/{self.name}/{name}.yaml", text

    def _entry(self, endpoints: str) -> str:
        return manifests.ENTRY.format(name=self.name, host=self.host, port=self.port) + endpoints

    def _inline(self) -> str:
        return "  endpoints:\n" + "".join(manifests.INLINE.format(name=self.name, address=address) for address in self.vms)

    def _selector(self, platform: str = "") -> str:
        narrowed = manifests.PLATFORM.format(platform=platform) if platform else ""
        return manifests.SELECTOR.format(name=self.name) + narrowed

    def _entries(self) -> tuple[str, str]:
        found = (manifests.WORKLOAD.format(name=self.name, number=n, address=address) for n, address in enumerate(self.vms, 1))
        return self._file("workload-entries", "---\n".join(found))

    def _pod(self, number: int) -> Pod:
        return Pod(
            namespace=NAMESPACE,
            name=f"{self.name}-7d9c5b6f4-{number}",
            ip=f"127.30.{self.number}.{number}",
            labels={"app": self.name, "platform": "pod", "pod-template-hash": "7d9c5b6f4"},
            ready=True,
            service_account=self.name,
            owner=f"ReplicaSet/{self.name}-7d9c5b6f4",
        )
