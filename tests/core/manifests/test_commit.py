"""What the files of a commit say together."""

from typing import Any

import pytest

from reconciler.core.manifests import load, parse_file
from reconciler.core.manifests.codes import Code
from reconciler.core.resources import DesiredState, Key, Revision
from reconciler.errors import InvalidInput, Place, Problem, Severity

REVISION = Revision("c0ffee")


def workload(name: str = "vm-1", address: str = "10.0.0.1", namespace: str = "shop") -> str:
    """Return a WorkloadEntry; without a namespace where none is given."""
    place = f", namespace: {namespace}" if namespace else ""
    head = "apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\n"
    return f"{head}metadata: {{name: {name}{place}}}\nspec: {{address: {address}, labels: {{app: a}}}}\n"


SERVICE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a, namespace: shop}
spec: {hosts: [a.shop.internal], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}],
       workloadSelector: {labels: {app: a}}}
"""
POLICY = """\
apiVersion: mesh-reconciler.io/v1alpha1
kind: RolloutPolicy
metadata: {name: a, namespace: shop}
spec: {serviceEntry: a}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"


def desired(files: dict[str, str], **options: Any) -> DesiredState:
    """Load a commit of these files; blobs can be read by their path."""
    read = {path: text.encode() for path, text in files.items()}
    parsed = [parse_file(path, path, data) for path, data in read.items()]
    return load(REVISION, parsed, read=lambda blobs: [(one, read[one]) for one in blobs], **options)


def refusals(files: dict[str, str], **options: Any) -> list[Problem]:
    """Return the problems for which a commit is refused."""
    with pytest.raises(InvalidInput) as error:
        desired(files, **options)
    return list(error.value.problems)


def test_a_commit_is_manifests_machines_and_policies() -> None:
    """Policies are kept apart from what goes to the cluster; each VM has a record of its name."""
    state = desired({"a.yaml": SERVICE, "b.yaml": workload() + "---\n" + POLICY})
    assert set(state.manifests) == {Key("ServiceEntry", "shop", "a"), Key("WorkloadEntry", "shop", "vm-1")}
    assert set(state.machines) == {Key("VirtualMachine", "shop", "vm-1")}
    assert set(state.policies) == {Key("RolloutPolicy", "shop", "a")}
    assert state.revision == REVISION
    assert state.manifests[Key("WorkloadEntry", "shop", "vm-1")].place == Place("b.yaml", 1, 1)


def test_no_files_are_a_commit_without_objects() -> None:
    """Whether that is meant is decided where deletions are."""
    assert desired({}).manifests == {}


@pytest.mark.case("M-11")
def test_an_object_in_two_files_is_refused_with_both_paths() -> None:
    """The second place is the problem's, the first is named; versions do not tell objects apart."""
    (problem,) = refusals({"a.yaml": workload(), "sub/b.yaml": workload().replace("/v1", "/v1alpha3")})
    assert (problem.code, problem.place, problem.object) == (
        Code.DUPLICATE_OBJECT,
        Place("sub/b.yaml", 3, 18),
        "WorkloadEntry shop/vm-1",
    )
    assert "a.yaml:1:1" in problem.message


@pytest.mark.case("M-11")
def test_one_content_at_two_paths_is_the_same_object_twice() -> None:
    """Also where a cache knows both files by one blob id."""
    files = [parse_file(path, "blob", workload().encode()) for path in ("a.yaml", "b.yaml")]
    with pytest.raises(InvalidInput) as error:
        load(REVISION, files)
    assert [problem.place for problem in error.value.problems] == [Place("b.yaml", 1, 1)]


def test_broken_manifests_count_as_written() -> None:
    """A duplicate of one that has other faults, too, is told at once."""
    found = refusals({"a.yaml": workload(), "b.yaml": workload().replace("labels", "lables")})
    assert [problem.code for problem in found] == [Code.DUPLICATE_OBJECT, Code.UNKNOWN_FIELD]


