"""What the demo pushes to Git for a service, as templates for `str.format`."""

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: {name}
  namespace: shop
spec:
  hosts:
    - {host}
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - number: 80
      name: http
      protocol: HTTP
      targetPort: {port}
"""

INLINE = """\
    - address: {address}
      labels: {{app: {name}, platform: vm}}
      serviceAccount: {name}
"""

SELECTOR = """\
  workloadSelector:
    labels:
      app: {name}
      platform: {platform}
"""

ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: shop
"""

#: Shares are exact under ROUND_ROBIN alone.
RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: {name}
  namespace: shop
spec:
  host: {host}
  trafficPolicy:
    loadBalancer:
      simple: ROUND_ROBIN
"""

WORKLOAD = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: {name}-vm-{number}
  namespace: shop
spec:
  address: {address}
  labels:
    app: {name}
    platform: vm
  serviceAccount: {name}
"""

POLICY = """\
apiVersion: mesh-reconciler.io/v1alpha1
kind: RolloutPolicy
metadata:
  name: {name}
  namespace: shop
spec:
  serviceEntry: {name}
  steps:
    - {{exposure: 10%, hold: 2s, gates: [{gate}]}}
    - {{exposure: 25%, hold: 1s, gates: [{gate}]}}
    - {{exposure: 50%, hold: 1s, gates: [{gate}]}}
    - {{exposure: 100%}}
  gates:
    - name: success
      interval: 500ms
      consecutive: 2
      prometheus: {{template: istio-success-rate, min: 0.99, samples: 20}}
    - name: no-worse
      interval: 500ms
      compare: {{metric: errors, margin: 2}}
  onHarm: undo
  gradual: false
  watch: 0s
"""
