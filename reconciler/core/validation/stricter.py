"""Where validation refuses, or warns of, what Istio lets pass: on purpose, each with its reason."""

from dataclasses import dataclass

from reconciler.core.validation.codes import Code


@dataclass(frozen=True, slots=True)
class Stricter:
    """A deliberate difference from Istio: the codes under which it is reported, what differs, and why."""

    codes: tuple[Code, ...]
    what: str
    reason: str


STRICTER: tuple[Stricter, ...] = (
    Stricter(
        (Code.SELECTOR_EMPTY,),
        "A ServiceEntry whose workloadSelector has no labels is refused; Istio warns.",
        "Up to Istio 1.29 it selects nothing, in 1.30 every workload of the namespace: an upgrade would move traffic.",
    ),
    Stricter(
        (Code.HOST_NOT_LOWER_CASE,),
        "Hosts with upper case letters are refused; Istio accepts them.",
        "Istio compares hosts byte by byte and DNS does not: two spellings would be two services to one, one to the other.",
    ),
    Stricter(
        (Code.HOST_PUNYCODE,),
        "Hosts with punycode labels are accepted with a warning; Istio says nothing.",
        "What a browser or a resolver makes of the label may look exactly like another team's host.",
    ),
    Stricter(
        (Code.GATEWAY_NAME, Code.GATEWAY_NAME_LEGACY),
        "Every gateway name of a VirtualService is checked; Istio stops after the first one without a namespace.",
        "A wrong name matches no gateway, so its routes would silently never be used.",
    ),
    Stricter(
        (Code.POLICY_EMPTY_LIST,),
        "An AuthorizationPolicy rule with an empty `from` or `to` list is refused; Istio means to, but never sees the list.",
        "Decoding drops empty lists, so a rule that names nobody would hold for everybody.",
    ),
)
