"""What Prometheus makes of a stock Envoy: its counts by endpoint get the names and labels of Istio's standard metrics.

Istio's own proxies count requests by the workload that answered (https://istio.io/latest/docs/reference/config/metrics/). A
stock Envoy knows addresses only, and tells failed requests (5xx, broken off) from others; Prometheus writes the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml

from reconciler.core.resources import Document


def config(namespace: str, workloads: Mapping[str, str]) -> str:
    """A configuration of Prometheus that scrapes Envoys each second; `workloads` are the names of those at each address."""
    job = {
        "job_name": "envoys",
        "metrics_path": "/stats/prometheus",
        "file_sd_configs": [{"files": ["targets/*.json"], "refresh_interval": "1s"}],
        "metric_relabel_configs": list(_rules(namespace, workloads)),
    }
    return yaml.safe_dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]})


def _rules(namespace: str, workloads: Mapping[str, str]) -> Iterator[Document]:
    yield {"action": "keep", "source_labels": ["__name__"], "regex": "envoy_cluster_endpoint_rq_(success|error)"}
    yield _label("response_code", "200", "__name__", ".*_success")
    yield _label("response_code", "500", "__name__", ".*_error")
    yield _label("destination_service", "$1", "envoy_cluster_name", r"outbound\|[0-9]+\|\|(.+)")
    yield _label("destination_workload_namespace", namespace)
    yield _label("reporter", "source")
    for address, workload in workloads.items():
        yield _label("destination_workload", workload, "envoy_endpoint_address", f"{re.escape(address)}:[0-9]+")
    yield _label("__name__", "istio_requests_total")


def _label(name: str, value: str, source: str = "__name__", regex: str = ".*") -> Document:
    return {"source_labels": [source], "regex": regex, "target_label": name, "replacement": value}
