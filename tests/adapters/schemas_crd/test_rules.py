"""Rules in CEL."""

from itertools import permutations
from typing import Any

import pytest

from reconciler.adapters.schemas_crd.rules import Rule, Rules, compile_rule


def judged(value: Any, rule: str, **more: Any) -> list[str]:
    """Return code, field and message of what a rule says of a value at the field `at`."""
    compiled = compile_rule({"rule": rule, **more})
    assert isinstance(compiled, Rule)
    return [f"{one.code} {one.field}: {one.message}" for one in compiled.problems(value, "at")]


def test_a_rule_holds_or_says_why_not() -> None:
    """In the CRD's own words, or in the rule itself."""
    assert judged(5, "self > 3") == []
    assert judged(2, "self > 3", message="must be more than 3") == ["MR5201 at: must be more than 3"]
    assert judged(2, "self\n > 3") == ["MR5201 at: breaks the rule self > 3"]


def test_a_message_may_be_an_expression() -> None:
    """The message stands in where the expression fails or says nothing."""
    told = {"message": "plain", "messageExpression": "'only ' + self.allowed"}
    assert judged({"allowed": "a"}, "false", **told) == ["MR5201 at: only a"]
    assert judged({}, "false", **told) == ["MR5201 at: plain"]
    assert judged({}, "false", message="plain", messageExpression="' '") == ["MR5201 at: plain"]
    assert judged({}, "false", message="plain", messageExpression="unknown(self)") == ["MR5201 at: plain"]


def test_a_rule_may_be_about_a_field_below() -> None:
    """Then the problem stands there."""
    assert judged({"a": 1}, "self.a > 1", message="no", fieldPath=".a") == ["MR5201 at.a: no"]


def test_a_rule_that_cannot_be_evaluated_refuses_the_value() -> None:
    """As the API server does: a missing key, a null item, a wrong type."""
    rule = "self.all(one, one.number > 0)"
    assert judged([{"number": 1}], rule, message="no") == []
    unfit: list[Any] = [[{}], [None], [{"number": "a"}], 5]
    for value in unfit:
        assert judged(value, rule, message="no") == ["MR5202 at: no (the rule fails on this value)"]


@pytest.mark.parametrize("more", [{}, {"optionalOldSelf": True}])
def test_rules_on_changes_do_not_judge_new_objects(more: dict[str, Any]) -> None:
    """What compares with an earlier state is for the API server, which knows it."""
    assert compile_rule({"rule": "self == oldSelf", **more}) is None


def test_a_rule_with_unknown_functions_is_left_to_the_server() -> None:
    """It gives a warning, never a refusal."""
    (told,) = judged("1Gi", "quantity(self).isGreaterThan(quantity('1'))")
    assert told.startswith("MR5203 at: ")


@pytest.mark.parametrize(
    ("url", "expression", "holds"),
    [
        ("https://a.example.com:8443/x", "url(self).getScheme() == 'https'", True),
        ("https://a.example.com:8443/x", "url(self).getHost() == 'a.example.com:8443'", True),
        ("https://a.example.com:8443/x", "url(self).getHostname() == 'a.example.com' && url(self).getPort() == '8443'", True),
        ("https://a.example.com/x%20y", "url(self).getEscapedPath() == '/x%20y'", True),
        ("a.example.com", "isURL(self)", False),
        ("oci://a/b", "isURL(self)", True),
        ("http://a b/", "isURL(self)", False),
    ],
)
def test_functions_for_urls(url: str, expression: str, holds: bool) -> None:  # noqa: FBT001
    """Those that Kubernetes adds to CEL, as far as Istio's rules use them."""
    assert (judged(url, expression) == []) is holds


def test_what_is_no_url_makes_url_fail() -> None:
    """Which refuses the value."""
    assert judged("a b", "url(self).getScheme() in ['http']", message="no") == ["MR5202 at: no (the rule fails on this value)"]


def test_rules_of_one_place_say_what_each_says_alone() -> None:
    """Although they are asked at once: in the schema's order, whatever one holds, breaks, fails on or does not know."""
    sorts = {
        "holds": "self.a == 1",
        "ends in a comment": "self.a == 1 // the first",
        "breaks": "self.a == 2",
        "fails": "self.b == 1",
        "is no condition": "self.a",
        "is unknown": "quantity(self)",
        "is about changes": "self == oldSelf",
    }
    for names in permutations(sorts, 2):
        documents = [{"rule": sorts[name], "message": name} for name in names]
        alone = [problem for one in documents if (rule := compile_rule(one)) for problem in rule.problems({"a": 1}, "at")]
        assert list(Rules.of(documents).problems({"a": 1}, "at")) == alone, names
