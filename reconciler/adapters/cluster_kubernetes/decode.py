"""Documents of the API server -> our values.

Thousands of objects share most of their texts, so texts are kept once; of managedFields only the compact fieldsV1 text is
kept, of kubectl's last-applied annotation only a digest (its body repeats the object and may hold anything).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from sys import intern
from typing import Any

from reconciler.core.documents import shared
from reconciler.core.kinds import Kind
from reconciler.core.resources import (
    EMPTY,
    Autoscaler,
    Controller,
    Document,
    FieldOwner,
    Key,
    LiveObject,
    Pod,
    Service,
    ServicePort,
)

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

#: What the server keeps for itself; the rest of the metadata belongs to the document.
_SERVERS = frozenset(
    "managedFields uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds selfLink "
    "generateName".split()
)


def live_object(raw: Document, kind: Kind) -> LiveObject:
    """Return an object of a managed kind; its apiVersion is the one that we compare under, whichever it was read under."""
    metadata = raw["metadata"]
    document = {intern(name): shared(value) for name, value in raw.items() if name != "metadata"}
    document["apiVersion"], document["kind"] = kind.api_version, kind.name
    document["metadata"] = {
        intern(name): _annotations(value) if name == "annotations" else shared(value)
        for name, value in metadata.items()
        if name not in _SERVERS
    }
    return LiveObject(
        key=Key(kind.name, intern(metadata.get("namespace", "")), metadata["name"]),
        document=document,
        uid=metadata.get("uid", ""),
        resource_version=metadata.get("resourceVersion", ""),  # the answer to a dry run of a create has none
        generation=metadata.get("generation", 0),
        created=_time(metadata.get("creationTimestamp")),
        deleting="deletionTimestamp" in metadata,
        owners=tuple(_owner(entry) for entry in metadata.get("managedFields", ())),
    )


def _annotations(annotations: Mapping[str, str] | None) -> dict[str, str]:
    kept: dict[str, str] = shared(dict(annotations or {}))
    if LAST_APPLIED in kept:
        kept[LAST_APPLIED] = f"sha256:{hashlib.sha256(kept[LAST_APPLIED].encode()).hexdigest()[:16]}"
    return kept


def _owner(entry: Mapping[str, Any]) -> FieldOwner:
    return FieldOwner(
        manager=intern(entry.get("manager", "")),
        operation=intern(entry.get("operation", "")),
        fields=intern(json.dumps(entry.get("fieldsV1") or {}, separators=(",", ":"), ensure_ascii=False)),
        api_version=intern(entry.get("apiVersion", "")),
        subresource=intern(entry.get("subresource", "")),
        time=_time(entry.get("time")),
    )


def entry(owner: FieldOwner, api_version: str) -> Document:
    """Return an owner as an entry of managedFields; `api_version` stands in where it has none."""
    result: Document = {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": owner.api_version or api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": json.loads(owner.fields),
    }
    if owner.time is not None:
        result["time"] = owner.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    if owner.subresource:
        result["subresource"] = owner.subresource
    return result


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def pod(raw: Document) -> Pod:
    """Return a Pod as Istio sees it (pilot/pkg/serviceregistry/kube/controller/pod.go: onEvent, getPortMap)."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    ip = status.get("podIP", "")
    leaving = status.get("phase") in ("Succeeded", "Failed") or "deletionTimestamp" in metadata
    ports: dict[str, int] = {}
    for container in spec.get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") and port.get("protocol", "TCP") == "TCP":
                ports.setdefault(intern(port["name"]), port["containerPort"])
    return Pod(
        namespace=intern(metadata["namespace"]),
        name=metadata["name"],
        ip=ip,
        labels=shared(metadata.get("labels") or {}),
        ready=bool(ip) and conditions.get("Ready") == "True" and not leaving,
        service_account=intern(spec.get("serviceAccountName", "")),
        ports=ports or EMPTY,
        owner=_controller(metadata.get("ownerReferences") or ()),
        leaving=leaving,
    )


def _controller(references: Iterable[Mapping[str, Any]]) -> str:
    return next((intern(f"{one['kind']}/{one['name']}") for one in references if one.get("controller")), "")


def controller(raw: Document, kind: str) -> Controller | None:
    """Return what keeps Pods running, None for the ReplicaSet of a version that has gone. Left out, `replicas` is 1."""
    metadata, spec = raw["metadata"], raw["spec"]
    replicas, owner = spec.get("replicas", 1), _controller(metadata.get("ownerReferences") or ())
    if owner and not replicas:
        return None
    template = spec["template"].get("metadata") or {}
    return Controller(
        kind, intern(metadata["namespace"]), metadata["name"], replicas, shared(template.get("labels") or {}), owner
    )


def autoscaler(raw: Document) -> Autoscaler:
    """Return a HorizontalPodAutoscaler, without what it measures: that changes all the time."""
    metadata, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    target = spec["scaleTargetRef"]
    return Autoscaler(
        namespace=intern(metadata["namespace"]),
        name=metadata["name"],
        target=f"{target['kind']}/{target['name']}",
        minimum=spec.get("minReplicas", 1),
        maximum=spec["maxReplicas"],
        current=status.get("currentReplicas", 0),
        desired=status.get("desiredReplicas", 0),
    )


def service(raw: Document) -> Service | None:
    """Return a Service that selects something, None for any other."""
    metadata, spec = raw["metadata"], raw.get("spec") or {}
    if not spec.get("selector"):
        return None
    return Service(
        namespace=intern(metadata["namespace"]),
        name=metadata["name"],
        selector=shared(spec["selector"]),
        ports=tuple(
            ServicePort(intern(port.get("name", "")), port["port"], port.get("targetPort", port["port"]))
            for port in spec.get("ports") or ()
        ),
    )
