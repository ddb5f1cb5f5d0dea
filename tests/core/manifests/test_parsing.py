"""One file: its manifests, or every problem with line, column and field."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.manifests import ParsedFile, parse_file
from reconciler.core.manifests.codes import Code
from reconciler.core.resources import Key
from reconciler.errors import Place, Severity

WORKLOAD = """\
apiVersion: networking.istio.io/v1beta1
kind: WorkloadEntry
metadata:
  name: vm-1
  namespace: shop
spec:
  address: 10.0.0.1
  ports:
  weight: 5
"""
CORPUS = Path(__file__).parents[4] / "shared" / "conformance" / "istio-validation"


def parse(text: str, **options: Any) -> ParsedFile:
    """Parse a text."""
    return parse_file("a.yaml", "blob", text.encode(), **options)


def said(file: ParsedFile) -> list[tuple[str, str, int, int]]:
    """Return code, field, line and column of each problem."""
    return [(one.code, one.field, one.place.line, one.place.column) for one in file.problems if one.place]


def test_a_manifest_has_the_canonical_version_and_no_nulls() -> None:
    """All versions are one object; a null is an absent field."""
    file = parse("# first\n---\n" + WORKLOAD)
    (manifest,) = file.manifests
    assert file.problems == ()
    assert manifest.key == Key("WorkloadEntry", "shop", "vm-1")
    assert manifest.place == Place("a.yaml", 3, 1)
    assert manifest.blob == "blob"
    assert manifest.document == {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": {"name": "vm-1", "namespace": "shop"},
        "spec": {"address": "10.0.0.1", "weight": 5},
    }


def test_json_says_the_same_as_yaml() -> None:
    """One loader for both."""
    (manifest,) = parse(WORKLOAD).manifests
    (same,) = parse(json.dumps({**manifest.document, "apiVersion": "networking.istio.io/v1beta1"}, indent="\t")).manifests
    assert same.document == manifest.document


def test_all_problems_of_a_file_come_at_once_and_in_order() -> None:
    """Those of the text, of shapes and of Istio's rules, each with its field and place."""
    text = (
        WORKLOAD.replace("10.0.0.1", "[").replace("[", "10.0.0.300")
        + "---\n"
        + WORKLOAD.replace("vm-1", "vm-2").replace("5", "0x5")
    )
    file = parse(text + "  weight: 6\n---\n- item\n---\nkind: WorkloadEntry\n---\napiVersion: v1\nkind: List\n")
    assert said(file) == [
        ("MR2011", "spec.address", 7, 12),
        (Code.TYPE, "spec.weight", 19, 11),
        (Code.DUPLICATE_KEY, "spec.weight", 20, 3),
        (Code.NOT_OBJECT, "", 22, 1),
        (Code.NO_KIND, "apiVersion", 24, 1),
        (Code.LIST, "kind", 27, 7),
    ]
    assert [problem.object for problem in file.problems][:2] == ["WorkloadEntry shop/vm-1", "WorkloadEntry shop/vm-2"]


@pytest.mark.case("M-09")
def test_a_file_whose_text_is_broken_is_refused_whole() -> None:
    """Document 7 of 20 is broken: none of the others is a manifest, and all that could be read are named as broken."""
    documents = [WORKLOAD.replace("vm-1", f"vm-{number}") for number in range(20)]
    documents[6] = documents[6].replace("10.0.0.1", "'10.0.0.1")
    file = parse("---\n".join(documents))
    assert file.manifests == ()
    assert [one.key.name for one in file.broken] == [f"vm-{number}" for number in range(6)]
    assert [problem.code for problem in file.problems] == [Code.SYNTAX]


def test_one_bad_document_leaves_the_others_readable() -> None:
    """A problem of shape is the document's alone."""
    file = parse(WORKLOAD + "---\n" + WORKLOAD.replace("vm-1", "vm-2").replace("5", "many"))
    assert [one.key.name for one in file.manifests] == ["vm-1"]
    assert [one.key.name for one in file.broken] == ["vm-2"]


