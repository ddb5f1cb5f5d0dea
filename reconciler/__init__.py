"""mesh-reconciler: GitOps for Istio services that live half on VMs, half in Kubernetes.

One cycle (`cycle/run.py`), in the words of the code:

    revision = source.poll()                         what Git says now: a commit
    desired = load(source.files(revision))           blobs -> DesiredState, or every problem with file, line and column
    observed = observe(cluster, registry)            what both stores hold; a partial read ends the cycle
    differences = diff(wanted_now, observed)         field by field: Git, last written, cluster, registry
    plan = make_plan(differences, world)             units, lawful order, guards, predicted split; checked in the simulator
    store.intend(writes)                             the journal, before each write
    apply(plan, cluster, registry)                   wave by wave, with preconditions
    store.settle(outcomes)                           what became of it
    report(plan, outcomes)                           one value that terminal, JSON, Markdown and HTML render

`core/` is pure: it imports only the standard library, itself and `errors` (pydantic and the YAML parser only inside
`core/manifests/`). `adapters/` touch the world; they import core, `ports` and `errors` and never each other. Only
`wiring/` names adapters. Between them lie `desired/` (Git's side), `cycle/` (one cycle, and when it runs), `rollouts/`,
`writes/`, `history/`, `vms/` and `registry/` (the VM registry's server). Look first at `core/resources.py` (the words), then
`cycle/run.py` (the loop), then `core/plan.py`.
"""

__version__ = "0.1.0"
