"""What answers mean: statuses, bodies, Retry-After."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.cluster_kubernetes import answers
from reconciler.errors import Conflict, Rejected, Unavailable

DATE = "Mon, 23 Nov 2026 12:00:00 GMT"


def status(code: int, message: str, **more: Any) -> bytes:
    """A Status document, as the API server sends it."""
    return json.dumps(
        {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code, **more}
    ).encode()


def cause(manager: str, field: str) -> dict[str, str]:
    """One cause of a conflict of server-side apply."""
    message = f"conflict with {json.dumps(manager)} using networking.istio.io/v1"
    return {"reason": "FieldManagerConflict", "message": message, "field": field}


IMMUTABLE = {"reason": "FieldValueInvalid", "message": 'Invalid value: "x": field is immutable', "field": "metadata.uid"}
TYPED = "failed to create typed patch object (shop/a; networking.istio.io/v1, Kind=ServiceEntry): .spec.x: field not declared"


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (400, status(400, "bad"), Rejected),
        (401, status(401, "Unauthorized"), answers.Unauthenticated),
        (403, status(403, "forbidden"), Rejected),
        (404, status(404, "serviceentries a not found", reason="NotFound"), answers.Missing),
        (404, b"404 page not found\n", answers.NotServed),
        (404, b"<html>no such page</html>", answers.Unsure),
        (408, b"", answers.Unsure),
        (409, status(409, "modified"), Conflict),
        (410, status(410, "too old resource version"), answers.Expired),
        (422, status(422, "invalid"), Rejected),
        (422, status(422, "invalid", details={"causes": [IMMUTABLE]}), Conflict),
        (429, b"slow down", answers.NotActed),
        (500, status(500, "etcdserver: request timed out"), answers.Unsure),
        (500, status(500, TYPED), Rejected),
        (503, b"<html>bad gateway</html>", answers.Unsure),
        (504, status(504, "Timeout"), answers.Unsure),
    ],
)
@pytest.mark.case("A-01", "A-03", "A-12", "D-12")
def test_each_status_means_one_thing(code: int, body: bytes, expected: type[Exception]) -> None:
    """Who is to blame, and whether the server may have acted; a 404 counts as an absence only in the server's own words."""
    with pytest.raises(expected) as caught:
        answers.document(code, {}, body)
    assert type(caught.value) is expected


@pytest.mark.case("A-01")
def test_a_conflict_names_every_manager_once() -> None:
    """Also one whose name needs escapes."""
    causes = [cause("kubectl", ".spec.hosts"), cause('od"d', ".spec.ports"), cause("kubectl", ".spec.resolution")]
    with pytest.raises(Conflict) as caught:
        answers.document(409, {}, status(409, "Apply failed", details={"causes": causes}))
    assert caught.value.managers == ("kubectl", 'od"d')


@pytest.mark.case("A-07")
def test_the_servers_text_is_the_error() -> None:
    """What an admission webhook says reaches the person, up to a length."""
    with pytest.raises(Rejected, match="denied the request: no VMs on Fridays"):
        answers.document(403, {}, status(403, 'admission webhook "w" denied the request: no VMs on Fridays'))
    with pytest.raises(Rejected) as caught:
        answers.document(400, {}, status(400, "x" * 100_000))
    assert len(str(caught.value)) < 3000


@pytest.mark.case("A-12")
@pytest.mark.parametrize(
    ("code", "body"),
    [
        (200, b"<html>Welcome to nginx</html>"),
        (200, b""),
        (200, b"[]"),
        (200, b"\xff"),
        (200, b"[" * 100_000),
        (302, b"{}"),
        (101, b"{}"),
    ],
)
def test_an_answer_that_is_no_document_is_a_failure(code: int, body: bytes) -> None:
    """A proxy's page with status 200 is not an object, and a redirect is never followed."""
    with pytest.raises(Unavailable):
        answers.document(code, {}, body)


@pytest.mark.case("A-02")
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", None),
        ("-5", None),
        ("1000000000", 3600.0),
        ("Mon, 23 Nov 2099 12:00:00 GMT", 3600.0),
        ("1e9", None),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_as_far_as_it_makes_sense(header: str, seconds: float | None) -> None:
    """Seconds and dates (by the server's own clock) up to an hour; anything else asks for nothing."""
    assert answers.retry_after({"Retry-After": header, "Date": DATE}) == seconds
    assert answers.refusal(429, {"Retry-After": header, "Date": DATE}, b"").args


@given(st.integers(200, 599), st.binary(max_size=60), st.text(max_size=20))
def test_no_answer_is_a_bug(code: int, body: bytes, header: str) -> None:
    """Whatever comes, it is a document or one of our errors."""
    with suppress(Unavailable, Rejected):
        assert isinstance(answers.document(code, {"Retry-After": header}, body), dict)


@given(
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda x: (
            st.lists(x, max_size=2)
            | st.dictionaries(st.sampled_from(["kind", "message", "details", "causes", "field", "reason"]), x)
        ),
    )
)
def test_no_status_document_is_a_bug(told: Any) -> None:
    """A Status whose parts are of the wrong type is still one of our errors."""
    body = {"kind": "Status", **told} if isinstance(told, dict) else told
    for code in (404, 409, 422, 500):
        with pytest.raises((Unavailable, Rejected)):
            answers.document(code, {}, json.dumps(body).encode())
