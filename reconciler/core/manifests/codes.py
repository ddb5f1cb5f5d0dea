"""The problems that reading manifests reports, each with its stable code and what it means.

A code is never given to something else, and never changes. Codes of this package begin with MR1; the second digit says what
they are about: 0 text and YAML, 1 the shape of a document, 2 what a commit as a whole says.
"""

from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is found, by code."""

    NOT_UTF8 = "MR1001", "a file is not UTF-8"
    INVISIBLE = "MR1002", "a file holds a control character or an invisible one"
    NOT_NFC = "MR1003", "a file is not in Unicode's composed form (NFC)"
    SYNTAX = "MR1004", "a file is not valid YAML or JSON"
    DUPLICATE_KEY = "MR1005", "an object sets a field twice"
    ALIAS = "MR1006", "a file uses an anchor, an alias or a merge key"
    TAG = "MR1007", "a file uses a tag or a tag directive"
    AMBIGUOUS = "MR1008", "a value without quotes is text to one YAML parser and something else to another"
    KEY_TYPE = "MR1009", "a key is not text"
    NUMBER = "MR1010", "a number is beyond any range"
    CAP = "MR1011", "a file, or something in it, is larger, deeper or longer than allowed"

    NOT_OBJECT = "MR1101", "a document is not an object"
    NO_KIND = "MR1102", "a document has no apiVersion or no kind"
    UNKNOWN_KIND = "MR1103", "Istio's API groups, and ours, have no such kind"
    WRONG_VERSION = "MR1104", "a kind is written under an apiVersion that it does not have"
    LIST = "MR1105", "a document is a List"
    SERVER_FIELD = "MR1106", "a field that the cluster writes is set by the author"
    UNKNOWN_FIELD = "MR1107", "a field does not exist"
    REQUIRED = "MR1108", "a required field is missing"
    TYPE = "MR1109", "a value has the wrong type"
    BOUND = "MR1110", "a value is out of its range, length or list of allowed values"
    PATTERN = "MR1111", "a name or a value has characters that are not allowed"
    LABEL = "MR1112", "a label or an annotation is not one that Kubernetes takes"

    DUPLICATE_OBJECT = "MR1201", "one object is written twice"
    NAMESPACE = "MR1202", "a document has no namespace, or one that is not allowed"
    UNMANAGED_KIND = "MR1203", "a kind that is not managed is there, and strict kinds are asked for"
