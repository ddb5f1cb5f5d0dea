"""The problems that the analysis of a commit reports, each with its stable code and what it means.

A code is never given to something else, and never changes. Codes of this package begin with MR3; the second digit says what
they are about: 0 services and their endpoints, 1 workloads, 2 routes, 3 rollout policies.
"""

from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is found, by code."""

    HOST_PORT_CONFLICT = "MR3001", "two ServiceEntries disagree about a port of one host"
    SELECTS_NOTHING = "MR3002", "a workloadSelector picks no WorkloadEntry of the commit"
    NEVER_AN_ENDPOINT = "MR3003", "a ServiceEntry drops a WorkloadEntry that it selects, because of its address"

    PORT_NAME_UNUSED = "MR3101", "a WorkloadEntry maps a port that no ServiceEntry selecting it has"
    HEALTH_UNREPORTED = "MR3102", "a WorkloadEntry waits for health reports that nobody sends"
    NAMED_LIKE_POD = "MR3103", "a WorkloadEntry may have the name of a Pod"
    ACCOUNT_UNKNOWN = "MR3104", "a WorkloadEntry names a ServiceAccount that the commit does not declare"
    ADDRESS_TWICE = "MR3105", "two WorkloadEntries of a namespace have one address"
    GROUP_UNKNOWN = "MR3106", "a WorkloadEntry names a WorkloadGroup that the commit does not declare"
    REGISTRY_VALUE = "MR3107", "the annotation about the VM registry has a value that means nothing"
    HEALTH_VALUE = "MR3108", "the annotation about the source of health has a value that means nothing"
    PROBE_UNFIT = "MR3109", "a probe that is to be carried out from the centre cannot be"
    JOIN_VALUE = "MR3110", "an annotation about VMs that join a WorkloadGroup has a value that means nothing there"
    ADDRESS_VALUE = "MR3112", "the annotation that leaves an address to the VM registry has a value that means nothing there"
    ANNOTATION_UNKNOWN = "MR3111", "an annotation under our name is none that means anything in Git"

    HOST_UNKNOWN = "MR3201", "a route or rule is for a host that no ServiceEntry of the commit has"
    SUBSET_UNKNOWN = "MR3202", "a route leads to a subset that no DestinationRule of the commit defines"
    PORT_UNKNOWN = "MR3203", "a route leads to a port that the host does not have"
    RULES_COMPETE = "MR3204", "two DestinationRules of a namespace are for one host"
    ROUTES_COMPETE = "MR3205", "two VirtualServices route one host for sidecars"

    POLICIES_COMPETE = "MR3301", "two RolloutPolicies are for one ServiceEntry, or the default of one namespace"
    POLICY_WITHOUT_SERVICE = "MR3302", "a RolloutPolicy names a ServiceEntry that the commit does not hold"
    GATE_UNKNOWN = "MR3303", "a step of a RolloutPolicy asks for a gate that neither it nor a default defines"
    UNCOUNTED = "MR3304", "a gate measures the requests of a service of which Istio counts none"
    HOPELESS = "MR3305", "a gate can never pass as the operator's settings are"
    INDISTINCT = "MR3306", "a gate is to tell canary from stable among inline endpoints, which no metric names"
