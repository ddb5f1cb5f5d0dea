"""What weakens or voids a predicted split: facts of the mesh under which Istio does not follow endpoint weights.

Codes are stable, and each caveat says how to end it. Facts are from istiod's load balancing
(pilot/pkg/networking/core/loadbalancer and cluster_traffic_policy.go) and Envoy's balancers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.backends import Backend, Member, Platform
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.resources import EMPTY, Key
from reconciler.core.world import World

_TRAFFIC_DISTRIBUTION = "networking.istio.io/traffic-distribution"
_ROUND_ROBIN = "choose ROUND_ROBIN in the DestinationRule"
_TOPOLOGY = ("topology.kubernetes.io/", "topology.istio.io/subzone", "topology.istio.io/network", "kubernetes.io/hostname")


@dataclass(frozen=True, slots=True)
class Caveat:
    """One reason why the split will not be as computed, and what ends it. `voids`: nothing is left of the prediction."""

    code: str
    text: str
    fix: str
    voids: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.text}; {self.fix}"


def caveats(world: World, namespace: str, host: str, port: int, members: Sequence[Member]) -> tuple[Caveat, ...]:
    """Return the caveats on one service port with these endpoints."""
    policy = _policy(world, namespace, host, port)
    backends = list(world.backends_of(namespace, host))
    found = [*_by_health(members), *_by_backend(world, backends, members)]
    if len(members) > 1:
        found += [*_by_locality(world, policy, backends, members), *_by_balancer(policy.get("loadBalancer") or EMPTY)]
    return tuple(found)


def _policy(world: World, namespace: str, host: str, port: int) -> Mapping[str, Any]:
    """Return the traffic policy that counts for a port: what is set for the port covers what is set for the whole host."""
    rule = next(iter(world.rules_for(namespace, host)), None)
    policy: Mapping[str, Any] = rule.traffic_policy if rule else EMPTY
    levels = [one for one in policy.get("portLevelSettings") or () if (one.get("port") or EMPTY).get("number") == port]
    return {**levels[0]} if levels else policy


def _by_health(members: Sequence[Member]) -> Iterator[Caveat]:
    unknown = sum(one.healthy is None and one.platform is Platform.VM for one in members)
    ill = sum(one.healthy is False for one in members)
    if unknown:
        text = f"nobody reports the health of {unknown} of {len(members)} endpoints; they count"
        yield Caveat("health-unknown", text, "run the agent on these VMs")
    if ill:
        text = f"{ill} of {len(members)} endpoints are reported unhealthy and still get their share"
        yield Caveat("unhealthy", text, f"repair them, or annotate their WorkloadEntries with {HEALTH_CHECKED}")


def _by_backend(world: World, backends: Sequence[Backend], members: Sequence[Member]) -> Iterator[Caveat]:
    if any(one.resolution.by_dns for one in backends):
        text = "each address that a name resolves to takes its endpoint's weight"
        yield Caveat("dns", text, "give each endpoint a name with one address, or choose strategy subsets")
    if len({one.network for one in members if one.platform is Platform.VM}) > 1:
        text = "endpoints of another network are reached by its gateway, with their weights summed up, and only over mutual TLS"
        yield Caveat("multi-network", text, "set the network of every WorkloadEntry, and let none disable TLS")
    if any(_is_ambient(world, one.key) for one in backends):
        text = "ztunnel follows weights by connection, and looks neither at subsets nor at health"
        yield Caveat(
            "ambient", text, "let a waypoint balance (label istio.io/use-waypoint), and count requests over new connections"
        )
    selectors = [one.selector or EMPTY for one in backends]
    if any(name.startswith(_TOPOLOGY) for selector in selectors for name in selector):
        text = "the selector asks for labels that Pods get from their nodes, which are not read"
        yield Caveat("pod-topology", text, "select by a label of the Pods' own")


def _is_ambient(world: World, backend: Key) -> bool:
    metadata = [(world.documents.get(key) or EMPTY).get("metadata") or EMPTY for key in (backend, _namespace(backend))]
    labels = [one.get("labels") or EMPTY for one in metadata]
    return labels[1].get("istio.io/dataplane-mode") == "ambient" or any(
        one.get("istio.io/use-waypoint", "none") != "none" for one in labels
    )


def _namespace(backend: Key) -> Key:
    return Key("Namespace", "", backend.namespace)


def _by_locality(
    world: World, policy: Mapping[str, Any], backends: Sequence[Backend], members: Sequence[Member]
) -> Iterator[Caveat]:
    setting = (policy.get("loadBalancer") or EMPTY).get("localityLbSetting") or EMPTY
    if setting.get("enabled") is False:
        return
    if setting.get("distribute"):
        text = "localityLbSetting.distribute decides between localities; weights count only inside one"
        yield Caveat("locality-distribute", text, "remove localityLbSetting.distribute from the DestinationRule", voids=True)
        return
    documents = [world.documents.get(one.key) or EMPTY for one in backends]
    annotated = any(_TRAFFIC_DISTRIBUTION in ((one.get("metadata") or EMPTY).get("annotations") or EMPTY) for one in documents)
    # A Pod's locality is its node's. It is not read, so it may be like no VM's.
    localities = {one.locality if one.platform is Platform.VM else "the Pods' nodes" for one in members}
    if (annotated or policy.get("outlierDetection")) and len(localities) > 1:
        named = ", ".join(sorted(one or "none" for one in localities))
        text = f"outlier detection turns locality failover on, and endpoints are in unlike localities ({named})"
        yield Caveat("locality-failover", text, "set localityLbSetting.enabled: false in the DestinationRule", voids=True)


def _by_balancer(balancer: Mapping[str, Any]) -> Iterator[Caveat]:
    if balancer.get("consistentHash"):
        text = "weights share out the hash space; requests follow their keys"
        yield Caveat("consistent-hash", text, f"{_ROUND_ROBIN} if requests need not stick")
    else:
        yield from _by_algorithm(balancer.get("simple") or "UNSPECIFIED")
    if balancer.get("warmup") or balancer.get("warmupDurationSecs"):
        text = "new endpoints get less than their share while they warm up"
        yield Caveat("warmup", text, "let steps hold longer than the warm-up of the DestinationRule")


def _by_algorithm(name: str) -> Iterator[Caveat]:
    match name:
        case "ROUND_ROBIN":
            return
        case "RANDOM":
            yield Caveat("random", "Istio's RANDOM does not promise to follow weights", _ROUND_ROBIN)
        case "PASSTHROUGH":
            yield Caveat("passthrough", "PASSTHROUGH does not balance at all", _ROUND_ROBIN, voids=True)
        case _:
            text = "approximate: under LEAST_REQUEST slow endpoints get less than their weight says"
            yield Caveat("least-request", text, _ROUND_ROBIN)
