"""Real parts for the tests: kube-apiserver on etcd with Istio's CRDs, Prometheus, PostgreSQL, a proxy that breaks connections.

What belongs here: getting the parts (built once into a per-user cache), starting and stopping them, small clients for them,
and the pytest fixtures over all that (`fixtures.py`). What must not be known here: anything of `reconciler`; the harness would
otherwise test the reconciler with itself.

For a developer: `python -m tests.real up` starts a server with Istio's CRDs and prints its kubeconfig.
"""
