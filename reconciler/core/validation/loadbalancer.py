"""Load balancing: consistent hashing, warm-up, and preferences among localities."""

from collections.abc import Mapping
from math import isqrt
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.durations import check_duration, check_duration_syntax
from reconciler.core.validation.findings import (
    Findings,
    entries,
    mapping,
    number,
    objects,
    one_of,
    present,
    sequence,
    shown,
    text,
    within,
)
from reconciler.core.validation.localities import check_localities

_TOPOLOGY = frozenset({"topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"})
_HASH_KEYS = ("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName")
_UTILIZATION_PERIODS = ("weightExpirationPeriod", "weightStabilizationPeriod", "weightUpdatePeriod")
#: Envoy's limit.
_LARGEST_MAGLEV_TABLE = 5_000_011


def check_load_balancer(found: Findings, balancer: Mapping[str, Any], path: str, *, has_outlier_detection: bool) -> None:
    """Check a load balancer. `has_outlier_detection`: failover notices failing endpoints."""
    one_of(found, balancer, path, "simple", "consistentHash", "backendUtilization")
    one_of(found, balancer, path, "localityLbSetting", "zoneAwareLbSetting")
    check_duration(found, balancer, path, "warmupDurationSecs")
    check_duration_syntax(
        found, mapping(balancer.get("backendUtilization")), f"{path}.backendUtilization", *_UTILIZATION_PERIODS
    )
    _check_hash(found, mapping(balancer.get("consistentHash")), f"{path}.consistentHash")
    _check_locality(
        found,
        mapping(balancer.get("localityLbSetting")),
        f"{path}.localityLbSetting",
        has_outlier_detection=has_outlier_detection,
    )
    _check_zone_aware(
        found,
        mapping(balancer.get("zoneAwareLbSetting")),
        f"{path}.zoneAwareLbSetting",
        has_outlier_detection=has_outlier_detection,
    )
    if isinstance(warmup := balancer.get("warmup"), dict):
        _check_warmup(found, warmup, f"{path}.warmup")


def _check_warmup(found: Findings, warmup: Mapping[str, Any], path: str) -> None:
    if warmup.get("duration") is None:
        found.error(Code.REQUIRED, f"{path}.duration", "warm-up needs a duration: add it")
    check_duration(found, warmup, path, "duration")
    within(found, warmup, path, "minimumPercent", 0, 100)
    if warmup.get("aggression") is not None and number(warmup["aggression"]) <= 0:
        found.error(Code.NUMBER_RANGE, f"{path}.aggression", "aggression has to be above 0: 1 is linear")


def _check_hash(found: Findings, hashing: Mapping[str, Any], path: str) -> None:
    one_of(found, hashing, path, *_HASH_KEYS)
    one_of(found, hashing, path, "ringHash", "maglev")
    if isinstance(cookie := hashing.get("httpCookie"), dict):
        _check_cookie(found, cookie, f"{path}.httpCookie")
    if number(hashing.get("minimumRingSize")):
        field = f"{path}.minimumRingSize"
        found.warning(Code.DEPRECATED, field, "minimumRingSize is deprecated here: use ringHash.minimumRingSize")
        if present(hashing, "ringHash", "maglev"):
            found.error(Code.ONE_OF, field, "minimumRingSize excludes ringHash and maglev: remove it")
    if isinstance(maglev := hashing.get("maglev"), dict) and not _is_table_size(number(maglev.get("tableSize"))):
        found.error(
            Code.MAGLEV_TABLE,
            f"{path}.maglev.tableSize",
            f"{shown(number(maglev.get('tableSize')))} is not a table size: use a prime number below {_LARGEST_MAGLEV_TABLE}",
        )


def _check_cookie(found: Findings, cookie: Mapping[str, Any], path: str) -> None:
    if not text(cookie.get("name")):
        found.error(Code.COOKIE, f"{path}.name", "the cookie has no name: add it")
    check_duration_syntax(found, cookie, path, "ttl")
    names: set[str] = set()
    for where, attribute in objects(found, cookie, "attributes", path):
        name = text(attribute.get("name"))
        if not name:
            found.error(Code.COOKIE, f"{where}.name", "the cookie's attribute has no name: add it")
        elif name in names:
            found.error(Code.COOKIE, f"{where}.name", f"the cookie's attribute {shown(name)} is there twice: remove one")
        names.add(name)


def _is_table_size(size: float) -> bool:
    if not isinstance(size, int) or not 1 <= size < _LARGEST_MAGLEV_TABLE:
        return False
    # 1 is no prime; Envoy's own test takes it for one.
    return size < 4 or (size % 2 == 1 and all(size % factor for factor in range(3, isqrt(size) + 1, 2)))


def _check_locality(found: Findings, setting: Mapping[str, Any], path: str, *, has_outlier_detection: bool) -> None:
    failover, priority = sequence(setting.get("failover")), sequence(setting.get("failoverPriority"))
    if failover and sequence(setting.get("distribute")):
        found.error(Code.ONE_OF, path, "distribute and failover exclude each other: keep one of them")
    if failover and _TOPOLOGY.intersection(map(text, priority)):
        found.error(Code.LOCALITY, f"{path}.failoverPriority", "failover is by region already: remove the topology labels")
    _check_distribute(found, setting, path)
    _check_failover(found, setting, path, has_outlier_detection=has_outlier_detection)


def _check_zone_aware(found: Findings, setting: Mapping[str, Any], path: str, *, has_outlier_detection: bool) -> None:
    if _TOPOLOGY.intersection(map(text, sequence(setting.get("failoverPriority")))):
        found.error(
            Code.LOCALITY, f"{path}.failoverPriority", "regions and zones are taken care of already: remove the topology labels"
        )
    within(found, setting, path, "minClusterSize", 1, 2**32 - 1)
    _check_failover(found, setting, path, has_outlier_detection=has_outlier_detection)


def _check_failover(found: Findings, setting: Mapping[str, Any], path: str, *, has_outlier_detection: bool) -> None:
    if (sequence(setting.get("failover")) or sequence(setting.get("failoverPriority"))) and not has_outlier_detection:
        found.warning(
            Code.LOCALITY_WITHOUT_OUTLIER, path, "without outlierDetection Istio never notices that it should fail over: add it"
        )
    for where, pair in objects(found, setting, "failover", path):
        regions = text(pair.get("from")), text(pair.get("to"))
        if regions[0] == regions[1]:
            found.error(Code.LOCALITY, where, "failover leads to the same region: name another one in `to`")
        if any("/" in region or "*" in region for region in regions):
            found.error(Code.LOCALITY, where, "failover is between regions: write them without zone and without `*`")


def _check_distribute(found: Findings, setting: Mapping[str, Any], path: str) -> None:
    sources = []
    for where, share in objects(found, setting, "distribute", path):
        sources.append(text(share.get("from")))
        weights = [number(weight) for _, _, weight in entries(share, "to", where)]
        if not all(0 < weight <= 100 for weight in weights) or sum(weights) != 100:
            found.error(Code.LOCALITY, f"{where}.to", "the weights are not each within 1 to 100 and 100 together: correct them")
        check_localities(found, list(mapping(share.get("to"))), f"{where}.to", ordered=False)
    check_localities(found, sources, f"{path}.distribute", ordered=True)
