"""The problems that the user's own CRDs report, each with its stable code. Codes of this package begin with MR5."""

from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is found, by code."""

    FILE = "MR5001", "a file given as CRDs cannot be read as such"
    NO_CRD = "MR5002", "the CRDs hold none for an Istio kind"
    NOT_SERVED = "MR5003", "the CRD of a kind serves no version at all"
    SCHEMA = "MR5101", "a value does not fit the CRD's schema"
    UNKNOWN_FIELD = "MR5102", "a field is not in the CRD's schema"
    DUPLICATE = "MR5103", "an item of a list is there twice, or two items have the same key"
    RULE = "MR5201", "a rule of the CRD does not hold"
    RULE_FAILED = "MR5202", "a rule of the CRD cannot be evaluated on these values, which refuses them"
    RULE_UNKNOWN = "MR5203", "a rule of the CRD uses functions that are not available here"