@pytest.mark.case("M-04")
@pytest.mark.parametrize(
    ("field", "value", "code", "expected"),
    [
        ("metadata.labels.a", "no", Code.TYPE, "must be text"),
        ("metadata.name", "2024-01-01", Code.TYPE, "must be text"),
        ("spec.weight", "1_0", Code.TYPE, "must be a whole number"),
        ("spec.address", "1:30", Code.TYPE, "must be text"),
        ("spec.ports.http", "0x50", Code.TYPE, "must be a whole number"),
    ],
)
def test_an_ambiguous_scalar_names_the_type_that_its_field_has(field: str, value: str, code: Code, expected: str) -> None:
    """It is one problem, at the value."""
    nested: Any = value
    for step in reversed(field.split(".")[1:]):
        nested = "{" + f"{step}: {nested}" + "}"
    part = field.partition(".")[0]
    other = "metadata: {name: a, namespace: b}\n" if part == "spec" else "spec: {address: 10.0.0.1}\n"
    file = parse(f"apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\n{other}{part}: {nested}\n")
    found = [problem for problem in file.problems if problem.field == field]
    assert [(problem.code, problem.message.split(":")[0]) for problem in found] == [(code, expected)]
    assert file.manifests == ()


def test_an_ambiguous_scalar_where_no_type_is_known_is_a_problem_of_its_own() -> None:
    """In the untyped depths of a Sidecar, too, nothing is guessed."""
    head = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: a, namespace: b}\n"
    text = head + "spec:\n  egress:\n  - {bind: no, hosts: [./*]}\n"
    assert (Code.AMBIGUOUS, "spec.egress[0].bind", 6, 12) in said(parse(text))


@pytest.mark.case("M-05")
def test_a_huge_number_is_one_problem() -> None:
    """Not another one about its type."""
    text = WORKLOAD.replace("weight: 5", "weight: " + "9" * 5000)
    assert said(parse(text)) == [(Code.NUMBER, "spec.weight", 9, 11)]


@pytest.mark.case("M-12")
def test_kinds_of_others_are_counted() -> None:
    """With the place of the first; what is odd in them is theirs, too."""
    file = parse("apiVersion: v1\nkind: Secret\ndata: no\n---\n" + WORKLOAD + "---\napiVersion: v1\nkind: Secret\n")
    assert [(one.kind, one.count, one.place.line) for one in file.skipped] == [("Secret", 2, 1)]
    assert len(file.manifests) == 1
    assert file.problems == ()


@pytest.mark.case("M-13")
@pytest.mark.parametrize(
    "spec",
    [
        "{hosts: [a.b], resolution: STATIC, ports: [{number: 8, name: a}], endpoints: [{address: 10.0.0.1, ports: {web: 80}}]}",
        "{hosts: [a.b], resolution: STATIC, ports: [{number: 80, name: a}, {number: 80, name: b}]}",
        "{hosts: [a.b], resolution: STATIC, workloadSelector: {labels: {a: b}}, endpoints: [{address: 10.0.0.1}]}",
        "{hosts: [a.b], resolution: NONE, endpoints: [{address: 10.0.0.1}]}",
    ],
)
def test_istios_rules_are_asked(spec: str) -> None:
    """What the API server or istiod's webhook would refuse is refused, with a place inside the file."""
    file = parse(f"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: a, namespace: b}}\nspec: {spec}\n")
    assert file.manifests == ()
    assert {problem.place.line for problem in file.problems if problem.place} == {4}


def test_ports_may_be_keys_where_istio_writes_them_so() -> None:
    """In a PeerAuthentication's portLevelMtls they are text without quotes; anywhere else a key is quoted."""
    head = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, namespace: b}\n"
    text = head + "spec:\n  selector: {matchLabels: {app: a}}\n  portLevelMtls:\n    8080: {mode: DISABLE}\n"
    file = parse(text)
    assert file.problems == ()
    assert file.manifests[0].document["spec"]["portLevelMtls"] == {"8080": {"mode": "DISABLE"}}
    odd = parse(text.replace("8080:", "0x50:") + "  mtls: {5: x}\n")
    assert [field for code, field, _, _ in said(odd) if code == Code.KEY_TYPE] == [
        'spec.portLevelMtls["0x50"]',
        'spec.mtls["5"]',
    ]


