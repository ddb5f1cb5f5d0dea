"""Istio's cases and samples, where they lie beside the project."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from reconciler.adapters.schemas_crd.definitions import read_crds
from reconciler.adapters.schemas_crd.schemas import CrdSchemas
from reconciler.core.manifests import parse_file
from reconciler.core.validation import STRICTER
from reconciler.errors import Severity
from tests.conformance.cases import CASES, SAMPLES, Case, cases, samples
from tests.conformance.comparison import Outcome, compare
from tests.real.crds import Which

needs_cases = pytest.mark.skipif(not CASES.exists(), reason="Istio's cases do not lie beside the project")
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="Istio's samples do not lie beside the project")

#: The server drops a field that is null, so that what remains is an empty probe, which the CRD accepts.
NULL_PROBE = "workloadgroup-webhook/003-probe-nil.yaml"
#: Analyzers of istioctl are tried on documents that Istio refuses.
WRONG_ON_PURPOSE = {"analyze/virtualservice_destinationhosts.yaml", "analyze/authorizationpolicies.yaml"}
#: A host in capitals that is meant to be replaced.
PLACEHOLDER = "files/samples/multicluster/expose-istiod-https.yaml"


@needs_cases
def test_we_say_what_istio_says() -> None:
    """Verdict and warnings, but for the differences that are listed with their reasons."""
    compared = [compare(case) for case in cases()]
    assert [one for one in compared if one.outcome is Outcome.UNEXPLAINED] == []
    assert sum(one.outcome is Outcome.AGREES for one in compared) >= len(compared) - 2
    assert {one.reason for one in compared if one.outcome is Outcome.ON_PURPOSE} <= {entry.reason for entry in STRICTER}


def crd_differences(schemas: CrdSchemas) -> list[tuple[Case, list[str]]]:
    """Return the cases of which the CRDs say something else than the cases tell, with our errors."""
    found = []
    for case in cases():
        problems = schemas.problems(yaml.safe_load(case.data))
        errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
        if bool(errors) is case.accepted_by_crd:
            found.append((case, errors))
    return found


@needs_cases
def test_the_newest_crds_say_what_istio_expects_of_them(istio_crds: Callable[[Which], Path]) -> None:
    """All but one, of which a real server says what we say."""
    different = crd_differences(CrdSchemas(read_crds(istio_crds("newest")), "newest"))
    assert [(case.path, errors) for case, errors in different] == [(CASES / NULL_PROBE, [])]


@needs_cases
def test_the_lowest_crds_lack_what_came_later(istio_crds: Callable[[Which], Path]) -> None:
    """Their verdicts differ on DYNAMIC_DNS and on HTTP/2 keep-alive, which they do not know, and on nothing else."""
    different = crd_differences(CrdSchemas(read_crds(istio_crds("lowest")), "lowest"))
    unknown = ("spec.resolution", "spec.trafficPolicy.connectionPool.http.http2KeepAlive")
    others = [case.path for case, errors in different if not any(field in error for error in errors for field in unknown)]
    assert others == [CASES / NULL_PROBE]
    assert len(different) == 11


@needs_samples
@pytest.mark.parametrize("path", list(samples()), ids=lambda path: str(path.relative_to(SAMPLES)))
def test_samples_raise_no_false_alarm(path: Path) -> None:
    """Manifests that Istio ships are read without an exception, and no rule of ours refuses what Istio takes."""
    errors = {
        problem.code for problem in parse_file(path.name, "", path.read_bytes()).problems if problem.severity is Severity.ERROR
    }
    refused = {code for code in errors if code.startswith("MR2")}
    name = str(path.relative_to(SAMPLES))
    assert bool(refused) is (name in WRONG_ON_PURPOSE or name == PLACEHOLDER)