def test_every_problem_of_every_file_is_reported_in_order() -> None:
    """By path and line, whatever found it."""
    found = refusals({"b.yaml": workload(namespace=""), "a.yaml": "a: [", "c.yaml": workload("vm-2", "no-such")})
    assert [(problem.place.path, problem.code) for problem in found if problem.place] == [
        ("a.yaml", Code.SYNTAX),
        ("b.yaml", Code.NAMESPACE),
    ]


def test_a_namespace_must_be_written_or_given() -> None:
    """Without one the object would go wherever a kubeconfig points."""
    (problem,) = refusals({"a.yaml": workload(namespace="")})
    assert (problem.code, problem.field, problem.place) == (Code.NAMESPACE, "metadata.namespace", Place("a.yaml", 3, 1))
    state = desired({"a.yaml": workload(namespace="")}, default_namespace="shop")
    (manifest,) = state.manifests.values()
    assert manifest.key == Key("WorkloadEntry", "shop", "vm-1")
    assert manifest.document["metadata"]["namespace"] == "shop"
    assert Key("VirtualMachine", "shop", "vm-1") in state.machines


@pytest.mark.case("T-01")
def test_only_the_targets_namespaces_are_allowed() -> None:
    """Of objects, and of Namespaces themselves."""
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: istio-system}\n"
    files = {"a.yaml": workload(), "b.yaml": workload("vm-2", "10.0.0.2", "bank"), "c.yaml": namespace}
    found = refusals(files, namespaces=frozenset({"shop"}))
    assert [(problem.field, problem.object) for problem in found] == [
        ("metadata.namespace", "WorkloadEntry bank/vm-2"),
        ("metadata.name", "Namespace istio-system"),
    ]


@pytest.mark.case("M-12")
def test_kinds_of_others_are_counted_over_all_files_or_refused() -> None:
    """With the place of the first."""
    files = {"a.yaml": workload() + "---\n" + SECRET, "b.yaml": SECRET}
    (skipped,) = desired(files).skipped
    assert (skipped.kind, skipped.count, skipped.place) == ("Secret", 2, Place("a.yaml", 6, 1))
    (problem,) = refusals(files, strict_kinds=True)
    assert (problem.code, problem.place) == (Code.UNMANAGED_KIND, Place("a.yaml", 6, 1))


def test_warnings_stop_nothing_and_point_at_their_field() -> None:
    """Those of single documents and those between objects."""
    files = {"a.yaml": SERVICE.replace("app: a", "app: b"), "b.yaml": workload()}
    (warning,) = desired(files).warnings
    assert (warning.severity, warning.field, warning.place) == (
        Severity.WARNING,
        "spec.workloadSelector.labels",
        Place("a.yaml", 5, 27),
    )


def test_without_the_text_a_problem_between_objects_points_at_its_document() -> None:
    """Reading blobs again is the caller's to offer."""
    files = [parse_file("a.yaml", "blob", ("# x\n" + SERVICE.replace("app: a", "app: b") + "---\n" + workload()).encode())]
    (warning,) = load(REVISION, files).warnings
    assert warning.place == Place("a.yaml", 2, 1)


def test_errors_between_objects_refuse_the_commit() -> None:
    """A policy for a service that is not there would protect nothing."""
    (problem,) = refusals({"a.yaml": POLICY, "b.yaml": workload()})
    assert (problem.object, problem.place) == ("RolloutPolicy shop/a", Place("a.yaml", 4, 22))


def test_rules_between_objects_wait_for_sound_objects() -> None:
    """While a file is broken, what it would have said is unknown: no false alarm about it."""
    found = refusals({"a.yaml": POLICY, "b.yaml": SERVICE.replace("hosts", "host")})
    assert {problem.code for problem in found} <= {Code.UNKNOWN_FIELD, Code.REQUIRED}