def test_a_namespace_has_no_namespace() -> None:
    """Cluster-scoped objects belong to none."""
    file = parse("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, namespace: shop}\n")
    assert said(file) == [(Code.NAMESPACE, "metadata.namespace", 3, 35)]


def test_rendered_documents_point_at_their_origin() -> None:
    """Without a line, which would be one of kustomize's output; its annotations are stripped."""
    annotations = "  annotations:\n    config.kubernetes.io/origin: |\n      path: ../base/vm.yaml\n"
    text = WORKLOAD.replace("spec:", annotations + "spec:")
    file = parse_file("prod/kustomization.yaml", "tree", text.encode(), rendered=True)
    (manifest,) = file.manifests
    assert manifest.place == Place("base/vm.yaml")
    assert "annotations" not in manifest.document["metadata"]
    broken = parse_file("prod/kustomization.yaml", "tree", text.replace("5", "many").encode(), rendered=True)
    assert said(broken) == [(Code.TYPE, "spec.weight", 0, 0)]
    assert [problem.place for problem in broken.problems] == [Place("base/vm.yaml")]


def test_a_plain_file_keeps_annotations_of_kustomize() -> None:
    """Only what we rendered ourselves is ours to strip."""
    text = WORKLOAD.replace("spec:", "  annotations: {config.kubernetes.io/origin: x}\nspec:")
    (manifest,) = parse(text).manifests
    assert manifest.document["metadata"]["annotations"] == {"config.kubernetes.io/origin": "x"}


@pytest.mark.case("M-15")
def test_no_value_of_an_annotation_reaches_a_problem() -> None:
    """Neither from shapes nor from Istio's rules nor from the text."""
    secret = "hunter2-s3cret"
    annotations = f"  annotations: {{a: {secret}, b: [{secret}], c: '{secret}', c: {secret}}}\n"
    file = parse(WORKLOAD.replace("spec:", annotations + "spec:").replace("5", "x"))
    assert len(file.problems) >= 3
    assert secret not in "\n".join(map(str, file.problems))


EDITS = st.lists(
    st.tuples(
        st.sampled_from(WORKLOAD.split("\n")),
        st.sampled_from(
            ["", "x: y", "- a", "spec: []", "metadata: 5", "kind: ServiceEntry", "  name: no", "  ports: {a: [1]}", "&a *a"]
        ),
    ),
    max_size=4,
)


@given(EDITS, st.booleans())
@settings(max_examples=200)
def test_any_edit_ends_in_a_file_that_a_cache_can_keep(edits: list[tuple[str, str]], rendered: bool) -> None:  # noqa: FBT001
    """Whole lines replaced by others: never an exception, always a place, and JSON all the way down."""
    text = WORKLOAD + "---\n" + WORKLOAD
    for old, new in edits:
        text = text.replace(old, new, 1)
    file = parse(text, rendered=rendered)
    assert all(problem.place for problem in file.problems)
    assert ParsedFile.from_bytes(file.to_bytes(), "a.yaml", "blob") == file
    if any(problem.severity is Severity.ERROR for problem in file.problems):
        assert len(file.manifests) < 2


@pytest.mark.skipif(not CORPUS.is_dir(), reason="Istio's own cases are not beside the project")
def test_every_problem_with_istios_own_cases_has_a_line() -> None:
    """Fields that rules name are found in the text (or what they would lie in)."""
    for path in sorted(CORPUS.glob("*/*.yaml")):
        file = parse_file(path.name, "blob", path.read_bytes())
        assert all(problem.place and problem.place.line for problem in file.problems), path
